/*
 * What looking into documents costs: checking, conditions, patches and digests, on a document of
 * about 256 bytes and with two fields each. Prints the best of many batches, since the machine does
 * other things, too.
 */
#include "base/assert.h"
#include "tests/bench/bench_clock.h"
#include "wire/document/document.h"
#include "wire/document/find_digest.h"
#include "wire/document/patch.h"
#include "wire/document/predicate.h"
#include "wire/json.h"

#include <stdio.h>

enum { BATCHES = 500, BATCH = 2000 };

static const char DOCUMENT[] =
    "{\"address\": {\"city\": \"Kiel\", \"street\": \"Holstenstrasse 12\", \"zip\": \"24103\"},"
    " \"created\": {\"$time\": \"2023-11-14T22:13:20.123456Z\"},"
    " \"email\": \"somebody@example.org\","
    " \"items\": [{\"n\": 1, \"sku\": \"A-1001\"}, {\"n\": 2, \"sku\": \"B-2002\"}],"
    " \"name\": \"Some Body\", \"note\": \"a note that makes it longer, somewhat longer still\","
    " \"state\": \"paid\", \"stock\": 17, \"total\": 99.5, \"verified\": true}";
static const char WHERE[] = "{\"stock\": {\"$gte\": 2}, \"state\": {\"$in\": [\"new\", \"paid\"]}}";
static const char PATCH[] = "{\"stock\": {\"$inc\": -1, \"min\": 0}, \"state\": \"new\"}";

struct bench {
    struct buffer document;
    struct buffer where;
    struct buffer patch;
    struct buffer out;
};

static void append_json(const char *json, struct buffer *out)
{
    AUTO(buffer_release) struct buffer raw = {0};
    struct json_fault fault;
    ASSERT(json_to_msgpack(bytes_from_text(json), &raw, &fault) == STATUS_ok);
    ASSERT(document_canonicalize(buffer_bytes(&raw), out, NULL) == STATUS_ok);
}

static void bench_init(struct bench *bench)
{
    *bench = (struct bench){0};
    append_json(DOCUMENT, &bench->document);
    append_json(WHERE, &bench->where);
    append_json(PATCH, &bench->patch);
}

static void bench_release(struct bench *bench)
{
    buffer_release(&bench->document);
    buffer_release(&bench->where);
    buffer_release(&bench->patch);
    buffer_release(&bench->out);
}

static void check_form(struct bench *bench)
{
    ASSERT(document_is_canonical(buffer_bytes(&bench->document)));
}

static void check_predicate(struct bench *bench)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    ASSERT(predicate_check(buffer_bytes(&bench->where), sentence) == STATUS_ok);
}

static void evaluate(struct bench *bench)
{
    ASSERT(predicate_holds(buffer_bytes(&bench->where), buffer_bytes(&bench->document)));
}

static void read_bounds(struct bench *bench)
{
    struct predicate_bounds bounds;
    predicate_bounds(buffer_bytes(&bench->where), bytes_from_text("stock"), &bounds);
    ASSERT(bounds.has_low);
}

static void check_patch(struct bench *bench)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    ASSERT(patch_check(buffer_bytes(&bench->patch), sentence) == STATUS_ok);
}

static void apply_patch(struct bench *bench)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    buffer_clear(&bench->out);
    ASSERT(patch_apply(buffer_bytes(&bench->patch), buffer_bytes(&bench->document), 0, &bench->out,
                       sentence) == STATUS_ok);
}

static void add_to_digest(struct bench *bench)
{
    struct document_id id = {.is_text = true,
                             .text = bytes_from_text("01HV2N3Q4R5S6T7V8W9X0YZABC")};
    ASSERT(find_digest_add(bench->document.size, &id, 1) != 0);
}

static void measure(const char *name, void (*step)(struct bench *), struct bench *bench)
{
    double best = 1e18;
    for (unsigned i = 0; i < BATCHES; i++) {
        double begin = clock_s(CLOCK_MONOTONIC);
        for (unsigned k = 0; k < BATCH; k++) {
            step(bench);
        }
        double each = (clock_s(CLOCK_MONOTONIC) - begin) * 1e9 / BATCH;
        best = each < best ? each : best;
    }
    printf("%-32s %6.0f ns\n", name, best);
}

int main(void)
{
    AUTO(bench_release) struct bench bench;
    bench_init(&bench);
    printf("document of %zu bytes, where of %zu, patch of %zu\n", bench.document.size,
           bench.where.size, bench.patch.size);
    measure("document_is_canonical", check_form, &bench);
    measure("predicate_check", check_predicate, &bench);
    measure("predicate_holds", evaluate, &bench);
    measure("predicate_bounds", read_bounds, &bench);
    measure("patch_check", check_patch, &bench);
    measure("patch_apply", apply_patch, &bench);
    measure("find_digest_add", add_to_digest, &bench);
    return 0;
}
