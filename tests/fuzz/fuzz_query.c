/*
 * Reads of any operations from a small state with indexes and history. Every document that a find
 * returns meets its condition, and over all pages, or in a count, there are as many as a walk
 * through all documents finds.
 */
#include "tests/fuzz/fuzz.h"

#include "client/cli/value.h"
#include "storage/apply.h"
#include "storage/executor.h"
#include "storage/query.h"
#include "storage/state_memory.h"
#include "wire/document/operation.h"
#include "wire/document/predicate.h"
#include "wire/json.h"
#include "wire/pack.h"

#include <stdio.h>

enum { PAGES_MAX = 200 };

// What is read from, made once.
struct store {
    struct state *state;
    struct marks *marks;
    uint64_t version;          // marked
    struct buffer documents;   // of the collection "c": canonical, one after another
    struct executor *executor; // while it is filled
    struct applied applied;    // while it is filled
};

static struct store store;

static const char *const TRANSACTIONS[] = {
    "[{\"op\":\"create_collection\",\"collection\":\"c\",\"settings\":{\"history\":1000}}]",
    "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"a\",\"fields\":[\"a\"]}]",
    "[{\"op\":\"create_index\",\"collection\":\"c\",\"index\":\"b\",\"fields\":[\"b.x\",\"a\"]}]",
    "[{\"op\":\"put\",\"collection\":\"c\",\"id\":9,\"document\":{\"a\":0}}]",
};

static const char *const DOCUMENTS[] = {
    "{}",
    "{\"a\":1}",
    "{\"a\":1.5,\"b\":{\"x\":\"new\"}}",
    "{\"a\":2,\"b\":{\"x\":\"newer\"}}",
    "{\"a\":null,\"b\":{\"x\":[1,2]}}",
    "{\"a\":\"x\",\"b\":{\"x\":true}}",
    "{\"a\":\"xy\",\"b\":7}",
    "{\"a\":[1,{\"c\":2}]}",
    "{\"a\":{\"$bin\":\"AAE=\"}}",
    "{\"a\":{\"$time\":\"2024-01-01T00:00:00Z\"},\"b\":{\"x\":-5}}",
    "{\"a\":-1e300}",
    "{\"a\":1,\"b\":{\"x\":\"new\"},\"c\":{\"d\":{\"e\":1}}}",
};

enum {
    TRANSACTION_COUNT = sizeof TRANSACTIONS / sizeof TRANSACTIONS[0],
    DOCUMENT_COUNT = sizeof DOCUMENTS / sizeof DOCUMENTS[0],
};

static void settle(struct store *self)
{
    AUTO(buffer_release) struct buffer payload = {0};
    struct entry entry = {.kind = ENTRY_BATCH,
                          .epoch = 1,
                          .position = self->applied.place.position + 1,
                          .time_us = 1000000 * (self->applied.place.position + 1),
                          .transactions = executor_open_transactions(self->executor)};
    entry.version = self->applied.place.version + entry.transactions;
    executor_close(self->executor, entry.position, &payload);
    entry.payload = buffer_bytes(&payload);
    ASSERT(apply_entry(self->state, 1, &entry, &self->applied) == STATUS_ok);
    executor_applied(self->executor, entry.position);
    executor_open(self->executor, entry.version, entry.time_us + 1000000);
}

static void run_json(struct store *self, const char *json)
{
    AUTO(buffer_release) struct buffer raw = {0};
    AUTO(buffer_release) struct buffer canonical = {0};
    struct json_fault json_fault;
    struct operation_fault fault;
    struct executor_outcome outcome;
    ASSERT(json_to_msgpack(bytes_from_text(json), &raw, &json_fault) == STATUS_ok);
    ASSERT(operations_canonicalize(buffer_bytes(&raw), &canonical, &fault) == STATUS_ok);
    const struct executor_request request = {.session = bytes_from_text("s"),
                                             .sequence = self->applied.place.position + 1,
                                             .operations = buffer_bytes(&canonical)};
    executor_run(self->executor, &request, &outcome);
    ASSERT(outcome.status == STATUS_ok);
    settle(self);
    while (executor_has_work(self->executor, 1)) {
        executor_work(self->executor, 100);
        settle(self);
    }
}

static void put_document(struct store *self, unsigned id, const char *json)
{
    char operation[512];
    snprintf(operation, sizeof operation,
             "[{\"op\":\"put\",\"collection\":\"c\",\"id\":%u,\"document\":%s}]", id, json);
    run_json(self, operation);
    AUTO(buffer_release) struct buffer raw = {0};
    struct json_fault fault;
    ASSERT(json_to_msgpack(bytes_from_text(json), &raw, &fault) == STATUS_ok);
    struct bytes rest = buffer_bytes(&raw);
    ASSERT(fuzz_take_document(&rest, &self->documents));
}

static void fill(struct store *self)
{
    self->state = state_memory_new();
    self->executor = executor_new(self->state);
    executor_open(self->executor, 0, 1000000);
    for (unsigned i = 0; i < TRANSACTION_COUNT; i++) {
        run_json(self, TRANSACTIONS[i]);
    }
    for (unsigned i = 0; i < DOCUMENT_COUNT; i++) {
        put_document(self, i, DOCUMENTS[i]);
    }
    self->marks = marks_new(self->state);
    self->version = self->applied.place.version;
    ASSERT(marks_add(self->marks, self->version, 0) == STATUS_ok);
    executor_destroy(&self->executor);
    applied_release(&self->applied);
}

