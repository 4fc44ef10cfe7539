/* The sandbox's side of the door: QuickJS-ng with the native half of `__emu`, built for Wasm by `build.rs`.
 *
 * The module imports its memory and the functions of the door below, nothing else. All of its state is its linear memory, so that
 * a copy of the memory, taken while no call is active, is a copy of the engine with everything that it has evaluated.
 *
 * QuickJS is included, not linked: `Math.random`, module records and the stack limit are reached where they are. */
/* The asynchronous scope (AsyncLocalStorage): any value; each promise reaction runs in the scope in which it was registered. `build.rs`
 * puts the three uses of these into its copy of quickjs.c. */
#include "quickjs.h"
static JSValue scope = JS_UNDEFINED;
typedef struct JSPromiseReactionData JSPromiseReactionData;
static int enqueue_reaction(JSContext *c, JSPromiseReactionData *reaction, JSValueConst *args);

/* What `build.rs` has its copy of quickjs.c call: the stack of an error in words; the flags of a regular expression, -1 where somebody has
 * changed what they mean; the parts of a text between the matches of one; and JSON. */
typedef struct JSObject JSObject;
static JSValue stack_of(JSContext *c, JSObject *error);
static int plain_flags(JSContext *c, JSValueConst regexp);
static JSValue flags_in_letters(JSContext *c, int flags);
static JSValue split_plainly(JSContext *c, JSValueConst regexp, JSValueConst text, uint32_t limit);
static JSValue json_parse(JSContext *c, const char *text, size_t len);
static JSValue json_stringify(JSContext *c, JSValueConst value, JSValueConst replacer, JSValueConst space);
static void build_backtrace(JSContext *c, JSValueConst error, JSValueConst from, const char *file, int line, int column, int flags);

#include "quickjs.c"

#define DOOR(name) __attribute__((import_module("door"), import_name(#name))) extern
#define ENTRY(name) __attribute__((export_name(#name)))

/* The door. Pointers are addresses in this memory. */
DOOR(call) int32_t door_call(const char *op, uint32_t op_len, const char *meta, uint32_t meta_len, const uint8_t *data, uint32_t data_len, int32_t *sizes);
DOOR(take) void door_take(char *meta, uint8_t *data);
DOOR(start) int32_t door_start(const char *op, uint32_t op_len, const char *meta, uint32_t meta_len, const uint8_t *data, uint32_t data_len);
DOOR(cancel) void door_cancel(int32_t id);
DOOR(now) double door_now(void);
DOOR(random) void door_random(uint8_t *into, uint32_t len);
DOOR(log) void door_log(int32_t level, const char *text, uint32_t len);
DOOR(done) void door_done(int32_t ok, const char *text, uint32_t len);
DOOR(refused) void door_refused(void);
DOOR(source) int32_t door_source(const char *name, uint32_t len);

/* What QuickJS asks of a C library's system half. */

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    double ms = door_now();
    tv->tv_sec = (time_t)(ms / 1000);
    tv->tv_usec = (suseconds_t)((ms - (double)tv->tv_sec * 1000) * 1000);
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    double ms = door_now();
    ts->tv_sec = (time_t)(ms / 1000);
    ts->tv_nsec = (long)((ms - (double)ts->tv_sec * 1000) * 1000000);
    return 0;
}

/* Functions run in UTC, as in the clouds. */
struct tm *localtime_r(const time_t *restrict t, struct tm *restrict tm)
{
    memset(tm, 0, sizeof(*tm));
    return tm;
}

_Noreturn void abort(void) { __builtin_trap(); }
_Noreturn void __assert_fail(const char *expr, const char *file, int line, const char *func) { __builtin_trap(); }

/* There is no standard output: QuickJS only dumps debugging text to it. */
int fprintf(FILE *restrict f, const char *restrict fmt, ...) { return 0; }
int fputc(int c, FILE *f) { return c; }
int putchar(int c) { return c; }
int fputs(const char *restrict s, FILE *restrict f) { return 0; }
int fflush(FILE *f) { return 0; }
size_t __stdio_write(FILE *f, const unsigned char *buf, size_t len) { return len; }
size_t __stdout_write(FILE *f, const unsigned char *buf, size_t len) { return len; }
off_t __stdio_seek(FILE *f, off_t off, int whence) { return -1; }
int __stdio_close(FILE *f) { return 0; }
int __isatty(int fd) { return 0; }

/* Promise reactions in their scope. */

static JSValue promise_reaction_job(JSContext *c, int argc, JSValueConst *argv)
{
    JSValue before = scope;
    scope = JS_DupValue(c, argv[5]);
    JSValue result = promise_reaction_job_unscoped(c, 5, argv);
    JS_FreeValue(c, scope);
    scope = before;
    return result;
}

static int enqueue_reaction(JSContext *c, JSPromiseReactionData *reaction, JSValueConst *args)
{
    JSValueConst scoped[6] = { args[0], args[1], args[2], args[3], args[4], reaction->scope };
    return JS_EnqueueJob(c, promise_reaction_job, 6, scoped);
}

static JSValue emu_scope(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv) { return JS_DupValue(c, scope); }

static JSValue emu_set_scope(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValue before = scope;
    scope = JS_DupValue(c, argv[0]);
    JS_FreeValue(c, before);
    return JS_UNDEFINED;
}

#include "json.c"
#include "regexps.c"
#include "stacks.c"

