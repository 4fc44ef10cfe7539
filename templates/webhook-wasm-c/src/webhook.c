#include "webhook.h"

#include <stdio.h>

#include "event.h"
#include "signature.h"

static struct answer say(int status, const char *text) {
    struct answer answer = {.status = status};
    snprintf(answer.text, sizeof answer.text, "%s", text);
    return answer;
}

struct answer answer(const struct delivery *delivery, const char *secret) {
    if (!delivery->signature) return say(401, "the request is not signed");
    if (!signature_is_valid(delivery->signature, delivery->body, delivery->length, secret)) return say(401, "the signature is wrong");
    struct answer answer = {.status = 202};
    switch (event_describe(delivery->kind ? delivery->kind : "", delivery->body, delivery->length, answer.text, sizeof answer.text)) {
        case EVENT_PING: return say(200, "pong");
        case EVENT_PUSH: return answer;
        case EVENT_OTHER: return say(202, "nothing to do");
        case EVENT_BROKEN: break;
    }
    return say(400, "the body cannot be read");
}
