/* The stacks of errors, in V8's form, by which many packages go: a head, then a line a call, without the runtime's own calls (`emu:`).
 *
 * Most errors are caught and never looked at. So what was going on is only noted, as a list of a mark, the head and, for each call, its
 * function and how far it had come; whoever first reads `stack` has it put into words. */

/* Calls that are noted at most, whatever `Error.stackTraceLimit` says. */
#define CALLS_MAX 64

/* The runtime's own scripts have names that begin so. */
static bool is_runtime(JSContext *c, JSFunctionBytecode *b)
{
    if (!b->filename || __JS_AtomIsTaggedInt(b->filename))
        return false;
    JSString *name = c->rt->atom_array[b->filename];
    return !name->is_wide_char && name->len > 4 && !memcmp(str8(name), "emu:", 4);
}

static JSFunctionBytecode *bytecode_of(JSValueConst function)
{
    if (JS_VALUE_GET_TAG(function) != JS_TAG_OBJECT)
        return NULL;
    JSObject *p = JS_VALUE_GET_OBJ(function);
    return js_class_has_bytecode(p->class_id) ? p->u.func.function_bytecode : NULL;
}

/* How many calls the project wants to see. */
static int calls_wanted(JSContext *c)
{
    double wanted = 0;
    if (JS_VALUE_GET_TAG(c->error_stack_trace_limit) == JS_TAG_INT)
        wanted = JS_VALUE_GET_INT(c->error_stack_trace_limit);
    else if (JS_ToFloat64(c, &wanted, c->error_stack_trace_limit))
        JS_FreeValue(c, JS_GetException(c));
    return wanted > 0 ? wanted < CALLS_MAX ? (int)wanted : CALLS_MAX : 0;
}

static JSValue note_calls(JSContext *c, JSValueConst error, JSValueConst from, bool skip_first)
{
    JSValue head = js_error_toString(c, error, 0, NULL);
    if (JS_IsException(head)) {
        JS_FreeValue(c, JS_GetException(c));
        head = JS_NewString(c, "Error");
    }
    JSValueConst noted[2 + 2 * CALLS_MAX] = { JS_UNINITIALIZED, head };
    int len = 2, wanted = calls_wanted(c);
    JSStackFrame *first = c->rt->current_stack_frame;
    if (JS_IsFunction(c, from)) {
        for (JSStackFrame *call = first; call; call = call->prev_frame) {
            if (js_same_value(c, call->cur_func, from)) {
                first = call;
                break;
            }
        }
    }
    for (JSStackFrame *call = first; call && len < 2 + 2 * wanted; call = call->prev_frame) {
        JSFunctionBytecode *b = bytecode_of(call->cur_func);
        if (skip_first)
            skip_first = false;
        else if (!b || !is_runtime(c, b)) {
            noted[len++] = call->cur_func;
            noted[len++] = JS_NewInt32(c, b && call->cur_pc ? (int)(call->cur_pc - b->byte_code_buf - 1) : -1);
        }
        if (b && b->backtrace_barrier)
            break;
    }
    JSValue list = js_create_array(c, len, noted);
    JS_FreeValue(c, head);
    return list;
}

