#include "signature.h"

#include <stdint.h>
#include <string.h>

enum { BLOCK = 64, DIGEST = 32 };

struct sha256 {
    uint32_t state[8];
    uint8_t block[BLOCK];
    size_t used;
    uint64_t bytes;
};

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turn(uint32_t x, int by) { return x >> by | x << (32 - by); }

static void mix(struct sha256 *hash) {
    uint32_t w[64];
    for (int i = 0; i < 16; i++) {
        const uint8_t *b = hash->block + 4 * i;
        w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t low = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t high = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + low + w[i - 7] + high;
    }
    uint32_t s[8];
    memcpy(s, hash->state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        uint32_t first = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + choice + K[i] + w[i];
        uint32_t second = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + majority;
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += first;
        s[0] = first + second;
    }
    for (int i = 0; i < 8; i++) hash->state[i] += s[i];
}

static void begin(struct sha256 *hash) {
    // The same of the square roots of the first eight.
    static const uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, state, sizeof state);
    hash->used = 0;
    hash->bytes = 0;
}

static void add(struct sha256 *hash, const void *data, size_t length) {
    const uint8_t *from = data;
    hash->bytes += length;
    while (length > 0) {
        size_t part = length < BLOCK - hash->used ? length : BLOCK - hash->used;
        memcpy(hash->block + hash->used, from, part);
        hash->used += part;
        from += part;
        length -= part;
        if (hash->used == BLOCK) {
            mix(hash);
            hash->used = 0;
        }
    }
}

static void end(struct sha256 *hash, uint8_t digest[DIGEST]) {
    uint8_t length[8];
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)(hash->bytes * 8 >> (56 - 8 * i));
    add(hash, "\x80", 1);
    while (hash->used != BLOCK - sizeof length) add(hash, "", 1);
    add(hash, length, sizeof length);
    for (int i = 0; i < DIGEST; i++) digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

static void hmac(const char *key, const char *data, size_t length, uint8_t digest[DIGEST]) {
    struct sha256 hash;
    uint8_t pad[BLOCK] = {0};
    size_t key_length = strlen(key);
    if (key_length > BLOCK) {
        begin(&hash);
        add(&hash, key, key_length);
        end(&hash, pad);
    } else {
        memcpy(pad, key, key_length);
    }
    for (int i = 0; i < BLOCK; i++) pad[i] ^= 0x36;
    begin(&hash);
    add(&hash, pad, sizeof pad);
    add(&hash, data, length);
    end(&hash, digest);
    for (int i = 0; i < BLOCK; i++) pad[i] ^= 0x36 ^ 0x5c;
    begin(&hash);
    add(&hash, pad, sizeof pad);
    add(&hash, digest, DIGEST);
    end(&hash, digest);
}

void signature_sign(const char *body, size_t length, const char *secret, char into[SIGNATURE_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[DIGEST];
    hmac(secret, body, length, digest);
    memcpy(into, "sha256=", 7);
    for (int i = 0; i < DIGEST; i++) {
        into[7 + 2 * i] = digits[digest[i] >> 4];
        into[8 + 2 * i] = digits[digest[i] & 15];
    }
    into[SIGNATURE_SIZE - 1] = '\0';
}

bool signature_is_valid(const char *signature, const char *body, size_t length, const char *secret) {
    char expected[SIGNATURE_SIZE];
    signature_sign(body, length, secret, expected);
    if (strlen(signature) != SIGNATURE_SIZE - 1) return false;
    unsigned char differs = 0;
    for (size_t i = 0; i < SIGNATURE_SIZE - 1; i++) differs |= (unsigned char)(signature[i] ^ expected[i]);
    return differs == 0;
}
