/*
 * Claims about libskein that need a cluster:
 *
 *     skein-library-claims list
 *     skein-library-claims ENDPOINTS CLAIM
 *
 * tests/integration/test_library.py starts the cluster and runs each claim in a process of its own.
 */
#include "tests/integration/library_claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 20000, JSON_SIZE = 1024 };

void expect(bool is_true, const char *file, int line, const char *what)
{
    if (!is_true) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
        exit(EXIT_FAILURE);
    }
}

void expect_status(enum skein_status status, enum skein_status expected,
                   const struct skein_error *error, const char *what)
{
    if (status != expected) {
        fprintf(stderr, "%s ended with %s instead of %s: %s\n", what, skein_status_name(status),
                skein_status_name(expected), error == NULL ? "" : error->message);
        exit(EXIT_FAILURE);
    }
}

struct skein_call stage_call(const struct stage *stage)
{
    return (struct skein_call){.timeout_ms = stage->timeout_ms};
}

struct skein_key stage_key(const struct stage *stage, const char *id)
{
    return (struct skein_key){.collection = stage->collection, .id = skein_text_id(id)};
}

void stage_put(const struct stage *stage, struct skein *skein, const char *id, const char *json)
{
    struct skein_call call = stage_call(stage);
    struct skein_key key = stage_key(stage, id);
    struct skein_document document;
    EXPECT(skein_document_from_json(json, &document, NULL) == SKEIN_ok);
    enum skein_status status = skein_put(skein, &call, &key, skein_document_bytes(&document));
    expect_status(status, SKEIN_ok, &call.error, "a put");
    skein_document_release(&document);
}

void stage_insert(const struct stage *stage, struct skein *skein, int64_t id, const char *json)
{
    struct skein_call call = stage_call(stage);
    struct skein_id number = skein_integer_id(id);
    struct skein_document document;
    EXPECT(skein_document_from_json(json, &document, NULL) == SKEIN_ok);
    enum skein_status status = skein_insert(skein, &call, stage->collection, &number,
                                            skein_document_bytes(&document));
    expect_status(status, SKEIN_ok, &call.error, "an insert");
    skein_document_release(&document);
}

int64_t stage_number(const struct stage *stage, struct skein *skein, const char *id)
{
    struct skein_call call = stage_call(stage);
    struct skein_key key = stage_key(stage, id);
    struct skein_document document;
    enum skein_status status = skein_get(skein, &call, &key, &document);
    if (status != SKEIN_absent) {
        expect_status(status, SKEIN_ok, &call.error, "a get");
    }
    int64_t number = number_of(&document);
    skein_document_release(&document);
    return number;
}

int64_t number_of(const struct skein_document *document)
{
    char *json = NULL;
    if (document->data == NULL) {
        return -1;
    }
    EXPECT(skein_bytes_to_json(skein_document_bytes(document), &json) == SKEIN_ok);
    const char *field = strstr(json, "\"n\":");
    EXPECT(field != NULL);
    int64_t number = strtoll(field + 4, NULL, 10);
    free(json);
    return number;
}

struct skein_interactive *stage_begin(const struct stage *stage)
{
    struct skein_call call = stage_call(stage);
    struct skein_interactive *interactive;
    expect_status(skein_begin(stage->skein, &call, &interactive), SKEIN_ok, &call.error, "a begin");
    return interactive;
}

int64_t interactive_number(const struct stage *stage, struct skein_interactive *interactive,
                           const char *id, enum skein_status expected)
{
    struct skein_key key = stage_key(stage, id);
    struct skein_document document;
    enum skein_status status = skein_interactive_get(interactive, &key, &document);
    expect_status(status, expected, skein_interactive_error(interactive), id);
    EXPECT(skein_interactive_error(interactive)->status == expected);
    int64_t number = number_of(&document);
    skein_document_release(&document);
    return number;
}

void interactive_write(const struct stage *stage, struct skein_interactive *interactive,
                       const char *op, const char *id, const char *fields)
{
    char json[JSON_SIZE];
    snprintf(json, sizeof json, "{\"op\": \"%s\", \"collection\": \"%s\", \"id\": \"%s\"%s%s}", op,
             stage->collection, id, fields[0] == '\0' ? "" : ", ", fields);
    skein_transaction_json(skein_interactive_writes(interactive), json);
}

struct skein_error interactive_end(const struct stage *stage,
                                   struct skein_interactive **take_interactive,
                                   enum skein_status expected)
{
    struct skein_call call = stage_call(stage);
    enum skein_status status = skein_interactive_commit(*take_interactive, &call, NULL);
    expect_status(status, expected, &call.error, "a commit");
    skein_interactive_destroy(take_interactive);
    return call.error;
}

static const struct claim *const CLAIMS[] = {FIND_CLAIMS, INTERACTIVE_CLAIMS, RUN_CLAIMS};

enum { LIST_COUNT = sizeof CLAIMS / sizeof *CLAIMS };

static void list_claims(void)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        for (const struct claim *claim = CLAIMS[i]; claim->name != NULL; claim++) {
            puts(claim->name);
        }
    }
}

static const struct claim *find_claim(const char *name)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        for (const struct claim *claim = CLAIMS[i]; claim->name != NULL; claim++) {
            if (strcmp(claim->name, name) == 0) {
                return claim;
            }
        }
    }
    fprintf(stderr, "no claim is called %s\n", name);
    exit(EXIT_FAILURE);
}

static struct skein *connect_to(const char *endpoints)
{
    struct skein_options options = {.endpoints = endpoints};
    struct skein *skein;
    EXPECT(skein_connect(&options, &skein) == SKEIN_ok);
    EXPECT(skein_wait(skein, TIMEOUT_MS) == SKEIN_ok);
    return skein;
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "list") == 0) {
        list_claims();
        return EXIT_SUCCESS;
    }
    if (count != 3) {
        fputs("skein-library-claims list | ENDPOINTS CLAIM\n", stderr);
        return EXIT_FAILURE;
    }
    char collection[32];
    snprintf(collection, sizeof collection, "claim%d", (int)getpid());
    struct stage stage = {.skein = connect_to(words[1]),
                          .other = connect_to(words[1]),
                          .collection = collection,
                          .timeout_ms = TIMEOUT_MS};
    find_claim(words[2])->run(&stage);
    skein_close(&stage.other);
    skein_close(&stage.skein);
    return EXIT_SUCCESS;
}
