/*
 * Patches against trees on which each pair is done by itself, one after another, over random
 * documents and patches of a small world; then both sides of each limit, and the sentences.
 */
#include "wire/document/patch.h"

#include "tests/unit/fixture_patch.h"
#include "tests/unit/fixture_value.h"
#include "wire/document/document.h"
#include "wire/json.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <stdio.h>

// A document, a patch and what the patch makes of it. What is appended follows "before".
struct scene {
    struct grove grove;
    struct tree *document;
    struct tree *patch;
    struct buffer document_bytes;
    struct buffer patch_bytes;
    struct buffer expected;
    struct buffer out;
};

static void scene_release(struct scene *scene)
{
    grove_release(&scene->grove);
    buffer_release(&scene->document_bytes);
    buffer_release(&scene->patch_bytes);
    buffer_release(&scene->expected);
    buffer_release(&scene->out);
}

static void scene_make(struct scene *scene, struct random *random)
{
    scene->document = tree_random_map(&scene->grove, random, 4);
    scene->patch = tree_random_patch(&scene->grove, random, scene->document);
    tree_write(scene->document, &scene->document_bytes);
    tree_write(scene->patch, &scene->patch_bytes);
    buffer_append(&scene->expected, bytes_from_text("before"));
    buffer_append(&scene->out, bytes_from_text("before"));
}

static enum status scene_apply(struct scene *scene, char sentence[ERROR_MESSAGE_SIZE_MAX])
{
    cr_assert_eq(patch_check(buffer_bytes(&scene->patch_bytes), sentence), STATUS_ok, "%s",
                 sentence);
    return patch_apply(buffer_bytes(&scene->patch_bytes), buffer_bytes(&scene->document_bytes),
                       PATCH_TIME_US, &scene->out, sentence);
}

Test(patch, makes_what_its_pairs_make_one_by_one)
{
    struct random random;
    unsigned done = 0;
    random_init(&random, 1);
    for (unsigned i = 0; i < 300000; i++) {
        AUTO(scene_release) struct scene scene = {0};
        char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
        scene_make(&scene, &random);
        enum status status = scene_apply(&scene, sentence);
        unsigned failures = tree_patch(scene.document, scene.patch, &scene.grove);
        if (failures == 0) {
            cr_assert_eq(status, STATUS_ok, "patch %u %s", i, sentence);
            tree_write(scene.document, &scene.expected);
            done++;
        } else {
            cr_assert((failures & 1u << status) != 0, "patch %u: %s", i, status_name(status));
            cr_assert_neq(sentence[0], 0);
        }
        cr_assert(bytes_equal(buffer_bytes(&scene.out), buffer_bytes(&scene.expected)), "patch %u",
                  i);
        struct bytes made = bytes_of(scene.out.data + 6, scene.out.size - 6);
        cr_assert(failures != 0 || document_is_canonical(made), "patch %u", i);
    }
    cr_assert(done > 100000 && done < 280000, "%u went through", done);
}

static void append_json(const char *json, struct buffer *out)
{
    AUTO(buffer_release) struct buffer raw = {0};
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), &raw, &fault), STATUS_ok, "%s: %s", json,
                 fault.sentence);
    cr_assert_eq(document_canonicalize(buffer_bytes(&raw), out, NULL), STATUS_ok);
}

// Applies a patch in JSON to a document in JSON and leaves what it makes in `out` as JSON.
static enum status apply(const char *patch, const char *document, struct buffer *out,
                         char sentence[ERROR_MESSAGE_SIZE_MAX])
{
    AUTO(scene_release) struct scene scene = {0};
    append_json(patch, &scene.patch_bytes);
    append_json(document, &scene.document_bytes);
    enum status status = scene_apply(&scene, sentence);
    if (status == STATUS_ok) {
        struct cursor cursor = cursor_of(buffer_bytes(&scene.out));
        cr_assert(document_is_canonical(buffer_bytes(&scene.out)));
        cr_assert_eq(json_from_msgpack(&cursor, out), STATUS_ok);
    }
    return status;
}