// Documents in the state for which the condition holds.
static uint64_t count_slowly(struct bytes where)
{
    struct cursor cursor = cursor_of(buffer_bytes(&store.documents));
    struct bytes document;
    uint64_t count = 0;
    while (!cursor_at_end(&cursor)) {
        ASSERT(cursor_skip(&cursor, &document) == STATUS_ok);
        count += where.size == 0 || predicate_holds(where, document);
    }
    return count;
}

static void ask(const struct message_read *read, struct buffer *answer,
                struct message_read_reply *ret_reply)
{
    const struct message question = {.kind = MESSAGE_read, .read = *read};
    struct message message;
    buffer_clear(answer);
    query_run(store.state, store.marks, &question, answer);
    struct bytes rest = buffer_bytes(answer);
    ASSERT(message_decode(&rest, &message) == STATUS_ok && rest.size == 0);
    ASSERT(message.kind == MESSAGE_read_reply);
    *ret_reply = message.read_reply;
    ASSERT((ret_reply->status == STATUS_ok) == (ret_reply->message.size == 0));
    ASSERT(ret_reply->status != STATUS_internal && ret_reply->status != STATUS_damaged);
}

// The documents of a page, each of which meets the condition.
static uint64_t check_page(struct bytes result, struct bytes where)
{
    struct bytes documents;
    uint32_t count;
    ASSERT(value_field(result, "documents", &documents));
    struct cursor cursor = cursor_of(documents);
    ASSERT(cursor_array(&cursor, &count) == STATUS_ok);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes row;
        struct bytes document;
        ASSERT(cursor_skip(&cursor, &row) == STATUS_ok);
        ASSERT(value_field(row, "document", &document));
        ASSERT(where.size == 0 || predicate_holds(where, document));
    }
    return count;
}

static struct bytes first_result(const struct message_read_reply *reply)
{
    struct cursor cursor = cursor_of(reply->results);
    struct bytes result;
    uint32_t count;
    ASSERT(cursor_array(&cursor, &count) == STATUS_ok && count == 1);
    ASSERT(cursor_skip(&cursor, &result) == STATUS_ok && cursor_at_end(&cursor));
    return result;
}

// Walks through all pages of a find at the marked version.
static void check_find(struct operation *find)
{
    AUTO(buffer_release) struct buffer answer = {0};
    AUTO(buffer_release) struct buffer packed = {0};
    AUTO(buffer_release) struct buffer text = {0};
    struct message_read_reply reply;
    uint64_t count = 0;
    unsigned pages = 0;
    do {
        buffer_clear(&packed);
        pack_array(&packed, 1);
        operation_pack(find, &packed);
        const struct message_read read = {.level = READ_snapshot,
                                          .at_version = store.version,
                                          .operations = buffer_bytes(&packed)};
        ask(&read, &answer, &reply);
        if (reply.status != STATUS_ok) {
            ASSERT(pages == 0);
            return;
        }
        count += check_page(first_result(&reply), find->where);
        buffer_clear(&text);
        buffer_append(&text, value_text(first_result(&reply), "cursor"));
        find->cursor = buffer_bytes(&text);
        pages++;
        ASSERT(pages <= PAGES_MAX);
    } while (find->cursor.size > 0);
    ASSERT(count == count_slowly(find->where));
}

static void check_count(const struct operation *operation, const struct message_read_reply *reply)
{
    if (reply->status == STATUS_ok) {
        ASSERT(value_number(first_result(reply), "count") == count_slowly(operation->where));
    }
}

// A find or a count that stands alone.
static void check_answer(struct bytes blob, const struct message_read_reply *reply)
{
    struct operations walk;
    struct operation operation;
    struct operation_fault fault;
    ASSERT(operations_open(blob, &walk, &fault) == STATUS_ok);
    ASSERT(operations_next(&walk, &operation, &fault) == STATUS_ok);
    bool is_ours = walk.count == 1 && bytes_equal(operation.collection, bytes_from_text("c"));
    if (!is_ours || (operation.limit != 0 && operation.limit > PAGE_ROWS_MAX)) {
        return;
    }
    if (operation.kind == OPERATION_count) {
        check_count(&operation, reply);
    } else if (operation.kind == OPERATION_find && operation.cursor.size == 0 &&
               !operation.explain) {
        check_find(&operation);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer canonical = {0};
    AUTO(buffer_release) struct buffer answer = {0};
    struct bytes input = bytes_of(data, size);
    struct message_read_reply reply;
    struct operation_fault fault;
    if (store.state == NULL) {
        fill(&store);
    }
    struct message_read read = {.level = READ_any};
    uint8_t how = fuzz_take_u8(&input);
    if (how >= 128) {
        read.level = READ_snapshot;
        read.at_version = how == 255 ? 0 : how - 128;
        read.at_time_us = how == 255 ? (uint64_t)fuzz_take_u8(&input) * 500000 : 0;
    }
    read.operations = input;
    ask(&read, &answer, &reply);
    if (operations_canonicalize(input, &canonical, &fault) == STATUS_ok) {
        AUTO(fuzz_copy_release) struct fuzz_copy copy = fuzz_copy_of(buffer_bytes(&canonical));
        read.operations = fuzz_copy_bytes(&copy);
        ask(&read, &answer, &reply);
        if (read.level == READ_any) {
            check_answer(read.operations, &reply);
        }
    }
    ASSERT(state_memory_open_count(store.state) == 1); // the mark
    return 0;
}
