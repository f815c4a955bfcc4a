/*
 * Patches done to documents: what comes out is canonical, or nothing comes out and a sentence says
 * why. Fields that are set have their value afterwards.
 */
#include "tests/fuzz/fuzz.h"

#include "wire/cursor.h"
#include "wire/document/document.h"
#include "wire/document/patch.h"
#include "wire/document/path.h"
#include "wire/document/walk.h"

// Each field that is given a value has it; not asked where elements may have moved up.
static void check_set(struct bytes patch, struct bytes document)
{
    struct cursor cursor = cursor_of(patch);
    uint32_t count = walk_map(&cursor);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes path = walk_text(&cursor);
        struct bytes value = walk_value(&cursor);
        struct bytes found;
        if (!walk_is_operators(value)) {
            ASSERT(path_find(document, path, &found) && bytes_equal(found, value));
        }
    }
}

static void check_applied(struct bytes patch, struct bytes document, uint64_t time_us)
{
    AUTO(buffer_release) struct buffer out = {0};
    AUTO(buffer_release) struct buffer again = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    buffer_append_u8(&out, 'x');
    enum status status = patch_apply(patch, document, time_us, &out, sentence);
    if (status != STATUS_ok) {
        ASSERT(status == STATUS_type || status == STATUS_refused || status == STATUS_too_large ||
               status == STATUS_too_deep);
        ASSERT(out.size == 1 && fuzz_is_sentence(sentence));
        return;
    }
    struct bytes made = bytes_of(out.data + 1, out.size - 1);
    ASSERT(document_is_canonical(made));
    ASSERT(patch_apply(patch, document, time_us, &again, sentence) == STATUS_ok);
    ASSERT(bytes_equal(made, buffer_bytes(&again)));
    if (!fuzz_contains(patch, "$unset")) {
        check_set(patch, made);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer patch = {0};
    AUTO(buffer_release) struct buffer document = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    struct bytes input = bytes_of(data, size);
    uint64_t time_us = fuzz_take_u64(&input);
    if (!fuzz_take_document(&input, &patch)) {
        return 0;
    }
    enum status status = patch_check(buffer_bytes(&patch), sentence);
    if (status != STATUS_ok) {
        ASSERT(fuzz_is_sentence(sentence));
        return 0;
    }
    while (input.size > 0 && fuzz_take_document(&input, &document)) {
        AUTO(fuzz_copy_release) struct fuzz_copy copy = fuzz_copy_of(buffer_bytes(&document));
        check_applied(buffer_bytes(&patch), fuzz_copy_bytes(&copy), time_us);
        buffer_clear(&document);
    }
    return 0;
}