/* `file_read` and so on: where the parser found a mistake, before all calls; or NULL. */
static JSValue in_words(JSContext *c, JSValueConst list, const char *file_read, int line_read, int column_read)
{
    JSObject *noted = JS_VALUE_GET_OBJ(list);
    DynBuf text;
    js_dbuf_init(c, &text);
    const char *head = JS_ToCString(c, noted->u.array.u.values[1]);
    dbuf_putstr(&text, head ? head : "Error");
    JS_FreeCString(c, head);
    if (file_read && strncmp(file_read, "emu:", 4))
        dbuf_printf(&text, "\n    at %s:%d:%d", file_read, line_read, column_read);
    for (uint32_t i = 2; i + 1 < noted->u.array.count; i += 2) {
        JSValueConst function = noted->u.array.u.values[i];
        int pc = JS_VALUE_GET_INT(noted->u.array.u.values[i + 1]);
        JSFunctionBytecode *b = bytecode_of(function);
        const char *name = get_func_name(c, function);
        const char *file = b && b->filename ? JS_AtomToCString(c, b->filename) : NULL;
        bool named = name && *name && strcmp(name, "<anonymous>");
        dbuf_printf(&text, named ? "\n    at %s (" : "\n    at ", name);
        if (file) {
            int column = 0, line = pc < 0 ? 0 : find_line_num(c, b, pc, &column);
            dbuf_printf(&text, "%s:%d:%d", file, line, column);
        } else {
            dbuf_putstr(&text, "native");
        }
        if (named)
            dbuf_putc(&text, ')');
        JS_FreeCString(c, name);
        JS_FreeCString(c, file);
    }
    JSValue words = dbuf_error(&text) ? JS_NULL : JS_NewStringLen(c, (char *)text.buf, text.size);
    dbuf_free(&text);
    return words;
}

/* Whether this is what `note_calls` makes: no list of the project's, which may prepare any stack, begins with what is no value. */
static bool is_noted(JSValueConst stack)
{
    if (!JS_IsObject(stack))
        return false;
    JSObject *p = JS_VALUE_GET_OBJ(stack);
    return p->class_id == JS_CLASS_ARRAY && p->fast_array && p->u.array.count > 1 && JS_IsUninitialized(p->u.array.u.values[0]);
}

static JSValue stack_of(JSContext *c, JSObject *error)
{
    if (is_noted(error->u.object_data)) {
        JSValue list = error->u.object_data;
        error->u.object_data = in_words(c, list, NULL, 0, 0);
        JS_FreeValue(c, list);
    }
    return JS_DupValue(c, error->u.object_data);
}

static void build_backtrace(JSContext *c, JSValueConst error, JSValueConst from, const char *file, int line, int column, int flags)
{
    /* Asked for each call that an exception passes until something stands here, which nobody reads. */
    if (JS_IsUndefined(c->error_back_trace))
        c->error_back_trace = JS_NULL;
    bool capture = flags & JS_BACKTRACE_FLAG_FILTER_FUNC, note = can_store_error_stack(error);
    if (!capture && !note && !can_add_backtrace(error))
        return;
    if (JS_IsFunction(c, c->error_prepare_stack)) {
        build_backtrace_at_once(c, error, from, file, line, column, flags);
        return;
    }
    if (c->rt->in_build_stack_trace)
        return;
    /* The head may be worked out by the project's own code. */
    c->rt->in_build_stack_trace = true;
    JSValue raised = JS_GetException(c);
    JSValue list = note_calls(c, error, from, flags & JS_BACKTRACE_FLAG_SKIP_FIRST_LEVEL);
    JSValue stack = list;
    /* A place that is no call is not noted, nor is what becomes a property. */
    note = note && can_store_error_stack(error);
    if (!JS_IsException(list) && (file || !note)) {
        stack = in_words(c, list, file, line, column);
        JS_FreeValue(c, list);
    }
    if (JS_IsException(stack))
        JS_FreeValue(c, JS_GetException(c));
    else if (note)
        JS_VALUE_GET_OBJ(error)->u.object_data = stack;
    else
        JS_DefinePropertyValue(c, error, JS_ATOM_stack, stack, JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JS_Throw(c, raised);
    c->rt->in_build_stack_trace = false;
}

/* Gives an error's stack another head, unless its stack is in words. */
static JSValue emu_head(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    if (JS_VALUE_GET_TAG(argv[0]) == JS_TAG_OBJECT && JS_IsString(argv[1])) {
        JSObject *error = JS_VALUE_GET_OBJ(argv[0]);
        if (error->class_id == JS_CLASS_ERROR && is_noted(error->u.object_data)) {
            JSObject *noted = JS_VALUE_GET_OBJ(error->u.object_data);
            set_value(c, &noted->u.array.u.values[1], JS_DupValue(c, argv[1]));
        }
    }
    return JS_UNDEFINED;
}