static void expect_made(const char *patch, const char *document, const char *expected)
{
    AUTO(buffer_release) struct buffer out = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    cr_assert_eq(apply(patch, document, &out, sentence), STATUS_ok, "%s: %s", patch, sentence);
    cr_assert(bytes_equal(buffer_bytes(&out), bytes_from_text(expected)), "%s: %.*s", patch,
              (int)out.size, (const char *)out.data);
}

static void expect_failed(const char *patch, const char *document, enum status expected,
                          const char *expected_sentence)
{
    AUTO(buffer_release) struct buffer out = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    enum status status = apply(patch, document, &out, sentence);
    cr_assert_eq(status, expected, "%s: %s", patch, status_name(status));
    cr_assert_str_eq(sentence, expected_sentence);
}

Test(patch, reads_as_in_its_header)
{
    expect_made("{\"address.city\": \"Kiel\", \"note\": {\"$unset\": true},"
                " \"stock\": {\"$inc\": -2, \"min\": 0}}",
                "{\"note\": 1, \"stock\": 2}", "{\"address\":{\"city\":\"Kiel\"},\"stock\":0}");
    expect_made("{\"t\": {\"$now\": true}}", "{}",
                "{\"t\":{\"$time\":\"2023-11-14T22:13:20.123456Z\"}}");
    expect_made("{\"a\": {\"x\": 1}}", "{\"a\": {\"y\": 2}}", "{\"a\":{\"x\":1}}");
    expect_made("{}", "{\"a\": 1}", "{\"a\":1}");
}

Test(patch, makes_no_map_for_what_only_takes_away)
{
    expect_made("{\"a.b.c\": {\"$unset\": true}, \"a.x\": {\"$pull\": 1}}", "{}", "{}");
    expect_made("{\"a.b.c\": {\"$unset\": true}, \"a.x\": 1}", "{}", "{\"a\":{\"x\":1}}");
    expect_made("{\"a.b\": {\"$unset\": true}}", "{\"a\": {\"b\": 1}}", "{\"a\":{}}");
    expect_made("{\"a.b\": {\"$unset\": true}}", "{\"a\": 5}", "{\"a\":5}");
}

Test(patch, changes_elements_of_arrays_in_their_order)
{
    const char *eleven = "{\"a\": [0,1,2,3,4,5,6,7,8,9,10]}";
    expect_made("{\"a.10\": \"x\", \"a.2\": \"y\"}", eleven,
                "{\"a\":[0,1,\"y\",3,4,5,6,7,8,9,\"x\"]}");
    expect_made("{\"a.10\": {\"$unset\": true}, \"a.2\": {\"$unset\": true}, \"a.0\": \"z\"}",
                eleven, "{\"a\":[\"z\",1,3,4,5,6,7,8,9]}");
    expect_made("{\"a.1.b\": 2, \"a.0.c\": 3}", "{\"a\": [{}, {\"b\": 1}]}",
                "{\"a\":[{\"c\":3},{\"b\":2}]}");
    expect_made("{\"a.11\": {\"$unset\": true}, \"a.x\": {\"$unset\": true}}", "{\"a\": [1]}",
                "{\"a\":[1]}");
}

Test(patch, goes_through_names_that_a_dot_would_sort_elsewhere)
{
    expect_made("{\"a-b\": 1, \"a.x\": 2, \"ab\": 3, \"a.y\": 4, \"a!\": 5}", "{\"a\": {}}",
                "{\"a\":{\"x\":2,\"y\":4},\"a!\":5,\"a-b\":1,\"ab\":3}");
}