/* The state of a sandbox besides QuickJS's own. */

static JSRuntime *rt;
static JSContext *ctx;
static JSValue emu;              /* the object `__emu`: natives and the runtime's hooks */
static JSValue evaluation;       /* promise of the module under evaluation */
static JSModuleDef *entry;       /* the module named last to `evaluate_module` */
static uint64_t random_state;    /* of Math.random; 0: not drawn yet in this sandbox */
static uint32_t heap_limit;      /* bytes that may be allocated; 0: no limit */
static uint32_t heap_used;
static int32_t finished;         /* `done` was called in this invocation */

/* Promises rejected without a handler, until the running jobs have ended. */
typedef struct { JSValue promise, reason; } Rejection;
static Rejection *rejections;
static int rejections_len, rejections_cap;

/* Small inputs are written here by the host, larger ones to what `reserve` gives. */
#define INPUT_LEN 32768
uint8_t input_area[INPUT_LEN];
ENTRY(reserve) uint8_t *reserve(uint32_t len) { return malloc(len + 1); }
static void release(void *p)
{
    if ((uint8_t *)p != input_area)
        free(p);
}

/* Allocation, counted and bounded. */

size_t malloc_usable_size(void *p);

/* Arenas, from which QuickJS serves small objects, come from one area: what an invocation allocates lies side by side, on few pages, and
 * resetting a sandbox costs as much as the pages that were written. The area is made anew for each image; blank, it is no part of it. */
#define ARENA_LEN JS_ARENA_SIZE
#define ARENAS 64
static uint8_t *arenas;
static uint8_t arenas_free[ARENAS];
static uint32_t arenas_free_len;

/* No other allocation is so long, nor much shorter: an arena is less than one block (512 bytes) shorter than its bound. */
static bool is_arena_len(size_t len) { return len <= ARENA_LEN && len > ARENA_LEN - JS_ARENA_MAX_SMALL_SIZE; }

static bool is_arena(const void *p) { return arenas && (uint8_t *)p >= arenas && (uint8_t *)p < arenas + ARENAS * ARENA_LEN; }

static size_t usable_size(const void *p) { return is_arena(p) ? ARENA_LEN : malloc_usable_size((void *)p); }

static void *acquire(size_t size)
{
    if (is_arena_len(size) && arenas_free_len)
        return arenas + (size_t)arenas_free[--arenas_free_len] * ARENA_LEN;
    return malloc(size);
}

static void give_back(void *p)
{
    if (is_arena(p))
        arenas_free[arenas_free_len++] = (uint8_t)(((uint8_t *)p - arenas) / ARENA_LEN);
    else
        free(p);
}

static bool refuse(size_t more)
{
    if (heap_limit && (more > heap_limit || heap_used > heap_limit - more)) {
        door_refused();
        return true;
    }
    return false;
}

static void *heap_calloc(void *opaque, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || refuse(bytes))
        return NULL;
    void *p = calloc(count, size);
    if (p)
        heap_used += malloc_usable_size(p);
    else
        door_refused();
    return p;
}

static void *heap_malloc(void *opaque, size_t size)
{
    if (refuse(size))
        return NULL;
    void *p = acquire(size);
    if (p)
        heap_used += usable_size(p);
    else
        door_refused();
    return p;
}

static void heap_free(void *opaque, void *p)
{
    if (p) {
        heap_used -= usable_size(p);
        give_back(p);
    }
}

static void *heap_realloc(void *opaque, void *p, size_t size)
{
    if (!p)
        return size ? heap_malloc(opaque, size) : NULL;
    if (!size) {
        heap_free(opaque, p);
        return NULL;
    }
    size_t before = usable_size(p);
    if (size > before && refuse(size - before))
        return NULL;
    void *q;
    if (is_arena(p)) {
        q = malloc(size);
        if (q) {
            memcpy(q, p, size < before ? size : before);
            give_back(p);
        }
    } else {
        q = realloc(p, size);
    }
    if (q)
        heap_used += malloc_usable_size(q) - before;
    else
        door_refused();
    return q;
}

static size_t heap_usable(const void *p) { return usable_size(p); }

static const JSMallocFunctions heap_functions = { heap_calloc, heap_malloc, heap_free, heap_realloc, heap_usable };

static struct list_head arenas_aside[JS_ARENA_BLOCK_SIZE_COUNT];

/* Puts all of a list before the other's, and leaves it empty. */
static void move_arenas(struct list_head *from, struct list_head *to)
{
    if (list_empty(from))
        return;
    struct list_head *first = from->next, *last = from->prev;
    last->next = to->next;
    to->next->prev = last;
    to->next = first;
    first->prev = to;
    init_list_head(from);
}

/* What an image holds lives as long as any sandbox made of it: its reference counts stand still (`build.rs` has QuickJS leave counts from
 * JS_IMMORTAL on alone), and the cycle collector passes it over. Otherwise a sandbox would write to, and so copy, each page with an object
 * that it merely looks at. */
