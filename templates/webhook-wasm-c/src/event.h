// Events: what somebody else's system tells. Put yours here.
#ifndef EVENT_H
#define EVENT_H

#include <stddef.h>

// What happened. Other kinds are taken and left alone, so that the sender does not try them again.
enum event { EVENT_PING, EVENT_PUSH, EVENT_OTHER, EVENT_BROKEN };

// Reads the body of an event, and describes a push in `text`.
enum event event_describe(const char *kind, const char *body, size_t length, char *text, size_t size);

#endif