Test(patch, counts_a_missing_number_as_0)
{
    expect_made("{\"a\": {\"$inc\": 2}, \"b\": {\"$mul\": 2}, \"c\": {\"$inc\": 0.5}}", "{}",
                "{\"a\":2,\"b\":0,\"c\":0.5}");
    expect_made("{\"b\": {\"$mul\": -1.5}}", "{}", "{\"b\":0.0}");
    expect_made("{\"b\": {\"$min\": 3}, \"c\": {\"$max\": 3}, \"d\": {\"$push\": 1}}", "{}",
                "{\"b\":3,\"c\":3,\"d\":[1]}");
}

Test(patch, keeps_integers_and_floats_apart)
{
    expect_made("{\"a\": {\"$inc\": 1.0}}", "{\"a\": 1}", "{\"a\":2.0}");
    expect_made("{\"a\": {\"$inc\": 1}}", "{\"a\": 1.0}", "{\"a\":2.0}");
    expect_made("{\"a\": {\"$mul\": 3}}", "{\"a\": -4}", "{\"a\":-12}");
    expect_made("{\"a\": {\"$max\": 1}}", "{\"a\": 1.0}", "{\"a\":1.0}");
    expect_made("{\"a\": {\"$pull\": 1}}", "{\"a\": [1, 1.0, 2, \"1\"]}", "{\"a\":[2,\"1\"]}");
}

Test(patch, refuses_to_add_beyond_bounds_and_not_before)
{
    const char *patch = "{\"a\": {\"$inc\": -2, \"min\": 0}}";
    expect_made(patch, "{\"a\": 2}", "{\"a\":0}");
    expect_failed(patch, "{\"a\": 1}", STATUS_refused, "would take \"a\" below 0");
    expect_failed(patch, "{\"a\": 1.75}", STATUS_refused, "would take \"a\" below 0");
    expect_failed(patch, "{}", STATUS_refused, "would take \"a\" below 0");
    patch = "{\"a\": {\"$inc\": 2, \"max\": 9.5}}";
    expect_made(patch, "{\"a\": 7.5}", "{\"a\":9.5}");
    expect_made(patch, "{\"a\": 7}", "{\"a\":9}");
    expect_failed(patch, "{\"a\": 8}", STATUS_refused, "would take \"a\" above 9.5");
}

Test(patch, never_rounds_or_wraps_an_integer)
{
    const char *sentence = "would take \"a\" out of the range of 64-bit integers";
    expect_made("{\"a\": {\"$inc\": 1}}", "{\"a\": 9223372036854775806}",
                "{\"a\":9223372036854775807}");
    expect_failed("{\"a\": {\"$inc\": 1}}", "{\"a\": 9223372036854775807}", STATUS_type, sentence);
    expect_made("{\"a\": {\"$inc\": -1}}", "{\"a\": -9223372036854775807}",
                "{\"a\":-9223372036854775808}");
    expect_failed("{\"a\": {\"$inc\": -1}}", "{\"a\": -9223372036854775808}", STATUS_type,
                  sentence);
    expect_made("{\"a\": {\"$mul\": 2}}", "{\"a\": -4611686018427387904}",
                "{\"a\":-9223372036854775808}");
    expect_failed("{\"a\": {\"$mul\": 2}}", "{\"a\": 4611686018427387904}", STATUS_type, sentence);
    expect_failed("{\"a\": {\"$mul\": -9223372036854775808}}", "{\"a\": -9223372036854775808}",
                  STATUS_type, sentence);
    expect_made("{\"a\": {\"$inc\": 0.0}}", "{\"a\": 9223372036854775807}",
                "{\"a\":9.223372036854776e+18}");
    expect_failed("{\"a\": {\"$mul\": 1e10}}", "{\"a\": 1e300}", STATUS_type,
                  "would make \"a\" larger than a float can be");
}