static void freeze(void)
{
    struct list_head *el, *next;
    JSArenaState *state = &rt->arena_state;
    for (int i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; i++) {
        list_for_each_safe(el, next, &state->arena_list[i]) {
            JSArena *arena = list_entry(el, JSArena, link);
            if (!arena->n_used_blocks) {
                list_del(&arena->link);
                list_del(&arena->free_link);
                rt->mf.js_free(rt->malloc_state.opaque, arena);
                continue;
            }
            /* Strings are on no list; in blocks that hold none of what is counted, the count means nothing. */
            for (int n = 0; n < arena->n_blocks; n++) {
                JSMallocBlockHeader *block = arena_get_block(arena, n, arena_block_sizes[i]);
                if (block->ref_count > 0)
                    block->ref_count = JS_IMMORTAL;
            }
        }
        /* Half-empty arenas are set aside: new objects go to new ones, on a list that has no old ones for neighbours. */
        list_for_each_safe(el, next, &state->free_arena_list[i]) {
            list_del(el);
            init_list_head(el);
        }
        move_arenas(&state->arena_list[i], &arenas_aside[i]);
    }
    list_for_each_safe(el, next, &rt->gc_obj_list) {
        JS_REF_COUNT(list_entry(el, JSGCObjectHeader, link)) = JS_IMMORTAL;
        list_del(el);
        init_list_head(el);
    }
    for (int i = JS_ATOM_END; i < rt->atom_size; i++) {
        /* Those of the image below are not written to again: each would be a page copied. */
        if (!atom_is_free(rt->atom_array[i]) && JS_REF_COUNT(rt->atom_array[i]) < JS_IMMORTAL)
            JS_REF_COUNT(rt->atom_array[i]) = JS_IMMORTAL;
    }
    /* The host's page is what is copied at once. */
    uint8_t *area = malloc((ARENAS + 1) * ARENA_LEN);
    arenas_free_len = 0;
    if (area) {
        arenas = (uint8_t *)(((uintptr_t)area + ARENA_LEN - 1) & ~(uintptr_t)(ARENA_LEN - 1));
        memset(arenas, 0, ARENAS * ARENA_LEN);
        for (int n = ARENAS; n-- > 0;)
            arenas_free[arenas_free_len++] = (uint8_t)n;
    }
    /* Collecting cycles is for sandboxes that live long. */
    rt->malloc_gc_threshold = rt->malloc_state.malloc_size + rt->malloc_state.malloc_size / 2 + (4 << 20);
}

/* Math.random: xorshift64*, seeded through the door by the first draw in each sandbox. */
static JSValue math_random(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    if (!random_state) {
        door_random((uint8_t *)&random_state, sizeof random_state);
        random_state |= 1;
    }
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return JS_NewFloat64(c, (double)((random_state * 0x2545F4914F6CDD1DULL) >> 11) * 0x1p-53);
}

/* The natives of `__emu`. */

typedef struct { const char *text; size_t len; } Text;

static int text_of(JSContext *c, JSValueConst v, Text *t)
{
    t->text = JS_ToCStringLen(c, &t->len, v);
    return t->text ? 0 : -1;
}

/* The bytes of a Uint8Array; nothing for null and undefined. Valid until the next allocation of JavaScript objects. */
static int bytes_of(JSContext *c, JSValueConst v, uint8_t **data, size_t *len)
{
    *data = NULL;
    *len = 0;
    if (JS_IsNull(v) || JS_IsUndefined(v))
        return 0;
    *data = JS_GetUint8Array(c, len, v);
    if (*data || !JS_HasException(c))
        return 0;
    return -1;
}

/* Takes what the host holds ready (`door_call`, `door_source`): a string and, where `data_len` is not negative, bytes. */
static JSValue take_answer(JSContext *c, int32_t meta_len, int32_t data_len, JSValue *data)
{
    char *meta = js_malloc(c, meta_len + 1);
    uint8_t *bytes = data_len < 0 ? NULL : js_malloc(c, data_len ? data_len : 1);
    if (!meta || (data_len >= 0 && !bytes)) {
        js_free(c, meta);
        js_free(c, bytes);
        return JS_EXCEPTION;
    }
    door_take(meta, bytes);
    JSValue text = JS_NewStringLen(c, meta, meta_len);
    js_free(c, meta);
    *data = bytes ? JS_NewUint8Array(c, bytes, data_len, js_array_buffer_realloc, NULL, false) : JS_NULL;
    return text;
}

