// JSON, read where it lies: nothing is copied and nothing allocated.
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_kind { JSON_NONE, JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_OTHER };

// A value in a text that was checked: where it begins and ends.
struct json {
    enum json_kind kind;
    const char *from;
    const char *to;
};

// Checks a whole text. False where it is not JSON, or nested more than 64 deep.
bool json_parse(const char *text, size_t length, struct json *value);

// The value of an object's member; of the kind JSON_NONE where there is none.
struct json json_member(struct json object, const char *name);

// How many values an array has.
size_t json_length(struct json array);

// Copies a string without its escapes, as UTF-8. False where it is none, or does not fit.
bool json_text(struct json string, char *into, size_t size);

#endif