Test(patch, says_which_field_it_can_not_work_with)
{
    expect_failed("{\"a\": {\"$inc\": 1}}", "{\"a\": \"x\"}", STATUS_type,
                  "adds to \"a\", which is of type text");
    expect_failed("{\"a\": {\"$mul\": 1}}", "{\"a\": null}", STATUS_type,
                  "multiplies \"a\", which is of type null");
    expect_failed("{\"a.b\": {\"$push\": 1}}", "{\"a\": {\"b\": {}}}", STATUS_type,
                  "appends to \"a.b\", which is of type map");
    expect_failed("{\"a\": {\"$pull\": 1}}", "{\"a\": 1}", STATUS_type,
                  "takes elements out of \"a\", which is of type number");
    expect_failed("{\"a\": {\"$min\": 1}}", "{\"a\": true}", STATUS_type,
                  "compares \"a\", which is of type boolean, with a value of type number");
    expect_failed("{\"a.b.c\": 1}", "{\"a\": {\"b\": 5}}", STATUS_type,
                  "changes \"a.b.c\" inside of \"a.b\", which is of type number");
    expect_failed("{\"a.3\": 1}", "{\"a\": [0, 1, 2]}", STATUS_type,
                  "changes \"a.3\", an element which that array doesn't have");
    expect_failed("{\"a.00\": 1}", "{\"a\": [0]}", STATUS_type,
                  "changes \"a.00\", an element which that array doesn't have");
}

static void expect_fault(const char *patch, const char *expected)
{
    AUTO(buffer_release) struct buffer patch_bytes = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    append_json(patch, &patch_bytes);
    cr_assert_eq(patch_check(buffer_bytes(&patch_bytes), sentence), STATUS_bad_request, "%s",
                 patch);
    cr_assert_str_eq(sentence, expected);
}

Test(patch, names_what_is_wrong_with_it)
{
    expect_fault("{\"a\": {\"$foo\": 1}}", "has the unknown operator \"$foo\"");
    expect_fault("{\"$set\": {\"a\": 1}}", "has the operator \"$set\" without a field");
    expect_fault("{\"a.\": 1}", "has \"a.\" in the place of a field's path");
    expect_fault("{\"\": 1}", "has \"\" in the place of a field's path");
    expect_fault("{\"a\": {\"$inc\": \"1\"}}",
                 "has the operator \"$inc\" with something else than a number");
    expect_fault("{\"a\": {\"$unset\": false}}",
                 "has the operator \"$unset\" with something else than true");
    expect_fault("{\"a\": {\"$now\": 1}}",
                 "has the operator \"$now\" with something else than true");
    expect_fault("{\"a\": {\"$inc\": 1, \"$mul\": 2}}",
                 "has more than one operator for the field \"a\"");
    expect_fault("{\"a\": {\"$inc\": 1, \"least\": 2}}",
                 "has \"least\" beside the operator of the field \"a\"");
    expect_fault("{\"a\": {\"$inc\": 1, \"min\": null}}",
                 "has a min for the field \"a\" that is not a number");
    expect_fault("{\"a\": {\"$inc\": 1, \"max\": 1, \"min\": 1.5}}",
                 "has a min above the max for the field \"a\"");
    expect_fault("{\"a\": {\"$mul\": 1, \"max\": 1}}",
                 "has a min or max for the field \"a\", which only \"$inc\" takes");
    expect_fault("{\"a\": 1, \"a-b\": 2, \"a.b\": 3}",
                 "changes both \"a\" and \"a.b\", one inside of the other");
    expect_fault("{\"a.b\": 1, \"a.b-c\": 2, \"a.b.c.d\": 3, \"ab\": 4}",
                 "changes both \"a.b\" and \"a.b.c.d\", one inside of the other");
}

Test(patch, is_refused_unless_it_is_a_canonical_map)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    cr_assert_eq(patch_check(bytes_of("\x81\xa1x\xcc\x01", 5), sentence), STATUS_bad_request);
    cr_assert_str_eq(sentence, "is not in canonical form");
    cr_assert_eq(patch_check(bytes_of("\xc0", 1), sentence), STATUS_type);
    cr_assert_str_eq(sentence, "is not a map");
    cr_assert_eq(patch_check(bytes_of(NULL, 0), sentence), STATUS_bad_request);
}