static JSValue emu_call(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    Text op, meta;
    uint8_t *data;
    size_t data_len;
    int32_t sizes[2], ok;
    if (text_of(c, argv[0], &op))
        return JS_EXCEPTION;
    if (text_of(c, argv[1], &meta)) {
        JS_FreeCString(c, op.text);
        return JS_EXCEPTION;
    }
    if (bytes_of(c, argv[2], &data, &data_len)) {
        JS_FreeCString(c, op.text);
        JS_FreeCString(c, meta.text);
        return JS_EXCEPTION;
    }
    ok = door_call(op.text, op.len, meta.text, meta.len, data, data_len, sizes);
    JS_FreeCString(c, op.text);
    JS_FreeCString(c, meta.text);
    JSValue bytes = JS_NULL, text = take_answer(c, sizes[0], sizes[1], &bytes);
    if (JS_IsException(text) || JS_IsException(bytes)) {
        JS_FreeValue(c, text);
        JS_FreeValue(c, bytes);
        return JS_EXCEPTION;
    }
    if (ok) {
        JSValue pair = JS_NewArray(c);
        JS_SetPropertyUint32(c, pair, 0, text);
        JS_SetPropertyUint32(c, pair, 1, bytes);
        return pair;
    }
    /* On failure the bytes are the error's name, the text its message. */
    JSValue error = JS_NewError(c);
    if (!JS_IsNull(bytes)) {
        size_t len;
        uint8_t *name = JS_GetUint8Array(c, &len, bytes);
        if (name)
            JS_DefinePropertyValueStr(c, error, "name", JS_NewStringLen(c, (char *)name, len), JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
        JS_FreeValue(c, bytes);
    }
    JS_DefinePropertyValueStr(c, error, "message", text, JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    return JS_Throw(c, error);
}

static JSValue emu_start(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    Text op, meta;
    uint8_t *data;
    size_t data_len;
    if (text_of(c, argv[0], &op))
        return JS_EXCEPTION;
    if (text_of(c, argv[1], &meta)) {
        JS_FreeCString(c, op.text);
        return JS_EXCEPTION;
    }
    int failed = bytes_of(c, argv[2], &data, &data_len);
    int32_t id = failed ? 0 : door_start(op.text, op.len, meta.text, meta.len, data, data_len);
    JS_FreeCString(c, op.text);
    JS_FreeCString(c, meta.text);
    if (failed)
        return JS_EXCEPTION;
    if (id <= 0)
        return JS_ThrowInternalError(c, id == 0 ? "too many operations at once" : "no such operation");
    return JS_NewInt32(c, id);
}

static JSValue emu_cancel(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    int32_t id;
    if (JS_ToInt32(c, &id, argv[0]))
        return JS_EXCEPTION;
    door_cancel(id);
    return JS_UNDEFINED;
}

static JSValue emu_now(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv) { return JS_NewFloat64(c, door_now()); }

static JSValue emu_random(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    int32_t len;
    if (JS_ToInt32(c, &len, argv[0]))
        return JS_EXCEPTION;
    if (len < 0)
        return JS_ThrowRangeError(c, "random: the length is negative");
    uint8_t *bytes = js_malloc(c, len ? len : 1);
    if (!bytes)
        return JS_EXCEPTION;
    door_random(bytes, len);
    return JS_NewUint8Array(c, bytes, len, js_array_buffer_realloc, NULL, false);
}

static JSValue emu_log(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    int32_t level;
    Text t;
    if (JS_ToInt32(c, &level, argv[0]) || text_of(c, argv[1], &t))
        return JS_EXCEPTION;
    door_log(level, t.text, t.len);
    JS_FreeCString(c, t.text);
    return JS_UNDEFINED;
}

static JSValue emu_done(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    Text t;
    int ok = JS_ToBool(c, argv[0]);
    if (ok < 0 || text_of(c, argv[1], &t))
        return JS_EXCEPTION;
    if (!finished) {
        finished = 1;
        door_done(ok, t.text, t.len);
    }
    JS_FreeCString(c, t.text);
    return JS_UNDEFINED;
}

static JSValue emu_memory(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv) { return JS_NewFloat64(c, heap_used); }

/* The UTF-8 of a string; null where it has lone surrogates, which have none. */
static JSValue emu_utf8(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    Text t;
    if (text_of(c, argv[0], &t))
        return JS_EXCEPTION;
    JSValue bytes = JS_NULL;
    size_t at = 0;
    while (at < t.len && !((uint8_t)t.text[at] == 0xED && (uint8_t)t.text[at + 1] >= 0xA0))
        at++;
    if (at == t.len)
        bytes = JS_NewUint8ArrayCopy(c, (uint8_t *)t.text, t.len);
    JS_FreeCString(c, t.text);
    return bytes;
}

/* The string of bytes that are ASCII; null where they are not. */
static JSValue emu_ascii(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    uint8_t *data;
    size_t len;
    if (bytes_of(c, argv[0], &data, &len))
        return JS_EXCEPTION;
    for (size_t at = 0; at < len; at++)
        if (data[at] > 0x7F)
            return JS_NULL;
    return JS_NewStringLen(c, (char *)data, len);
}

static JSValue namespace_of(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv, int magic, JSValue *data) { return JS_DupValue(c, data[0]); }

static JSValue emu_eval_module(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    Text name, source;
    if (text_of(c, argv[0], &name))
        return JS_EXCEPTION;
    if (text_of(c, argv[1], &source)) {
        JS_FreeCString(c, name.text);
        return JS_EXCEPTION;
    }
    JSValue module = JS_Eval(c, source.text, source.len, name.text, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    JS_FreeCString(c, name.text);
    JS_FreeCString(c, source.text);
    if (JS_IsException(module))
        return JS_EXCEPTION;
    JSModuleDef *m = JS_VALUE_GET_PTR(module);
    JSValue promise = JS_EvalFunction(c, module);
    if (JS_IsException(promise))
        return JS_EXCEPTION;
    JSValue namespace = JS_GetModuleNamespace(c, m);
    if (JS_IsException(namespace)) {
        JS_FreeValue(c, promise);
        return JS_EXCEPTION;
    }
    JSValue then = JS_NewCFunctionData(c, namespace_of, 0, 0, 1, &namespace);
    JSValue result = JS_PromiseThen(c, promise, then, JS_UNDEFINED);
    JS_FreeValue(c, promise);
    JS_FreeValue(c, namespace);
    JS_FreeValue(c, then);
    return result;
}

/* Whether a text may be a header's name (0) or its value (1): RFC 9110, 5.1 and 5.5. */
static JSValue emu_header(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv, int is_value)
{
    JSValue text = JS_ToString(c, argv[0]);
    if (JS_IsException(text))
        return JS_EXCEPTION;
    JSString *string = JS_VALUE_GET_STRING(text);
    bool allowed = is_value || string->len > 0;
    for (uint32_t i = 0; allowed && i < string->len; i++) {
        int ch = string_get(string, i);
        if (is_value)
            allowed = ch == '\t' || (ch >= 0x20 && ch != 0x7f && ch <= 0xff);
        else
            allowed = (ch | 0x20) >= 'a' && (ch | 0x20) <= 'z' || ch >= '0' && ch <= '9' || ch && ch < 0x80 && strchr("!#$%&'*+-.^_`|~", ch);
    }
    JS_FreeValue(c, text);
    return JS_NewBool(c, allowed);
}

static JSValue call_hook(const char *name, int argc, JSValue *argv);

static JSValue later_job(JSContext *c, int argc, JSValueConst *argv)
{
    JSValue before = scope;
    JSValueConst args[2] = { JS_UNDEFINED, argv[1] };
    scope = JS_DupValue(c, argv[2]);
    JSValue result = js_function_apply(c, argv[0], 2, args, 0);
    if (JS_IsException(result)) {
        JSValue error = JS_GetException(c);
        result = call_hook("uncaught", 1, &error);
    }
    JS_FreeValue(c, scope);
    scope = before;
    return result;
}

/* Calls a function with a list of arguments once what runs has ended, in the scope of now; what it throws nobody caught. */
static JSValue emu_later(JSContext *c, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValueConst args[3] = { argv[0], argv[1], scope };
    return JS_EnqueueJob(c, later_job, 3, args) ? JS_EXCEPTION : JS_UNDEFINED;
}

static const JSCFunctionListEntry natives[] = {
    JS_CFUNC_DEF("call", 3, emu_call),
    JS_CFUNC_DEF("start", 3, emu_start),
    JS_CFUNC_DEF("cancel", 1, emu_cancel),
    JS_CFUNC_DEF("now", 0, emu_now),
    JS_CFUNC_DEF("random", 1, emu_random),
    JS_CFUNC_DEF("log", 2, emu_log),
    JS_CFUNC_DEF("done", 2, emu_done),
    JS_CFUNC_DEF("memory", 0, emu_memory),
    JS_CFUNC_DEF("utf8", 1, emu_utf8),
    JS_CFUNC_DEF("ascii", 1, emu_ascii),
    JS_CFUNC_DEF("head", 2, emu_head),
    JS_CFUNC_MAGIC_DEF("isHeaderName", 1, emu_header, 0),
    JS_CFUNC_MAGIC_DEF("isHeaderValue", 1, emu_header, 1),
    JS_CFUNC_DEF("later", 2, emu_later),
    JS_CFUNC_DEF("evalModule", 2, emu_eval_module),
    JS_CFUNC_DEF("scope", 0, emu_scope),
    JS_CFUNC_DEF("setScope", 1, emu_set_scope),
};

/* Modules: the bundle's by the door, built-in ones by the runtime's hook `builtin`. */

static int set_builtin_exports(JSContext *c, JSModuleDef *m)
{
    JSValue exports = JS_GetModulePrivateValue(c, m);
    JSPropertyEnum *names;
    uint32_t len;
    bool has_default = false;
    if (JS_GetOwnPropertyNames(c, &names, &len, exports, JS_GPN_STRING_MASK)) {
        JS_FreeValue(c, exports);
        return -1;
    }
    int failed = 0;
    for (uint32_t i = 0; i < len && !failed; i++) {
        const char *name = JS_AtomToCString(c, names[i].atom);
        JSValue value = JS_GetProperty(c, exports, names[i].atom);
        has_default = has_default || (name && !strcmp(name, "default"));
        failed = !name || JS_IsException(value) || JS_SetModuleExport(c, m, name, value);
        JS_FreeCString(c, name);
    }
    if (!failed && !has_default)
        failed = JS_SetModuleExport(c, m, "default", JS_DupValue(c, exports));
    JS_FreePropertyEnum(c, names, len);
    JS_FreeValue(c, exports);
    return failed ? -1 : 0;
}

static JSModuleDef *make_builtin(JSContext *c, const char *name, JSValue exports)
{
    JSPropertyEnum *names;
    uint32_t len;
    bool has_default = false;
    JSModuleDef *m = JS_NewCModule(c, name, set_builtin_exports);
    if (!m || JS_GetOwnPropertyNames(c, &names, &len, exports, JS_GPN_STRING_MASK)) {
        JS_FreeValue(c, exports);
        return NULL;
    }
    for (uint32_t i = 0; i < len; i++) {
        const char *export = JS_AtomToCString(c, names[i].atom);
        has_default = has_default || (export && !strcmp(export, "default"));
        if (!export || JS_AddModuleExport(c, m, export))
            m = NULL;
        JS_FreeCString(c, export);
        if (!m)
            break;
    }
    JS_FreePropertyEnum(c, names, len);
    if (m && !has_default && JS_AddModuleExport(c, m, "default"))
        m = NULL;
    if (m)
        JS_SetModulePrivateValue(c, m, exports);
    else
        JS_FreeValue(c, exports);
    return m;
}

static int set_import_meta(JSContext *c, JSModuleDef *m, const char *name)
{
    JSValue meta = JS_GetImportMeta(c, m);
    if (JS_IsException(meta))
        return -1;
    char *url = js_malloc(c, strlen(name) + 32);
    if (!url) {
        JS_FreeValue(c, meta);
        return -1;
    }
    strcpy(url, "file:///var/task/");
    strcat(url, name);
    JS_DefinePropertyValueStr(c, meta, "url", JS_NewString(c, url), JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(c, meta, "filename", JS_NewString(c, url + 7), JS_PROP_C_W_E);
    char *slash = strrchr(url, '/');
    JS_DefinePropertyValueStr(c, meta, "dirname", JS_NewStringLen(c, url + 7, slash - url - 7), JS_PROP_C_W_E);
    js_free(c, url);
    JS_FreeValue(c, meta);
    return 0;
}

static JSModuleDef *load_module(JSContext *c, const char *name, void *opaque)
{
    int32_t len = door_source(name, strlen(name));
    if (len >= 0) {
        char *source = js_malloc(c, len + 1);
        if (!source)
            return NULL;
        door_take(source, NULL);
        source[len] = 0;
        JSValue module = JS_Eval(c, source, len, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
        js_free(c, source);
        if (JS_IsException(module))
            return NULL;
        JSModuleDef *m = JS_VALUE_GET_PTR(module);
        /* The context keeps its modules: this reference is not needed. */
        JS_FreeValue(c, module);
        return set_import_meta(c, m, name) ? NULL : m;
    }
    JSValue hook = JS_GetPropertyStr(c, emu, "builtin");
    JSValue exports = JS_UNDEFINED;
    if (JS_IsFunction(c, hook)) {
        JSValue arg = JS_NewString(c, name);
        exports = JS_Call(c, hook, emu, 1, (JSValueConst *)&arg);
        JS_FreeValue(c, arg);
    }
    JS_FreeValue(c, hook);
    if (JS_IsException(exports))
        return NULL;
    if (JS_IsObject(exports))
        return make_builtin(c, name, exports);
    JS_FreeValue(c, exports);
    JSValue error = JS_NewError(c);
    char message[512];
    snprintf(message, sizeof message, "Cannot find module '%s'", name);
    JS_DefinePropertyValueStr(c, error, "message", JS_NewString(c, message), JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JS_DefinePropertyValueStr(c, error, "code", JS_NewString(c, "ERR_MODULE_NOT_FOUND"), JS_PROP_C_W_E);
    JS_Throw(c, error);
    return NULL;
}

/* Failures. */

static void set_text(JSValue object, const char *key, JSValueConst from, const char *property, const char *otherwise)
{
    JSValue v = property ? JS_GetPropertyStr(ctx, from, property) : JS_DupValue(ctx, from);
    JSValue text = JS_IsException(v) || JS_IsUndefined(v) || JS_IsNull(v) ? JS_EXCEPTION : JS_ToString(ctx, v);
    JS_FreeValue(ctx, v);
    if (JS_IsException(text)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        text = JS_NewString(ctx, otherwise);
    }
    JS_DefinePropertyValueStr(ctx, object, key, text, JS_PROP_C_W_E);
}

/* Ends the invocation with this error, unless it has ended. Takes the value. */
static void fail_with(JSValue error, const char *kind)
{
    if (finished) {
        JS_FreeValue(ctx, error);
        return;
    }
    finished = 1;
    JSValue report = JS_NewObject(ctx);
    if (JS_IsObject(error)) {
        set_text(report, "errorType", error, "name", "Error");
        set_text(report, "errorMessage", error, "message", "");
        set_text(report, "stack", error, "stack", "");
    } else {
        set_text(report, "errorMessage", error, NULL, "");
        set_text(report, "errorType", JS_UNDEFINED, "", "Error");
    }
    if (kind)
        JS_DefinePropertyValueStr(ctx, report, "kind", JS_NewString(ctx, kind), JS_PROP_C_W_E);
    JS_FreeValue(ctx, error);
    JSValue json = JS_JSONStringify(ctx, report, JS_UNDEFINED, JS_UNDEFINED);
    JS_FreeValue(ctx, report);
    Text t;
    if (!JS_IsException(json) && !text_of(ctx, json, &t)) {
        door_done(0, t.text, t.len);
        JS_FreeCString(ctx, t.text);
    } else {
        static const char lost[] = "{\"errorType\":\"Error\",\"errorMessage\":\"\"}";
        JS_FreeValue(ctx, JS_GetException(ctx));
        door_done(0, lost, sizeof lost - 1);
    }
    JS_FreeValue(ctx, json);
}

static void fail_with_exception(const char *kind) { fail_with(JS_GetException(ctx), kind); }

static void on_rejection(JSContext *c, JSValueConst promise, JSValueConst reason, bool is_handled, void *opaque)
{
    if (is_handled) {
        for (int i = 0; i < rejections_len; i++) {
            if (JS_VALUE_GET_PTR(rejections[i].promise) == JS_VALUE_GET_PTR(promise)) {
                JS_FreeValue(c, rejections[i].promise);
                JS_FreeValue(c, rejections[i].reason);
                rejections[i] = rejections[--rejections_len];
                return;
            }
        }
        return;
    }
    if (rejections_len == rejections_cap) {
        int cap = rejections_cap ? rejections_cap * 2 : 8;
        Rejection *more = js_realloc(c, rejections, cap * sizeof *more);
        if (!more) {
            JS_FreeValue(c, JS_GetException(c));
            return;
        }
        rejections = more;
        rejections_cap = cap;
    }
    rejections[rejections_len++] = (Rejection){ JS_DupValue(c, promise), JS_DupValue(c, reason) };
}

/* Calls a hook of the runtime, freeing the arguments. JS_UNDEFINED where there is no such hook. */
static JSValue call_hook(const char *name, int argc, JSValue *argv)
{
    JSValue hook = JS_GetPropertyStr(ctx, emu, name), result = JS_UNDEFINED;
    for (int i = 0; i < argc; i++) {
        if (JS_IsException(argv[i]))
            result = JS_EXCEPTION;
    }
    if (!JS_IsException(result) && JS_IsFunction(ctx, hook))
        result = JS_Call(ctx, hook, emu, argc, (JSValueConst *)argv);
    JS_FreeValue(ctx, hook);
    for (int i = 0; i < argc; i++)
        JS_FreeValue(ctx, argv[i]);
    return result;
}

/* Runs jobs until none is left; a promise rejected without a handler by then ends the invocation, as in Node. */
static void settle(void)
{
    JSContext *c;
    /* What an entry ran directly may have left its scope. */
    JSValue before = scope;
    scope = JS_UNDEFINED;
    JS_FreeValue(ctx, before);
    for (;;) {
        int r;
        while ((r = JS_ExecutePendingJob(rt, &c)) > 0)
            ;
        if (r < 0) {
            fail_with_exception(NULL);
            continue;
        }
        if (!rejections_len)
            return;
        Rejection first = rejections[0];
        for (int i = 1; i < rejections_len; i++)
            rejections[i - 1] = rejections[i];
        rejections_len--;
        /* The runtime may know a listener (process.on("unhandledRejection")): it answers true where there was one. */
        JSValue args[2] = { JS_DupValue(ctx, first.reason), first.promise };
        JSValue heard = call_hook("rejected", 2, args);
        if (JS_IsException(heard))
            fail_with_exception(NULL);
        else if (!JS_ToBool(ctx, heard))
            fail_with(JS_DupValue(ctx, first.reason), "Runtime.UnhandledPromiseRejection");
        JS_FreeValue(ctx, heard);
        JS_FreeValue(ctx, first.reason);
    }
}

/* Entries. Each runs the jobs that it caused. */

/* Makes the engine. `stack_len`: bytes of C stack that JavaScript may use. */
ENTRY(boot) void boot(uint32_t stack_len)
{
    for (int i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; i++)
        init_list_head(&arenas_aside[i]);
    rt = JS_NewRuntime2(&heap_functions, NULL);
    JS_SetMaxStackSize(rt, stack_len);
    JS_SetCanBlock(rt, false);
    ctx = JS_NewContext(rt);
    JS_SetModuleLoaderFunc(rt, NULL, load_module, NULL);
    JS_SetHostPromiseRejectionTracker(rt, on_rejection, NULL);
    evaluation = JS_UNDEFINED;
    JSValue global = JS_GetGlobalObject(ctx);
    JSValue math = JS_GetPropertyStr(ctx, global, "Math");
    JS_DefinePropertyValueStr(ctx, math, "random", JS_NewCFunction(ctx, math_random, "random", 0), JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JS_FreeValue(ctx, math);
    emu = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, emu, natives, countof(natives));
    JS_DefinePropertyValueStr(ctx, global, "__emu", JS_DupValue(ctx, emu), JS_PROP_CONFIGURABLE);
    JS_FreeValue(ctx, global);
}

/* Evaluates a script of the runtime: name and source, each ended by a zero byte. Ends in `done` where it throws. */
ENTRY(script) void script(char *text, uint32_t name_len, uint32_t source_len)
{
    finished = 0;
    JSValue v = JS_Eval(ctx, text + name_len + 1, source_len, text, JS_EVAL_TYPE_GLOBAL);
    if (JS_IsException(v))
        fail_with_exception(NULL);
    JS_FreeValue(ctx, v);
    release(text);
    settle();
}

/* Takes `__emu` from the global object: from here on only the runtime holds it. */
ENTRY(seal) void seal(void)
{
    JSValue global = JS_GetGlobalObject(ctx);
    JSAtom name = JS_NewAtom(ctx, "__emu");
    JS_DeleteProperty(ctx, global, name, 0);
    JS_FreeAtom(ctx, name);
    JS_FreeValue(ctx, global);
    learn_regexps(ctx);
    JS_RunGC(rt);
    freeze();
}

/* Tells the runtime what is about to be loaded. */
ENTRY(load) void load(char *text, uint32_t len)
{
    finished = 0;
    JSValue arg = JS_NewStringLen(ctx, text, len);
    release(text);
    JSValue v = call_hook("load", 1, &arg);
    if (JS_IsException(v))
        fail_with_exception(NULL);
    JS_FreeValue(ctx, v);
    settle();
}

/* Compiles a module of the bundle and all that it imports, evaluating nothing. Ends in `done` where that fails. */
ENTRY(compile) void compile(char *name)
{
    finished = 0;
    JSAtom atom = JS_NewAtom(ctx, name);
    entry = js_find_loaded_module(ctx, atom, JS_UNDEFINED);
    JS_FreeAtom(ctx, atom);
    if (!entry)
        entry = load_module(ctx, name, NULL);
    release(name);
    if (!entry || js_resolve_module(ctx, entry))
        fail_with_exception("load");
}

/* Evaluates the module compiled last. */
ENTRY(evaluate) void evaluate(void)
{
    finished = 0;
    JSValue module = JS_DupValue(ctx, JS_MKPTR(JS_TAG_MODULE, entry));
    JS_FreeValue(ctx, evaluation);
    evaluation = JS_EvalFunction(ctx, module);
    if (JS_IsException(evaluation)) {
        evaluation = JS_UNDEFINED;
        fail_with_exception(NULL);
        return;
    }
    /* Its failure is reported by `settled`. */
    JS_PromiseMarkAsHandled(ctx, evaluation);
    settle();
}

/* Whether the module evaluated last has ended: 0 not yet, 1 it has, 2 it threw (and `done` was called). */
ENTRY(settled) int32_t settled(void)
{
    if (!JS_IsPromise(evaluation))
        return 1;
    switch (JS_PromiseState(ctx, evaluation)) {
    case JS_PROMISE_PENDING:
        return 0;
    case JS_PROMISE_REJECTED:
        fail_with(JS_PromiseResult(ctx, evaluation), NULL);
        return 2;
    default:
        return 1;
    }
}

/* Hands the namespace of the module evaluated last to the runtime, and gives its exports to `done`: a JSON list of their names, those
 * of a CommonJS default export too. */
ENTRY(adopt) void adopt(void)
{
    finished = 0;
    JSValue namespace = JS_GetModuleNamespace(ctx, entry);
    if (JS_IsException(namespace)) {
        fail_with_exception(NULL);
        return;
    }
    JS_DefinePropertyValueStr(ctx, emu, "entry", JS_DupValue(ctx, namespace), JS_PROP_C_W_E);
    JSValue list = JS_NewArray(ctx), inner = JS_GetPropertyStr(ctx, namespace, "default");
    uint32_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        JSValueConst from = pass ? inner : namespace;
        JSPropertyEnum *names;
        uint32_t len;
        if (!JS_IsObject(from) || JS_GetOwnPropertyNames(ctx, &names, &len, from, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
            continue;
        for (uint32_t i = 0; i < len && n < 1000; i++)
            JS_SetPropertyUint32(ctx, list, n++, JS_AtomToString(ctx, names[i].atom));
        JS_FreePropertyEnum(ctx, names, len);
    }
    JS_FreeValue(ctx, inner);
    JS_FreeValue(ctx, namespace);
    JS_FreeValue(ctx, JS_GetException(ctx));
    JSValue json = JS_JSONStringify(ctx, list, JS_UNDEFINED, JS_UNDEFINED);
    JS_FreeValue(ctx, list);
    Text t;
    if (!JS_IsException(json) && !text_of(ctx, json, &t)) {
        door_done(1, t.text, t.len);
        JS_FreeCString(ctx, t.text);
    }
    JS_FreeValue(ctx, json);
}

/* Collects garbage, so that an image holds what is needed and no more, and makes what is left part of the image. */
ENTRY(tidy) void tidy(void)
{
    JS_RunGC(rt);
    freeze();
}

/* Sets how many more bytes may be allocated from here on; 0: no limit. */
ENTRY(bound) void bound(uint32_t more) { heap_limit = more ? heap_used + more : 0; }

/* Tells the runtime that this is a new sandbox: what `begin` is told, JSON. */
ENTRY(begin) int32_t begin(char *text, uint32_t len)
{
    finished = 0;
    JSValue arg = JS_NewStringLen(ctx, text, len);
    release(text);
    JSValue v = call_hook("begin", 1, &arg);
    if (JS_IsException(v))
        fail_with_exception(NULL);
    JS_FreeValue(ctx, v);
    settle();
    return finished;
}

/* Begins an invocation: what `begin` is told (where not empty: this is a new sandbox), the event, the context; each JSON, and ended by a zero
 * byte. */
ENTRY(invoke) int32_t invoke(char *text, uint32_t begin_len, uint32_t event_len, uint32_t context_len)
{
    finished = 0;
    JSValue begin = begin_len ? JS_NewStringLen(ctx, text, begin_len) : JS_UNDEFINED;
    const char *event = text + begin_len + 1;
    JSValue args[2] = { json_parse(ctx, event, event_len), json_parse(ctx, event + event_len + 1, context_len) };
    release(text);
    JSValue v = JS_UNDEFINED;
    if (begin_len) {
        v = call_hook("begin", 1, &begin);
        if (JS_IsException(v)) {
            JS_FreeValue(ctx, args[0]);
            JS_FreeValue(ctx, args[1]);
        }
        JS_FreeValue(ctx, v);
    }
    if (!JS_IsException(v))
        v = call_hook("invoke", 2, args);
    if (JS_IsException(v))
        fail_with_exception(NULL);
    JS_FreeValue(ctx, v);
    settle();
    return finished;
}

/* A started operation has ended. `data_len` is negative where there are no bytes. */
ENTRY(complete) int32_t complete(int32_t id, int32_t ok, char *text, uint32_t meta_len, int32_t data_len)
{
    JSValue args[4] = {
        JS_NewInt32(ctx, id),
        JS_NewBool(ctx, ok),
        JS_NewStringLen(ctx, text, meta_len),
        data_len < 0 ? JS_NULL : JS_NewUint8ArrayCopy(ctx, (uint8_t *)text + meta_len, data_len),
    };
    release(text);
    JSValue v = call_hook("complete", 4, args);
    if (JS_IsException(v))
        fail_with_exception("Runtime.UnhandledException");
    JS_FreeValue(ctx, v);
    settle();
    return finished;
}
