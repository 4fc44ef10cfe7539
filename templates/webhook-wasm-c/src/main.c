// The program: it runs once for each request. CGI (RFC 3875) hands it the request in its environment and its input, and takes what it
// prints as the answer; what it writes to stderr is logged.
#include <stdio.h>
#include <stdlib.h>

#include "webhook.h"

enum { BODY_MAX = 1 << 20 };

static int print(int status, const char *text) {
    fprintf(stderr, "%d %s\n", status, text);
    printf("Status: %d\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s", status, text);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void) {
    const char *secret = getenv("WEBHOOK_SECRET");
    if (!secret || !*secret) {
        fprintf(stderr, "WEBHOOK_SECRET is not set\n");
        return print(500, "the webhook is not configured");
    }
    static char body[BODY_MAX + 1];
    size_t length = fread(body, 1, sizeof body, stdin);
    if (length > BODY_MAX) return print(413, "the body is too large");
    struct delivery delivery = {
        .kind = getenv("HTTP_X_GITHUB_EVENT"),
        .signature = getenv("HTTP_X_HUB_SIGNATURE_256"),
        .body = body,
        .length = length,
    };
    struct answer said = answer(&delivery, secret);
    return print(said.status, said.text);
}