// {"f000": 0, "f001": 1, ...} with `count` fields from number `first` on.
static void append_fields(unsigned first, unsigned count, struct buffer *out)
{
    pack_map(out, count);
    for (unsigned i = first; i < first + count; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%06u", i);
        pack_text_literal(out, name);
        pack_u64(out, i);
    }
}

static void expect_joined(unsigned in_document, unsigned in_patch)
{
    AUTO(scene_release) struct scene scene = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    append_fields(0, in_document, &scene.document_bytes);
    append_fields(in_document, in_patch, &scene.patch_bytes);
    append_fields(0, in_document + in_patch, &scene.expected);
    cr_assert_eq(scene_apply(&scene, sentence), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&scene.out), buffer_bytes(&scene.expected)));
}

Test(patch, may_make_a_map_that_needs_a_longer_head)
{
    expect_joined(15, 0);
    expect_joined(14, 1);
    expect_joined(15, 1);
    expect_joined(16, 1);
    expect_joined(65534, 1);
    expect_joined(65535, 1);
    expect_joined(1, 70000);
}

Test(patch, may_have_any_number_of_pairs)
{
    expect_joined(0, 15);
    expect_joined(0, 16);
    expect_joined(0, 17);
    expect_joined(0, 1000);
}

// Takes the field called `name` out of a document of `count` numbered ones, or the element.
static void expect_shorter(unsigned count, bool is_array)
{
    AUTO(scene_release) struct scene scene = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    append_json(is_array ? "{\"a.0\": {\"$unset\": true}}" : "{\"f000000\": {\"$unset\": true}}",
                &scene.patch_bytes);
    if (!is_array) {
        append_fields(0, count, &scene.document_bytes);
        append_fields(1, count - 1, &scene.expected);
    }
    for (unsigned side = 0; is_array && side < 2; side++) {
        struct buffer *out = side == 0 ? &scene.document_bytes : &scene.expected;
        pack_map(out, 1);
        pack_text_literal(out, "a");
        pack_array(out, count - side);
        for (unsigned i = side; i < count; i++) {
            pack_u64(out, i);
        }
    }
    cr_assert_eq(scene_apply(&scene, sentence), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&scene.out), buffer_bytes(&scene.expected)));
}

Test(patch, may_leave_a_container_that_needs_a_shorter_head)
{
    static const unsigned counts[] = {1, 15, 16, 17, 65535, 65536, 65537};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        expect_shorter(counts[i], false);
        expect_shorter(counts[i], true);
    }
}

// Sets "a" of an empty document to a text of so many bytes.
static enum status apply_text(size_t size, struct buffer *out, char *sentence)
{
    AUTO(buffer_release) struct buffer patch = {0};
    AUTO(buffer_release) struct buffer document = {0};
    pack_map(&patch, 1);
    pack_text_literal(&patch, "a");
    pack_map(&patch, 1);
    pack_text_literal(&patch, "$push");
    pack_text_literal(&patch, "b");
    pack_map(&document, 1);
    pack_text_literal(&document, "a");
    pack_array(&document, 1);
    pack_binary(&document, bytes_of(NULL, 0));
    buffer_truncate(&document, document.size - 2);
    struct buffer text = {.data = buffer_extend(&document, size + 5) + 5, .size = size};
    uint8_t *head = text.data - 5;
    memcpy(head, "\xc6", 1);
    for (unsigned i = 0; i < 4; i++) {
        head[1 + i] = (uint8_t)(size >> (8 * (3 - i)));
    }
    memset(text.data, 'x', size);
    cr_assert(document_is_canonical(buffer_bytes(&document)));
    return patch_apply(buffer_bytes(&patch), buffer_bytes(&document), 0, out, sentence);
}

