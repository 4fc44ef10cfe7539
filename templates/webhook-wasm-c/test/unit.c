// The webhook without HTTP: rows of what is delivered and what is answered.
#include <stdio.h>
#include <string.h>

#include "../src/json.h"
#include "../src/signature.h"
#include "../src/webhook.h"

static int failed;

static void check(int holds, const char *what, const char *found) {
    if (holds) return;
    failed++;
    fprintf(stderr, "failed: %s: %s\n", what, found);
}

static struct answer deliver(const char *kind, const char *body, const char *signature) {
    struct delivery delivery = {.kind = kind, .signature = signature, .body = body, .length = strlen(body)};
    return answer(&delivery, "secret");
}

static void deliveries(void) {
    static const struct {
        const char *kind, *body;
        int status;
        const char *text;
    } rows[] = {
        {"ping", "{}", 200, "pong"},
        {"push", "{\"ref\":\"refs/heads/main\",\"repository\":{\"full_name\":\"ada/engine\"},\"commits\":[{},{\"id\":[1,2]}]}", 202,
         "2 commits to refs/heads/main of ada/engine"},
        {"push", " { \"commits\" : [ ] , \"ref\":\"caf\\u00e9 \\ud83d\\ude00\", \"repository\":{\"full_name\":\"a\\/b\"} } ", 202,
         "0 commits to caf\xc3\xa9 \xf0\x9f\x98\x80 of a/b"},
        {"push", "{", 400, "the body cannot be read"},
        {"push", "{\"ref\":1}", 400, "the body cannot be read"},
        {"star", "{}", 202, "nothing to do"},
        {NULL, "", 202, "nothing to do"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char signature[SIGNATURE_SIZE];
        signature_sign(rows[i].body, strlen(rows[i].body), "secret", signature);
        struct answer said = deliver(rows[i].kind, rows[i].body, signature);
        check(said.status == rows[i].status && strcmp(said.text, rows[i].text) == 0, rows[i].body, said.text);
        signature[20] ^= 1;
        check(deliver(rows[i].kind, rows[i].body, signature).status == 401, "a wrong signature", signature);
    }
    check(deliver("ping", "{}", NULL).status == 401, "no signature", "");
    check(deliver("ping", "{}", "sha256=").status == 401, "a short signature", "");
}

// Test case 2 of RFC 4231, and a key that is longer than a block (case 6).
static void signatures(void) {
    char key[132], signature[SIGNATURE_SIZE];
    memset(key, 0xaa, 131);
    key[131] = '\0';
    const char *text = "what do ya want for nothing?";
    signature_sign(text, strlen(text), "Jefe", signature);
    check(strcmp(signature, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843") == 0, "HMAC", signature);
    text = "Test Using Larger Than Block-Size Key - Hash Key First";
    signature_sign(text, strlen(text), key, signature);
    check(strcmp(signature, "sha256=60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54") == 0, "HMAC", signature);
}

static void texts(void) {
    static const char *const broken[] = {"", "[", "[1,]", "{\"a\"}", "{\"a\":1,}", "\"\\x\"", "\"a", "01", "1.", "nul", "[] []", "\"\\u12\"", "\"\n\""};
    static const char *const whole[] = {"0", "-1.5e+9", "[]", "[1, [2, {\"a\": null}]]", "\"\\\\\\\"\"", "{\"a\":true,\"b\":false}"};
    struct json value;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) check(!json_parse(broken[i], strlen(broken[i]), &value), "it is no JSON", broken[i]);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) check(json_parse(whole[i], strlen(whole[i]), &value), "it is JSON", whole[i]);
    char deep[4096];
    memset(deep, '[', sizeof deep);
    check(!json_parse(deep, sizeof deep, &value), "it is too deep", "[[[…");
}

int main(void) {
    deliveries();
    signatures();
    texts();
    printf(failed ? "%d failed\n" : "unit tests passed\n", failed);
    return failed != 0;
}
