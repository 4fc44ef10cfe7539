#include "json.h"

#include <string.h>

enum { DEPTH_MAX = 64 };

// A place in a text, which never leaves it.
struct cursor {
    const char *at;
    const char *end;
};

static bool is(const struct cursor *cursor, char c) { return cursor->at < cursor->end && *cursor->at == c; }

static bool take(struct cursor *cursor, char c) {
    if (!is(cursor, c)) return false;
    cursor->at++;
    return true;
}

static void blank(struct cursor *cursor) {
    while (is(cursor, ' ') || is(cursor, '\t') || is(cursor, '\n') || is(cursor, '\r')) cursor->at++;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The four digits of an escape such as \u00e9, or -1.
static long unit(struct cursor *cursor) {
    long value = 0;
    for (int digit = 0; digit < 4; digit++) {
        int part = cursor->at < cursor->end ? hex(*cursor->at++) : -1;
        if (part < 0) return -1;
        value = value * 16 + part;
    }
    return value;
}

static bool string(struct cursor *cursor) {
    if (!take(cursor, '"')) return false;
    while (cursor->at < cursor->end) {
        char c = *cursor->at++;
        if (c == '"') return true;
        if ((unsigned char)c < 0x20) return false;
        if (c != '\\') continue;
        if (cursor->at == cursor->end) return false;
        char escape = *cursor->at++;
        if (escape == 'u') {
            if (unit(cursor) < 0) return false;
        } else if (!strchr("\"\\/bfnrt", escape) || escape == '\0') {
            return false;
        }
    }
    return false;
}

static bool digits(struct cursor *cursor) {
    const char *from = cursor->at;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') cursor->at++;
    return cursor->at > from;
}

static bool number(struct cursor *cursor) {
    take(cursor, '-');
    if (!take(cursor, '0') && !digits(cursor)) return false;
    if (take(cursor, '.') && !digits(cursor)) return false;
    if (take(cursor, 'e') || take(cursor, 'E')) {
        if (!take(cursor, '+')) take(cursor, '-');
        return digits(cursor);
    }
    return true;
}

static bool word(struct cursor *cursor, const char *expected) {
    size_t length = strlen(expected);
    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, expected, length) != 0) return false;
    cursor->at += length;
    return true;
}

static bool value(struct cursor *cursor, int depth, struct json *into);

// What is between brackets; members of objects have names.
static bool list(struct cursor *cursor, int depth, bool named, char close) {
    cursor->at++;
    blank(cursor);
    if (take(cursor, close)) return true;
    do {
        struct json ignored;
        blank(cursor);
        if (named && (!string(cursor) || (blank(cursor), !take(cursor, ':')))) return false;
        if (!value(cursor, depth + 1, &ignored)) return false;
    } while (take(cursor, ','));
    return take(cursor, close);
}

static bool value(struct cursor *cursor, int depth, struct json *into) {
    blank(cursor);
    if (depth > DEPTH_MAX || cursor->at == cursor->end) return false;
    into->from = cursor->at;
    bool good;
    switch (*cursor->at) {
        case '{': into->kind = JSON_OBJECT; good = list(cursor, depth, true, '}'); break;
        case '[': into->kind = JSON_ARRAY; good = list(cursor, depth, false, ']'); break;
        case '"': into->kind = JSON_STRING; good = string(cursor); break;
        case 't': into->kind = JSON_OTHER; good = word(cursor, "true"); break;
        case 'f': into->kind = JSON_OTHER; good = word(cursor, "false"); break;
        case 'n': into->kind = JSON_OTHER; good = word(cursor, "null"); break;
        default: into->kind = JSON_OTHER; good = number(cursor);
    }
    into->to = cursor->at;
    blank(cursor);
    return good;
}

bool json_parse(const char *text, size_t length, struct json *whole) {
    struct cursor cursor = {text, text + length};
    return value(&cursor, 0, whole) && cursor.at == cursor.end;
}

struct json json_member(struct json object, const char *name) {
    struct json found = {JSON_NONE, NULL, NULL};
    if (object.kind != JSON_OBJECT) return found;
    struct cursor cursor = {object.from + 1, object.to};
    do {
        struct json key = {JSON_STRING, NULL, NULL}, member;
        blank(&cursor);
        key.from = cursor.at;
        if (!string(&cursor)) break;
        key.to = cursor.at;
        blank(&cursor);
        char known[64];
        if (!take(&cursor, ':') || !value(&cursor, 0, &member)) break;
        // Of members with the same name the last one holds.
        if (json_text(key, known, sizeof known) && strcmp(known, name) == 0) found = member;
    } while (take(&cursor, ','));
    return found;
}

size_t json_length(struct json array) {
    if (array.kind != JSON_ARRAY) return 0;
    struct cursor cursor = {array.from + 1, array.to};
    struct json item;
    size_t count = 0;
    while (value(&cursor, 0, &item)) {
        count++;
        if (!take(&cursor, ',')) break;
    }
    return count;
}

// Writes a code point as UTF-8; false where it does not fit.
static bool put(char **into, const char *end, long code) {
    char bytes[4];
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t at = length; at-- > 1; code >>= 6) bytes[at] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(length == 1 ? code : (0xf00 >> length & 0xff) | code);
    if ((size_t)(end - *into) < length) return false;
    memcpy(*into, bytes, length);
    *into += length;
    return true;
}

static long escaped(struct cursor *cursor) {
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char c = *cursor->at++;
    const char *known = strchr(from, c);
    if (known) return to[known - from];
    if (c != 'u') return c;
    long high = unit(cursor);
    if (high < 0xd800 || high > 0xdfff) return high;
    struct cursor next = *cursor;
    long low = high < 0xdc00 && take(&next, '\\') && take(&next, 'u') ? unit(&next) : -1;
    if (low < 0xdc00 || low > 0xdfff) return 0xfffd;
    *cursor = next;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

bool json_text(struct json text, char *into, size_t size) {
    if (text.kind != JSON_STRING || size == 0) return false;
    struct cursor cursor = {text.from + 1, text.to - 1};
    char *end = into + size - 1;
    while (cursor.at < cursor.end) {
        if (take(&cursor, '\\')) {
            long code = escaped(&cursor);
            // A zero would end the text.
            if (code == 0 || !put(&into, end, code)) return false;
        } else {
            if (into == end) return false;
            *into++ = *cursor.at++;
        }
    }
    *into = '\0';
    return true;
}