Test(patch, may_make_a_document_as_large_as_one_can_be)
{
    enum { AROUND = 1 + 2 + 1 + 5 + 2 }; // map, name, array, head of the binary, "b"
    AUTO(buffer_release) struct buffer out = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    cr_assert_eq(apply_text(DOCUMENT_SIZE_MAX - AROUND, &out, sentence), STATUS_ok);
    cr_assert_eq(out.size, DOCUMENT_SIZE_MAX);
    buffer_clear(&out);
    cr_assert_eq(apply_text(DOCUMENT_SIZE_MAX - AROUND + 1, &out, sentence), STATUS_too_large);
    cr_assert_str_eq(sentence, "would make the document larger than 1 MiB");
    cr_assert_eq(out.size, 0);
}

// Applies {"x.x...x": operand}, a path of so many names, to an empty document.
static enum status apply_deep(unsigned names, const char *operand)
{
    AUTO(buffer_release) struct buffer out = {0};
    char patch[256];
    char path[2 * DOCUMENT_DEPTH_MAX] = "x";
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    for (unsigned i = 1; i < names; i++) {
        memcpy(path + 2 * i - 1, ".x", 3);
    }
    snprintf(patch, sizeof patch, "{\"%s\": %s}", path, operand);
    enum status status = apply(patch, "{}", &out, sentence);
    cr_assert(status == STATUS_ok || strstr(sentence, "more than 24 deep") != NULL);
    return status;
}

Test(patch, may_nest_as_deep_as_a_document)
{
    cr_assert_eq(apply_deep(24, "1"), STATUS_ok);
    cr_assert_eq(apply_deep(24, "[]"), STATUS_too_deep);
    cr_assert_eq(apply_deep(23, "[]"), STATUS_ok);
    cr_assert_eq(apply_deep(23, "[{}]"), STATUS_too_deep);
    cr_assert_eq(apply_deep(22, "[1, {}]"), STATUS_ok);
    cr_assert_eq(apply_deep(24, "{\"$push\": 1}"), STATUS_too_deep);
    cr_assert_eq(apply_deep(23, "{\"$push\": 1}"), STATUS_ok);
    cr_assert_eq(apply_deep(23, "{\"$push\": []}"), STATUS_too_deep);
    cr_assert_eq(apply_deep(22, "{\"$push\": {}}"), STATUS_ok);
    cr_assert_eq(apply_deep(24, "{\"$min\": {}}"), STATUS_too_deep);
    cr_assert_eq(apply_deep(23, "{\"$max\": {}}"), STATUS_ok);
}

Test(patch, sets_times_up_to_the_year_9999)
{
    AUTO(buffer_release) struct buffer patch = {0};
    AUTO(buffer_release) struct buffer out = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    struct bytes empty = bytes_of("\x80", 1);
    append_json("{\"t\": {\"$now\": true}}", &patch);
    cr_assert_eq(patch_apply(buffer_bytes(&patch), empty, 253402300799999999, &out, sentence),
                 STATUS_ok);
    cr_assert(document_is_canonical(buffer_bytes(&out)));
    cr_assert_eq(patch_apply(buffer_bytes(&patch), empty, 253402300800000000, &out, sentence),
                 STATUS_type);
    buffer_clear(&out);
    cr_assert_eq(patch_apply(buffer_bytes(&patch), empty, 0, &out, sentence), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&out), bytes_of("\x81\xa1t\xd6\xff\0\0\0\0", 9)));
}

Test(patch, survives_damage)
{
    struct random random;
    unsigned sound = 0;
    random_init(&random, 2);
    for (unsigned i = 0; i < 200000; i++) {
        AUTO(scene_release) struct scene scene = {0};
        char sentence[ERROR_MESSAGE_SIZE_MAX];
        scene_make(&scene, &random);
        bytes_damage(&random, &scene.patch_bytes);
        struct bytes patch = buffer_bytes(&scene.patch_bytes);
        if (patch_check(patch, sentence) != STATUS_ok) {
            continue;
        }
        if (patch_apply(patch, buffer_bytes(&scene.document_bytes), PATCH_TIME_US, &scene.out,
                        sentence) == STATUS_ok) {
            sound++;
        }
    }
    cr_assert_gt(sound, 1000);
}
