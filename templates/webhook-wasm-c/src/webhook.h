// What the webhook does, without HTTP: it runs, and is tested, on any machine.
#ifndef WEBHOOK_H
#define WEBHOOK_H

#include <stddef.h>

// A request, as far as it matters here. `kind` and `signature` are the headers x-github-event and x-hub-signature-256, or NULL.
struct delivery {
    const char *kind;
    const char *signature;
    const char *body;
    size_t length;
};

struct answer {
    int status;
    char text[512];
};

// Answers a delivery. Nothing of the body is looked at before its signature is.
struct answer answer(const struct delivery *delivery, const char *secret);

#endif
