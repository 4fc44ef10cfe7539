#include "event.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

static enum event push(const char *body, size_t length, char *text, size_t size) {
    struct json event;
    if (!json_parse(body, length, &event)) return EVENT_BROKEN;
    char reference[128], repository[128];
    if (!json_text(json_member(event, "ref"), reference, sizeof reference)) return EVENT_BROKEN;
    if (!json_text(json_member(json_member(event, "repository"), "full_name"), repository, sizeof repository)) return EVENT_BROKEN;
    struct json commits = json_member(event, "commits");
    if (commits.kind != JSON_ARRAY) return EVENT_BROKEN;
    snprintf(text, size, "%zu commits to %s of %s", json_length(commits), reference, repository);
    return EVENT_PUSH;
}

enum event event_describe(const char *kind, const char *body, size_t length, char *text, size_t size) {
    if (strcmp(kind, "ping") == 0) return EVENT_PING;
    if (strcmp(kind, "push") == 0) return push(body, length, text, size);
    return EVENT_OTHER;
}
