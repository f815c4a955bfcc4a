/*
 * Keys and records of cells, as they may come with a transferred state: what is no key or record is
 * damaged, what is one stays the same when it is encoded again.
 */
#include "tests/fuzz/fuzz.h"

#include "storage/cells.h"
#include "wire/document/document.h"

static void check_keys(struct bytes key)
{
    AUTO(buffer_release) struct buffer made = {0};
    AUTO(buffer_release) struct buffer id = {0};
    AUTO(buffer_release) struct buffer name = {0};
    struct timed_key timed;
    struct bytes at;
    uint32_t collection;
    if (cell_key_timed(key, &timed) == STATUS_ok) {
        if (key.data[0] == CELL_TRIMMING) {
            cell_key_trimming(&made, timed.time_us, timed.version, timed.at);
        } else {
            cell_key_expiry_at(&made, timed.time_us, timed.at);
        }
        ASSERT(bytes_equal(key, buffer_bytes(&made)));
        (void)cell_key_place(timed.at, &collection, &id);
    }
    if (cell_key_document_id(key, &at) == STATUS_ok) {
        ASSERT(at.size > 0 && at.data + at.size == key.data + key.size);
    }
    if (cell_key_name(key, &name) == STATUS_ok) {
        buffer_clear(&made);
        if (key.data[0] == CELL_SESSION) {
            cell_key_session(&made, buffer_bytes(&name));
        } else {
            cell_key_collection(&made, buffer_bytes(&name));
        }
        ASSERT(bytes_equal(key, buffer_bytes(&made)));
    }
}

// A place turns into the key of its document and back.
static void check_place(struct bytes at)
{
    AUTO(buffer_release) struct buffer packed = {0};
    AUTO(buffer_release) struct buffer key = {0};
    struct document_id id;
    struct bytes found;
    uint32_t collection;
    if (cell_key_place(at, &collection, &packed) != STATUS_ok) {
        ASSERT(packed.size == 0);
        return;
    }
    struct cursor cursor = cursor_of(buffer_bytes(&packed));
    ASSERT(document_id_take(&cursor, &id) == STATUS_ok && cursor_at_end(&cursor));
    cell_key_document(&key, collection, &id);
    ASSERT(bytes_equal(at, bytes_of(key.data + 1, key.size - 1)));
    ASSERT(cell_key_document_id(buffer_bytes(&key), &found) == STATUS_ok);
}

static void check_index(const struct index_record *index, struct bytes document)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer again = {0};
    AUTO(buffer_release) struct buffer id_key = {0};
    struct document_id id = {.integer = 42};
    bool is_shared = false;
    bool is_shared_again = true;
    document_id_append_key(&id, &id_key);
    enum status status = index_entry_key(index, document, &id, &key, &is_shared);
    ASSERT(status == STATUS_ok || status == STATUS_too_large);
    enum status other = index_entry_key_at(index, document, buffer_bytes(&id_key), &again,
                                           &is_shared_again);
    ASSERT(status == other);
    ASSERT(status != STATUS_ok ||
           (is_shared == is_shared_again && bytes_equal(buffer_bytes(&key), buffer_bytes(&again))));
    ASSERT(status != STATUS_ok || key.size <= CELL_KEY_SIZE_MAX);
}

static void check_collection(struct bytes value, struct bytes document)
{
    AUTO(collection_record_release) struct collection_record record = {0};
    AUTO(collection_record_release) struct collection_record other = {0};
    AUTO(buffer_release) struct buffer encoded = {0};
    AUTO(buffer_release) struct buffer again = {0};
    if (collection_record_decode(value, &record) != STATUS_ok) {
        return;
    }
    collection_record_encode(&record, &encoded);
    ASSERT(collection_record_decode(buffer_bytes(&encoded), &other) == STATUS_ok);
    collection_record_encode(&other, &again);
    ASSERT(bytes_equal(buffer_bytes(&encoded), buffer_bytes(&again)));
    for (size_t i = 0; i < record.index_count; i++) {
        ASSERT(collection_record_index(&record, record.indexes[i].name) != NULL);
        check_index(&record.indexes[i], document);
    }
}

static void check_job(struct bytes value)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    AUTO(buffer_release) struct buffer again = {0};
    struct job_record record;
    struct job_record other;
    if (job_record_decode(value, &record) == STATUS_ok) {
        job_record_encode(&record, &encoded);
        ASSERT(job_record_decode(buffer_bytes(&encoded), &other) == STATUS_ok);
        ASSERT(other.kind == record.kind && other.done == record.done);
        job_record_encode(&other, &again);
        ASSERT(bytes_equal(buffer_bytes(&encoded), buffer_bytes(&again)));
    }
}

static void check_numbers(struct bytes value)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    struct id_counters counters;
    struct collection_statistics statistics;
    struct stored_document stored;
    if (id_counters_decode(value, &counters) == STATUS_ok) {
        id_counters_encode(&counters, &encoded);
        ASSERT(id_counters_decode(buffer_bytes(&encoded), &counters) == STATUS_ok);
    }
    buffer_clear(&encoded);
    if (collection_statistics_decode(value, &statistics) == STATUS_ok) {
        collection_statistics_encode(&statistics, &encoded);
        ASSERT(collection_statistics_decode(buffer_bytes(&encoded), &statistics) == STATUS_ok);
    }
    buffer_clear(&encoded);
    if (stored_document_decode(value, &stored) == STATUS_ok) {
        stored_document_encode(&stored, &encoded);
        ASSERT(bytes_equal(value, buffer_bytes(&encoded)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer document = {0};
    struct bytes input = bytes_of(data, size);
    uint8_t kind = fuzz_take_u8(&input);
    switch (kind % 5) {
    case 0: check_keys(input); break;
    case 1: check_place(input); break;
    case 2: check_job(input); break;
    case 3: check_numbers(input); break;
    default:
        if (fuzz_take_document(&input, &document)) {
            check_collection(input, buffer_bytes(&document));
        }
        break;
    }
    return 0;
}
