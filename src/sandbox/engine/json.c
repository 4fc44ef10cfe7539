/* JSON as it is mostly written, read and written without the detours that the whole of the standard takes: each value a token, each text a
 * buffer, each key an array of keys, each number a fraction. Whatever is not of the usual kind (an error in the text, a getter, `toJSON`, a
 * number of a million digits) is left to the engine's own functions, from the beginning: nothing of the project's has run until then. */

/* How deep values may lie in each other here; a circle is deeper. */
#define JSON_DEPTH 256

enum { JSON_OK, JSON_FAILED, JSON_UNUSUAL };

/* The first byte that does not stand for itself in a quoted text of ASCII. */
static const uint8_t *json_plain_end(const uint8_t *at, const uint8_t *end)
{
    const uint64_t ones = 0x0101010101010101ULL, high = ones << 7;
    for (; end - at >= 8; at += 8) {
        uint64_t bytes, quote, slash;
        memcpy(&bytes, at, 8);
        quote = bytes ^ ones * '"';
        slash = bytes ^ ones * '\\';
        uint64_t found = (bytes | ((bytes - ones * 0x20) & ~bytes) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high;
        if (found)
            return at + __builtin_ctzll(found) / 8;
    }
    while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* Reading. */

typedef struct { JSContext *c; const uint8_t *at, *end; int depth; } JsonReader;

static void json_skip(JsonReader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

static bool json_next(JsonReader *r, int ch)
{
    json_skip(r);
    if (r->at == r->end || *r->at != ch)
        return false;
    r->at++;
    return true;
}

/* A text with escapes, or of more than ASCII; its opening quote has been read. */
static int json_read_text(JsonReader *r, JSValue *value)
{
    StringBuffer text;
    if (string_buffer_init(r->c, &text, 48))
        return JSON_FAILED;
    for (;;) {
        const uint8_t *plain = json_plain_end(r->at, r->end), *next;
        if (plain > r->at && string_buffer_write8(&text, r->at, (int)(plain - r->at)))
            goto failed;
        r->at = plain;
        if (r->at == r->end || *r->at < 0x20)
            goto unusual;
        uint32_t ch = *r->at++;
        if (ch == '"')
            break;
        if (ch >= 0x80) {
            ch = utf8_decode(r->at - 1, &next);
            if (next == r->at || next > r->end)
                goto unusual;
            r->at = next;
        } else {
            static const char names[] = "bfnrt\"\\/", meant[] = "\b\f\n\r\t\"\\/";
            if (r->at == r->end)
                goto unusual;
            ch = *r->at++;
            const char *name = ch ? strchr(names, (int)ch) : NULL;
            if (name) {
                ch = (uint8_t)meant[name - names];
            } else if (ch == 'u' && r->end - r->at >= 4) {
                ch = 0;
                for (int i = 0; i < 4; i++) {
                    int digit = from_hex(*r->at++);
                    if (digit < 0)
                        goto unusual;
                    ch = ch << 4 | (uint32_t)digit;
                }
            } else {
                goto unusual;
            }
        }
        if (string_buffer_putc(&text, ch))
            goto failed;
    }
    *value = string_buffer_end(&text);
    return JS_IsException(*value) ? JSON_FAILED : JSON_OK;
unusual:
    string_buffer_free(&text);
    return JSON_UNUSUAL;
failed:
    string_buffer_free(&text);
    return JSON_FAILED;
}

/* A text whose opening quote has been read. */
static int json_read_string(JsonReader *r, JSValue *value)
{
    const uint8_t *end = json_plain_end(r->at, r->end);
    if (end == r->end)
        return JSON_UNUSUAL;
    if (*end != '"')
        return json_read_text(r, value);
    *value = js_new_string8_len(r->c, (const char *)r->at, (int)(end - r->at));
    r->at = end + 1;
    return JS_IsException(*value) ? JSON_FAILED : JSON_OK;
}

static int json_read_key(JsonReader *r, JSAtom *key)
{
    if (!json_next(r, '"'))
        return JSON_UNUSUAL;
    const uint8_t *end = json_plain_end(r->at, r->end);
    if (end == r->end)
        return JSON_UNUSUAL;
    if (*end == '"') {
        *key = JS_NewAtomLen(r->c, (const char *)r->at, end - r->at);
        r->at = end + 1;
    } else {
        JSValue text;
        int read = json_read_text(r, &text);
        if (read != JSON_OK)
            return read;
        *key = JS_ValueToAtom(r->c, text);
        JS_FreeValue(r->c, text);
    }
    return *key == JS_ATOM_NULL ? JSON_FAILED : JSON_OK;
}

static int json_read_number(JsonReader *r, JSValue *value)
{
    const uint8_t *from = r->at, *at = from + (*from == '-'), *digits = at;
    /* Fifteen digits are exact, whatever they become. */
    int64_t whole = 0;
    while (at < r->end && is_digit(*at) && at - digits < 15)
        whole = whole * 10 + (*at++ - '0');
    if (at == digits || (*digits == '0' && at - digits > 1))
        return JSON_UNUSUAL;
    if (at == r->end || (!is_digit(*at) && *at != '.' && (*at | 0x20) != 'e')) {
        r->at = at;
        *value = *from == '-' ? whole ? JS_NewInt64(r->c, -whole) : JS_NewFloat64(r->c, -0.0) : JS_NewInt64(r->c, whole);
        return JSON_OK;
    }
    char copy[64];
    while (at < r->end && (is_digit(*at) || *at == '.' || (*at | 0x20) == 'e' || *at == '+' || *at == '-'))
        at++;
    if (at - from >= (ptrdiff_t)sizeof copy)
        return JSON_UNUSUAL;
    /* The grammar of a number that goes on after its first digits. */
    const uint8_t *check = digits;
    while (check < at && is_digit(*check))
        check++;
    if (*digits == '0' && check - digits > 1)
        return JSON_UNUSUAL;
    if (check < at && *check == '.') {
        const uint8_t *fraction = ++check;
        while (check < at && is_digit(*check))
            check++;
        if (check == fraction)
            return JSON_UNUSUAL;
    }
    if (check < at && (*check | 0x20) == 'e') {
        check++;
        if (check < at && (*check == '+' || *check == '-'))
            check++;
        const uint8_t *exponent = check;
        while (check < at && is_digit(*check))
            check++;
        if (check == exponent)
            return JSON_UNUSUAL;
    }
    if (check != at)
        return JSON_UNUSUAL;
    memcpy(copy, from, at - from);
    copy[at - from] = 0;
    *value = JS_NewFloat64(r->c, strtod(copy, NULL));
    r->at = at;
    return JSON_OK;
}

static int json_read_value(JsonReader *r, JSValue *value);

/* Shapes of objects that were read: what comes is mostly like what came. A shape that is held here is shared, and so never changed. */
enum { JSON_SHAPES = 64, JSON_SHAPE_NAMES = 24 };
static JSShape *json_shapes[JSON_SHAPES];

/* Where the shape of an object is held whose first name comes next; NULL where that is no plain name. */
static JSShape **json_shape_of(JsonReader *r)
{
    json_skip(r);
    if (r->at == r->end || *r->at != '"')
        return NULL;
    const uint8_t *from = r->at + 1, *end = json_plain_end(from, r->end);
    if (end == r->end || *end != '"' || end == from)
        return NULL;
    return &json_shapes[(from[0] * 5 + end[-1] * 3 + (end - from)) % JSON_SHAPES];
}

static bool json_is_plain_name(JSContext *c, JSAtom atom)
{
    if (__JS_AtomIsTaggedInt(atom))
        return false;
    JSAtomStruct *name = c->rt->atom_array[atom];
    return name->atom_type == JS_ATOM_TYPE_STRING && !name->is_wide_char && json_plain_end(str8(name), str8(name) + name->len) == str8(name) + name->len;
}

/* Notes the shape of an object that was read. */
static void json_remember(JSContext *c, JSShape **at, JSObject *p)
{
    JSShape *shape = p->shape, *before = *at;
    JSShapeProperty *named = get_shape_prop(shape);
    if (shape == before || !shape->is_hashed || shape->deleted_prop_count || shape->prop_count > JSON_SHAPE_NAMES)
        return;
    for (int i = 0; i < shape->prop_count; i++) {
        if (named[i].flags != JS_PROP_C_W_E || !json_is_plain_name(c, named[i].atom))
            return;
    }
    *at = js_dup_shape(shape);
    js_free_shape_null(c->rt, before);
}

/* Reads a name where it is this plain one. */
static bool json_read_known_key(JsonReader *r, JSAtom atom)
{
    JSAtomStruct *name = r->c->rt->atom_array[atom];
    json_skip(r);
    if (r->end - r->at < (ptrdiff_t)name->len + 2 || *r->at != '"' || r->at[name->len + 1] != '"' || memcmp(r->at + 1, str8(name), name->len))
        return false;
    r->at += name->len + 2;
    return true;
}

/* Reads an object for as long as its names are those of a shape; `whole` says whether it was read to its end. */
static int json_read_known(JsonReader *r, JSShape *shape, JSValue *value, bool *whole)
{
    JSValue values[JSON_SHAPE_NAMES];
    JSShapeProperty *named = get_shape_prop(shape);
    int count = 0, moved = 0, read = JSON_OK;
    JSValue object = JS_UNDEFINED;
    *whole = false;
    /* What lies within may put another shape into its place. */
    js_dup_shape(shape);
    while (!*whole && count < shape->prop_count && json_read_known_key(r, named[count].atom)) {
        if ((read = json_next(r, ':') ? json_read_value(r, &values[count]) : JSON_UNUSUAL) != JSON_OK)
            goto end;
        count++;
        if (!json_next(r, ',')) {
            read = JSON_UNUSUAL;
            if (!json_next(r, '}'))
                goto end;
            *whole = true;
        }
    }
    bool same = *whole && count == shape->prop_count;
    read = JSON_FAILED;
    object = same ? JS_NewObjectFromShape(r->c, js_dup_shape(shape), JS_CLASS_OBJECT, NULL) : JS_NewObject(r->c);
    if (JS_IsException(object))
        goto end;
    JSObject *p = JS_VALUE_GET_OBJ(object);
    for (; moved < count; moved++) {
        JSProperty *slot = same ? &p->prop[moved] : add_property(r->c, p, named[moved].atom, JS_PROP_C_W_E);
        if (!slot)
            goto end;
        slot->u.value = values[moved];
    }
    read = JSON_OK;
end:
    js_free_shape(r->c->rt, shape);
    if (read == JSON_OK) {
        *value = object;
        return JSON_OK;
    }
    JS_FreeValue(r->c, object);
    for (; moved < count; moved++)
        JS_FreeValue(r->c, values[moved]);
    return read;
}

static int json_read_object(JsonReader *r, JSValue *value)
{
    JSShape **likely = json_shape_of(r);
    JSValue object;
    int read;
    if (likely && *likely) {
        bool whole;
        if ((read = json_read_known(r, *likely, &object, &whole)) != JSON_OK)
            return read;
        if (whole) {
            *value = object;
            return JSON_OK;
        }
    } else {
        object = JS_NewObject(r->c);
        if (JS_IsException(object))
            return JSON_FAILED;
        if (!likely && json_next(r, '}')) {
            *value = object;
            return JSON_OK;
        }
    }
    do {
        JSAtom key;
        JSValue property;
        if ((read = json_read_key(r, &key)) != JSON_OK)
            goto end;
        read = json_next(r, ':') ? json_read_value(r, &property) : JSON_UNUSUAL;
        if (read == JSON_OK && JS_DefinePropertyValue(r->c, object, key, property, JS_PROP_C_W_E) < 0)
            read = JSON_FAILED;
        JS_FreeAtom(r->c, key);
        if (read != JSON_OK)
            goto end;
    } while (json_next(r, ','));
    read = JSON_UNUSUAL;
    if (!json_next(r, '}'))
        goto end;
    if (likely)
        json_remember(r->c, likely, JS_VALUE_GET_OBJ(object));
    *value = object;
    return JSON_OK;
end:
    JS_FreeValue(r->c, object);
    return read;
}

static int json_read_array(JsonReader *r, JSValue *value)
{
    JSValue array = JS_NewArray(r->c);
    int read = JSON_FAILED;
    if (JS_IsException(array))
        return JSON_FAILED;
    if (!json_next(r, ']')) {
        JSObject *p = JS_VALUE_GET_OBJ(array);
        do {
            JSValue element;
            if ((read = json_read_value(r, &element)) != JSON_OK)
                goto end;
            uint32_t len = p->u.array.count;
            if (len >= p->u.array.u1.size && expand_fast_array(r->c, p, len + 1)) {
                JS_FreeValue(r->c, element);
                read = JSON_FAILED;
                goto end;
            }
            p->u.array.u.values[len] = element;
            p->u.array.count = len + 1;
        } while (json_next(r, ','));
        read = JSON_UNUSUAL;
        if (!json_next(r, ']'))
            goto end;
        set_value(r->c, &p->prop[0].u.value, js_uint32(p->u.array.count));
    }
    *value = array;
    return JSON_OK;
end:
    JS_FreeValue(r->c, array);
    return read;
}

static int json_read_word(JsonReader *r, const char *word, int len, JSValue meant, JSValue *value)
{
    if (r->end - r->at < len || memcmp(r->at, word, len))
        return JSON_UNUSUAL;
    r->at += len;
    *value = meant;
    return JSON_OK;
}

static int json_read_value(JsonReader *r, JSValue *value)
{
    json_skip(r);
    if (r->at == r->end || r->depth == JSON_DEPTH)
        return JSON_UNUSUAL;
    int read;
    switch (*r->at) {
    case '"':
        r->at++;
        return json_read_string(r, value);
    case '{':
    case '[':
        r->depth++;
        read = *r->at++ == '{' ? json_read_object(r, value) : json_read_array(r, value);
        r->depth--;
        return read;
    case 't':
        return json_read_word(r, "true", 4, JS_TRUE, value);
    case 'f':
        return json_read_word(r, "false", 5, JS_FALSE, value);
    case 'n':
        return json_read_word(r, "null", 4, JS_NULL, value);
    default:
        return json_read_number(r, value);
    }
}

/* `text` is ended by a zero byte, for the engine's own parser. */
static JSValue json_parse(JSContext *c, const char *text, size_t len)
{
    JsonReader reader = { c, (const uint8_t *)text, (const uint8_t *)text + len, 0 };
    JSValue value;
    switch (json_read_value(&reader, &value)) {
    case JSON_OK:
        json_skip(&reader);
        if (reader.at == reader.end)
            return value;
        JS_FreeValue(c, value);
        break;
    case JSON_FAILED:
        return JS_EXCEPTION;
    }
    return JS_ParseJSON_internal(c, text, len, "<input>", NULL);
}

/* Writing. */

static int json_write_escape(StringBuffer *out, uint32_t ch)
{
    static const char meant[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\";
    char escape[8] = "\\";
    const char *known = ch ? strchr(meant, (int)ch) : NULL;
    if (ch < 0x80 && known)
        escape[1] = names[known - meant];
    else
        snprintf(escape, sizeof escape, "\\u%04x", ch);
    return string_buffer_write8(out, (uint8_t *)escape, (int)strlen(escape));
}

static int json_write_quoted(StringBuffer *out, JSString *text)
{
    if (string_buffer_putc8(out, '"'))
        return JSON_FAILED;
    if (!text->is_wide_char) {
        const uint8_t *at = str8(text), *end = at + text->len;
        while (at < end) {
            const uint8_t *plain = at;
            /* What is beyond ASCII stands for itself too: a character a byte. */
            while ((plain = json_plain_end(plain, end)) < end && *plain >= 0x80)
                plain++;
            if (plain > at && string_buffer_write8(out, at, (int)(plain - at)))
                return JSON_FAILED;
            at = plain;
            if (at < end && json_write_escape(out, *at++))
                return JSON_FAILED;
        }
    } else {
        const uint16_t *chars = str16(text);
        for (uint32_t i = 0; i < text->len; i++) {
            uint32_t ch = chars[i];
            int failed;
            if (ch < 0x20 || ch == '"' || ch == '\\')
                failed = json_write_escape(out, ch);
            else if (is_hi_surrogate(ch) && i + 1 < text->len && is_lo_surrogate(chars[i + 1]))
                failed = string_buffer_putc16(out, ch) || string_buffer_putc16(out, chars[++i]);
            else if (is_surrogate(ch))
                failed = json_write_escape(out, ch);
            else
                failed = string_buffer_putc16(out, ch);
            if (failed)
                return JSON_FAILED;
        }
    }
    return string_buffer_putc8(out, '"') ? JSON_FAILED : JSON_OK;
}

/* Whether something that is the object's or inherited would be asked how to write it. */
static bool json_has_to_json(JSObject *p)
{
    for (; p; p = p->shape->proto) {
        if ((p->is_exotic && !(p->class_id == JS_CLASS_ARRAY && p->fast_array)) || find_own_property1(p, JS_ATOM_toJSON))
            return true;
    }
    return false;
}

static int json_write_value(JSContext *c, StringBuffer *out, JSValueConst value, int depth);

/* Whether a value is left out of an object and null in an array: undefined, functions and symbols. */
static bool json_is_left_out(JSContext *c, JSValueConst value)
{
    return JS_IsUndefined(value) || JS_IsSymbol(value) || JS_IsFunction(c, value);
}

static int json_write_object(JSContext *c, StringBuffer *out, JSObject *p, int depth)
{
    JSShapeProperty *named = get_shape_prop(p->shape);
    bool any = false;
    if (string_buffer_putc8(out, '{'))
        return JSON_FAILED;
    for (int i = 0; i < p->shape->prop_count; i++, named++) {
        if (named->atom == JS_ATOM_NULL || !(named->flags & JS_PROP_ENUMERABLE))
            continue;
        /* Numbers come first and in order, whatever order they were given in. */
        if (__JS_AtomIsTaggedInt(named->atom))
            return JSON_UNUSUAL;
        JSAtomStruct *name = c->rt->atom_array[named->atom];
        if (name->atom_type != JS_ATOM_TYPE_STRING)
            continue;
        uint32_t index;
        if ((named->flags & JS_PROP_TMASK) != JS_PROP_NORMAL || JS_AtomIsArrayIndex(c, &index, named->atom))
            return JSON_UNUSUAL;
        JSValueConst value = p->prop[i].u.value;
        if (json_is_left_out(c, value)) {
            /* A function may say how it is written. */
            if (JS_IsObject(value) && json_has_to_json(JS_VALUE_GET_OBJ(value)))
                return JSON_UNUSUAL;
            continue;
        }
        if (any && string_buffer_putc8(out, ','))
            return JSON_FAILED;
        any = true;
        int written = json_write_quoted(out, name);
        if (written == JSON_OK)
            written = string_buffer_putc8(out, ':') ? JSON_FAILED : json_write_value(c, out, value, depth);
        if (written != JSON_OK)
            return written;
    }
    return string_buffer_putc8(out, '}') ? JSON_FAILED : JSON_OK;
}

static int json_write_array(JSContext *c, StringBuffer *out, JSObject *p, int depth)
{
    JSValueConst len = p->prop[0].u.value;
    if (!p->fast_array || JS_VALUE_GET_TAG(len) != JS_TAG_INT || (uint32_t)JS_VALUE_GET_INT(len) != p->u.array.count)
        return JSON_UNUSUAL;
    if (string_buffer_putc8(out, '['))
        return JSON_FAILED;
    for (uint32_t i = 0; i < p->u.array.count; i++) {
        JSValueConst value = p->u.array.u.values[i];
        if (i && string_buffer_putc8(out, ','))
            return JSON_FAILED;
        bool left_out = json_is_left_out(c, value);
        if (left_out && JS_IsObject(value) && json_has_to_json(JS_VALUE_GET_OBJ(value)))
            return JSON_UNUSUAL;
        int written = json_write_value(c, out, left_out ? JS_NULL : value, depth);
        if (written != JSON_OK)
            return written;
    }
    return string_buffer_putc8(out, ']') ? JSON_FAILED : JSON_OK;
}

static int json_write_value(JSContext *c, StringBuffer *out, JSValueConst value, int depth)
{
    char digits[16];
    JSValue text;
    JSObject *p;
    int written;
    switch (JS_VALUE_GET_NORM_TAG(value)) {
    case JS_TAG_STRING:
        return json_write_quoted(out, JS_VALUE_GET_STRING(value));
    case JS_TAG_STRING_ROPE:
        text = JS_ToString(c, value);
        if (JS_IsException(text))
            return JSON_FAILED;
        written = json_write_quoted(out, JS_VALUE_GET_STRING(text));
        JS_FreeValue(c, text);
        return written;
    case JS_TAG_INT:
        return string_buffer_write8(out, (uint8_t *)digits, (int)i32toa(digits, JS_VALUE_GET_INT(value))) ? JSON_FAILED : JSON_OK;
    case JS_TAG_FLOAT64:
        return string_buffer_concat_value(out, isfinite(JS_VALUE_GET_FLOAT64(value)) ? value : JS_NULL) ? JSON_FAILED : JSON_OK;
    case JS_TAG_BOOL:
    case JS_TAG_NULL:
        return string_buffer_concat_value(out, value) ? JSON_FAILED : JSON_OK;
    case JS_TAG_OBJECT:
        p = JS_VALUE_GET_OBJ(value);
        if (depth == JSON_DEPTH || (p->class_id != JS_CLASS_OBJECT && p->class_id != JS_CLASS_ARRAY) || json_has_to_json(p))
            return JSON_UNUSUAL;
        return p->class_id == JS_CLASS_ARRAY ? json_write_array(c, out, p, depth + 1) : json_write_object(c, out, p, depth + 1);
    default:
        return JSON_UNUSUAL;
    }
}

static JSValue json_stringify(JSContext *c, JSValueConst value, JSValueConst replacer, JSValueConst space)
{
    if (!JS_IsUndefined(space) || JS_IsObject(replacer))
        return JS_JSONStringify(c, value, replacer, space);
    StringBuffer out;
    if (string_buffer_init(c, &out, 0))
        return JS_EXCEPTION;
    switch (json_write_value(c, &out, value, 0)) {
    case JSON_OK:
        return string_buffer_end(&out);
    case JSON_FAILED:
        string_buffer_free(&out);
        return JS_EXCEPTION;
    }
    string_buffer_free(&out);
    return JS_JSONStringify(c, value, replacer, space);
}
