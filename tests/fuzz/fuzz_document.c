/*
 * The canonical form of documents: what has one is brought into it and stays so, and nothing else
 * is said to be in it. Written as JSON and read again it is the same document.
 */
#include "tests/fuzz/fuzz.h"

#include "wire/document/document.h"
#include "wire/json.h"

// JSON has no integers beyond 2^63-1, and maps that look like binaries and times are read so.
static void check_json(struct bytes document)
{
    AUTO(buffer_release) struct buffer json = {0};
    AUTO(buffer_release) struct buffer raw = {0};
    AUTO(buffer_release) struct buffer again = {0};
    struct cursor cursor = cursor_of(document);
    struct json_fault fault;
    ASSERT(json_from_msgpack(&cursor, &json) == STATUS_ok && cursor_at_end(&cursor));
    bool is_special = fuzz_contains(document, "$bin") || fuzz_contains(document, "$time");
    if (json_to_msgpack(buffer_bytes(&json), &raw, &fault) != STATUS_ok) {
        ASSERT(is_special || fuzz_contains(document, "\xcf"));
        return;
    }
    enum status status = document_canonicalize(buffer_bytes(&raw), &again, NULL);
    ASSERT(is_special || (status == STATUS_ok && bytes_equal(document, buffer_bytes(&again))));
}

static void check_canonical(struct bytes document)
{
    AUTO(buffer_release) struct buffer again = {0};
    ASSERT(document_is_canonical(document));
    ASSERT(document_canonicalize(document, &again, NULL) == STATUS_ok);
    ASSERT(bytes_equal(document, buffer_bytes(&again)));
    check_json(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer document = {0};
    struct bytes raw = bytes_of(data, size);
    const char *reason = NULL;
    buffer_append_u8(&document, 'x');
    enum status status = document_canonicalize(raw, &document, &reason);
    if (status == STATUS_ok) {
        struct bytes made = bytes_of(document.data + 1, document.size - 1);
        ASSERT(reason == NULL);
        ASSERT(document_is_canonical(raw) == bytes_equal(raw, made));
        AUTO(fuzz_copy_release) struct fuzz_copy copy = fuzz_copy_of(made);
        check_canonical(fuzz_copy_bytes(&copy));
    } else {
        ASSERT(document.size == 1 && !document_is_canonical(raw) && fuzz_is_sentence(reason));
    }
    return 0;
}
