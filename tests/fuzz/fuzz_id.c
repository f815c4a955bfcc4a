/*
 * Ids of documents: as msgpack, as keys and as text, there and back. And the digest of finds, which
 * tells different ids apart.
 */
#include "tests/fuzz/fuzz.h"

#include "wire/document/find_digest.h"
#include "wire/document/id.h"
#include "wire/key.h"

static void check_key(const struct document_id *id, struct bytes packed)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer taken = {0};
    document_id_append_key(id, &key);
    struct bytes rest = buffer_bytes(&key);
    ASSERT(document_id_take_key(&rest, &taken) == STATUS_ok && rest.size == 0);
    ASSERT(bytes_equal(packed, buffer_bytes(&taken)));
}

// A text that looks like an integer is read as one: it can't be named on a command line.
static void check_text(const struct document_id *id)
{
    AUTO(buffer_release) struct buffer text = {0};
    struct document_id again;
    document_id_print(id, &text);
    bool is_disguised = id->is_text && bytes_starts_with(id->text, bytes_from_text("i:"));
    enum status status = document_id_from_text(buffer_bytes(&text), &again);
    ASSERT(is_disguised || (status == STATUS_ok && document_id_equal(id, &again)));
}

static void check_id(const struct document_id *id)
{
    AUTO(buffer_release) struct buffer packed = {0};
    struct document_id taken;
    document_id_pack(id, &packed);
    struct cursor cursor = cursor_of(buffer_bytes(&packed));
    ASSERT(document_id_take(&cursor, &taken) == STATUS_ok && cursor_at_end(&cursor));
    ASSERT(document_id_equal(id, &taken));
    check_key(id, buffer_bytes(&packed));
    check_text(id);
    (void)collection_name_is_valid(id->is_text ? id->text : buffer_bytes(&packed));
}

static void check_pair(const struct document_id *a, const struct document_id *b, uint64_t version)
{
    uint64_t first = find_digest_add(find_digest_empty(), a, version);
    uint64_t second = find_digest_add(find_digest_empty(), b, version);
    ASSERT((first == second) == document_id_equal(a, b));
    ASSERT(find_digest_add(first, b, version) != first);
    ASSERT(find_digest_add(find_digest_empty(), a, version + 1) != first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    uint64_t version = fuzz_take_u8(&input);
    struct document_id last = {.integer = -1};
    struct document_id id;
    struct cursor cursor = cursor_of(input);
    while (document_id_take(&cursor, &id) == STATUS_ok) {
        check_id(&id);
        check_pair(&last, &id, version);
        last = id;
    }
    if (document_id_from_text(cursor_rest(&cursor), &id) == STATUS_ok) {
        check_id(&id);
    }
    return 0;
}
