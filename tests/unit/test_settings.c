/*
 * Settings of a collection, written as JSON as people write them.
 */
#include "wire/document/settings.h"

#include "wire/document/document.h"
#include "wire/json.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct buffer packed;

static void teardown(void)
{
    buffer_release(&packed);
}

TestSuite(settings, .fini = teardown);

static enum status take(const char *json, struct collection_settings *ret_settings, char *sentence)
{
    AUTO(buffer_release) struct buffer raw = {0};
    struct json_fault fault;
    buffer_clear(&packed);
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), &raw, &fault), STATUS_ok);
    cr_assert_eq(document_canonicalize(buffer_bytes(&raw), &packed, NULL), STATUS_ok);
    return collection_settings_take(buffer_bytes(&packed), ret_settings, sentence);
}

static struct collection_settings take_good(const char *json)
{
    struct collection_settings settings;
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    cr_assert_eq(take(json, &settings, sentence), STATUS_ok, "%s: %s", json, sentence);
    return settings;
}

static void expect_fault(const char *json, enum status status, const char *words)
{
    struct collection_settings settings = {.ttl_s = 99};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    cr_assert_eq(take(json, &settings, sentence), status, "%s: %s", json, sentence);
    cr_assert_not_null(strstr(sentence, words), "\"%s\" says nothing of %s", sentence, words);
    cr_assert_eq(settings.ttl_s, 99);
}

Test(settings, may_all_be_left_out)
{
    struct collection_settings settings = take_good("{}");
    cr_assert(settings.ttl_s == 0 && settings.ttl_field.size == 0);
    cr_assert(settings.history_s == 0 && settings.check.size == 0);
}

Test(settings, are_taken_apart)
{
    struct collection_settings settings = take_good("{\"ttl\":60,\"history\":3600}");
    cr_assert(settings.ttl_s == 60 && settings.history_s == 3600);
    settings = take_good("{\"ttl\":\"meta.until\",\"check\":[{\"a\":1},{\"b\":{\"$gt\":2}}]}");
    cr_assert(bytes_equal(settings.ttl_field, bytes_from_text("meta.until")));
    cr_assert_eq(settings.ttl_s, 0);
    cr_assert_eq(settings.check.data[0], 0x92);
    cr_assert_eq(take_good("{\"check\":[]}").check.size, 0);
}

Test(settings, seconds_have_limits)
{
    cr_assert_eq(take_good("{\"ttl\":1}").ttl_s, 1);
    cr_assert_eq(take_good("{\"history\":4294967295}").history_s, UINT32_MAX);
    expect_fault("{\"ttl\":0}", STATUS_bad_request, "\"ttl\"");
    expect_fault("{\"history\":4294967296}", STATUS_bad_request, "\"history\"");
    expect_fault("{\"ttl\":1.5}", STATUS_bad_request, "\"ttl\"");
    expect_fault("{\"history\":-1}", STATUS_bad_request, "\"history\"");
}

Test(settings, checks_are_predicates_and_not_too_many)
{
    cr_assert_eq(
        take_good("{\"check\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}").check.data[0],
        0xdc);
    expect_fault("{\"check\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}",
                 STATUS_too_large, "17");
    expect_fault("{\"check\":[{\"a\":{\"$in\":5}}]}", STATUS_bad_request, "predicate 0");
    expect_fault("{\"check\":\"a\"}", STATUS_bad_request, "\"check\"");
}

static char *check_of_size(size_t size)
{
    static char json[SETTINGS_SIZE_MAX + KIB];
    size_t begin = (size_t)snprintf(json, sizeof json, "{\"check\":[{\"a\":\"");
    memset(json + begin, 'x', size);
    snprintf(json + begin + size, sizeof json - begin - size, "\"}]}");
    return json;
}

Test(settings, are_small)
{
    enum { BESIDES = 14 }; // bytes in msgpack beside the text
    struct collection_settings settings;
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    take_good(check_of_size(SETTINGS_SIZE_MAX - BESIDES));
    cr_assert_eq(packed.size, SETTINGS_SIZE_MAX);
    cr_assert_eq(take(check_of_size(SETTINGS_SIZE_MAX - BESIDES + 1), &settings, sentence),
                 STATUS_too_large);
}

Test(settings, unknown_ones_and_other_forms_are_told)
{
    struct collection_settings settings;
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    expect_fault("{\"tll\":1}", STATUS_bad_request, "unknown setting \"tll\"");
    expect_fault("{\"ttl\":\"a..b\"}", STATUS_bad_request, "path");
    expect_fault("{\"ttl\":null}", STATUS_bad_request, "\"ttl\"");
    cr_assert_eq(collection_settings_take(bytes_from_text("\x90"), &settings, sentence),
                 STATUS_type);
    cr_assert_eq(
        collection_settings_take(bytes_of("\x81\xa3ttl\xcd\x00\x05", 8), &settings, sentence),
        STATUS_bad_request);
    cr_assert_eq(collection_settings_take((struct bytes){0}, &settings, sentence),
                 STATUS_bad_request);
}
