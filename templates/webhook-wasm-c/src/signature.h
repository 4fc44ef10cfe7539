// HMAC-SHA256 (RFC 2104, FIPS 180-4), as senders sign what they deliver: `sha256=` and 64 hexadecimal digits.
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

enum { SIGNATURE_SIZE = 7 + 64 + 1 };

// Writes the signature of a body.
void signature_sign(const char *body, size_t length, const char *secret, char into[SIGNATURE_SIZE]);

// Whether a signature is that of the body. Takes as long for a wrong one as for the right one.
bool signature_is_valid(const char *signature, const char *body, size_t length, const char *secret);

#endif
