/*
 * Settings of collections, and records of collections made of them.
 */
#include "tests/fuzz/fuzz.h"

#include "storage/cells.h"
#include "wire/document/document.h"
#include "wire/document/path.h"
#include "wire/document/predicate.h"
#include "wire/document/settings.h"
#include "wire/document/walk.h"

static void check_settings(const struct collection_settings *settings)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    ASSERT(settings->ttl_s == 0 || settings->ttl_field.size == 0);
    ASSERT(settings->ttl_field.size == 0 || path_is_valid(settings->ttl_field));
    if (settings->check.size > 0) {
        struct cursor cursor = cursor_of(settings->check);
        uint32_t count = walk_array(&cursor);
        ASSERT(count >= 1 && count <= CHECK_COUNT_MAX);
        for (uint32_t i = 0; i < count; i++) {
            ASSERT(predicate_check(walk_value(&cursor), sentence) == STATUS_ok);
        }
        ASSERT(cursor_at_end(&cursor));
    }
}

static void check_record(const struct collection_settings *settings)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    AUTO(buffer_release) struct buffer again = {0};
    AUTO(collection_record_release) struct collection_record decoded = {0};
    const struct collection_record record = {.id = 7,
                                             .ttl_s = settings->ttl_s,
                                             .ttl_field = settings->ttl_field,
                                             .history_s = settings->history_s,
                                             .check = settings->check};
    collection_record_encode(&record, &encoded);
    ASSERT(collection_record_decode(buffer_bytes(&encoded), &decoded) == STATUS_ok);
    ASSERT(decoded.ttl_s == record.ttl_s && decoded.history_s == record.history_s);
    ASSERT(bytes_equal(decoded.ttl_field, record.ttl_field));
    ASSERT(bytes_equal(decoded.check, record.check));
    collection_record_encode(&decoded, &again);
    ASSERT(bytes_equal(buffer_bytes(&encoded), buffer_bytes(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer canonical = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    struct bytes input = bytes_of(data, size);
    struct collection_settings settings;
    enum status status = collection_settings_take(input, &settings, sentence);
    ASSERT(status == STATUS_ok ? document_is_canonical(input) : fuzz_is_sentence(sentence));
    if (!fuzz_take_document(&input, &canonical)) {
        return 0;
    }
    if (collection_settings_take(buffer_bytes(&canonical), &settings, sentence) == STATUS_ok) {
        check_settings(&settings);
        check_record(&settings);
    } else {
        ASSERT(fuzz_is_sentence(sentence));
    }
    return 0;
}
