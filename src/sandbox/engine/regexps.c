/* Regular expressions. What the standard says of them goes through properties that anybody may change: nine reads to know the flags, a new
 * expression for each `split` and a match begun at each character. Where nobody has changed anything, it is known what comes out. */

static const char *const flag_names[] = { "flags", "hasIndices", "global", "ignoreCase", "multiline", "dotAll", "unicode", "unicodeSets", "sticky" };
static struct { uint8_t at; JSObject *getter; } flag_getters[countof(flag_names)];
static JSShape *regexp_proto_shape;
static int regexp_proto_len;

/* Remembers where the flags are read, once the prototype is as it will be. */
static void learn_regexps(JSContext *c)
{
    JSObject *proto = JS_VALUE_GET_OBJ(c->class_proto[JS_CLASS_REGEXP]);
    regexp_proto_shape = NULL;
    for (size_t i = 0; i < countof(flag_names); i++) {
        JSProperty *property;
        JSAtom name = JS_NewAtom(c, flag_names[i]);
        JSShapeProperty *shape = find_own_property(&property, proto, name);
        JS_FreeAtom(c, name);
        if (!shape || (shape->flags & JS_PROP_TMASK) != JS_PROP_GETSET || property - proto->prop > UINT8_MAX)
            return;
        flag_getters[i].at = (uint8_t)(property - proto->prop);
        flag_getters[i].getter = property->u.getset.getter;
    }
    regexp_proto_shape = proto->shape;
    regexp_proto_len = proto->shape->prop_count;
}

static int plain_flags(JSContext *c, JSValueConst regexp)
{
    JSObject *p = JS_VALUE_GET_OBJ(regexp), *proto = JS_VALUE_GET_OBJ(c->class_proto[JS_CLASS_REGEXP]);
    /* Its own property is `lastIndex`. */
    if (p->class_id != JS_CLASS_REGEXP || p->shape->proto != proto || p->shape->prop_count != 1)
        return -1;
    if (proto->shape != regexp_proto_shape || proto->shape->prop_count != regexp_proto_len)
        return -1;
    for (size_t i = 0; i < countof(flag_names); i++) {
        int at = flag_getters[i].at;
        if ((get_shape_prop(proto->shape)[at].flags & JS_PROP_TMASK) != JS_PROP_GETSET || proto->prop[at].u.getset.getter != flag_getters[i].getter)
            return -1;
    }
    return lre_get_flags(str8(p->u.regexp.bytecode));
}

static JSValue flags_in_letters(JSContext *c, int flags)
{
    static const struct { int flag; char letter; } letters[] = {
        { LRE_FLAG_INDICES, 'd' }, { LRE_FLAG_GLOBAL, 'g' }, { LRE_FLAG_IGNORECASE, 'i' }, { LRE_FLAG_MULTILINE, 'm' },
        { LRE_FLAG_DOTALL, 's' }, { LRE_FLAG_UNICODE, 'u' }, { LRE_FLAG_UNICODE_SETS, 'v' }, { LRE_FLAG_STICKY, 'y' },
    };
    char text[countof(letters)];
    int len = 0;
    for (size_t i = 0; i < countof(letters); i++) {
        if (flags & letters[i].flag)
            text[len++] = letters[i].letter;
    }
    return JS_NewStringLen(c, text, len);
}

/* The parts of a text between the matches of a plain expression that is not sticky. */
static JSValue split_plainly(JSContext *c, JSValueConst regexp, JSValueConst text, uint32_t limit)
{
    JSString *string = JS_VALUE_GET_STRING(text);
    uint8_t *code = str8(JS_VALUE_GET_OBJ(regexp)->u.regexp.bytecode), *chars = str8(string);
    int shift = string->is_wide_char, captures = lre_get_capture_count(code), flags = lre_get_flags(code);
    bool whole = flags & (LRE_FLAG_UNICODE | LRE_FLAG_UNICODE_SETS);
    int64_t done = 0, from = 0, size = string->len;
    uint32_t len = 0;
    JSValue parts = JS_NewArray(c);
    /* More than the positions of captures: the matcher's registers. */
    uint8_t **at = js_malloc(c, sizeof *at * (lre_get_alloc_count(code) + 1));
    if (JS_IsException(parts) || !at)
        goto fail;
    while (limit && (from < size || size == 0)) {
        int matched = lre_exec(at, code, chars, from, size, shift, c);
        if (matched < 0) {
            if (matched == LRE_RET_TIMEOUT)
                JS_ThrowInterrupted(c);
            else
                JS_ThrowInternalError(c, "out of memory in regexp execution");
            goto fail;
        }
        if (matched == 1 && size == 0)
            goto done;
        if (matched != 1)
            break;
        int64_t begin = (at[0] - chars) >> shift, end = (at[1] - chars) >> shift;
        if (begin >= size)
            break;
        if (end == done) {
            from = string_advance_index(string, begin, whole);
            continue;
        }
        for (int i = 0; i < captures; i++) {
            /* First what stands before the match, then what its groups hold. */
            JSValue part = i == 0 ? js_sub_string(c, string, done, begin)
                : at[2 * i] && at[2 * i + 1] ? js_sub_string(c, string, (at[2 * i] - chars) >> shift, (at[2 * i + 1] - chars) >> shift)
                                             : JS_UNDEFINED;
            if (JS_IsException(part) || JS_DefinePropertyValueUint32(c, parts, len++, part, JS_PROP_C_W_E | JS_PROP_THROW) < 0)
                goto fail;
            if (len == limit)
                goto done;
        }
        done = from = end;
    }
    if (limit) {
        JSValue part = js_sub_string(c, string, done, size);
        if (JS_IsException(part) || JS_DefinePropertyValueUint32(c, parts, len++, part, JS_PROP_C_W_E | JS_PROP_THROW) < 0)
            goto fail;
    }
done:
    js_free(c, at);
    return parts;
fail:
    js_free(c, at);
    JS_FreeValue(c, parts);
    return JS_EXCEPTION;
}
