/*
 * A primary's storage without the rest of it: positions, versions and times are counted here,
 * entries wait in an array until the test applies them. Outcomes are borrowed from the executor
 * until its next call, as they are for a node.
 */
#include "tests/unit/fixture_engine.h"

#include "base/utf8.h"
#include "storage/state_memory.h"
#include "wire/json.h"
#include "wire/pack.h"

#include <criterion/criterion.h>

void engine_init(struct engine *engine)
{
    *engine = (struct engine){.state = state_memory_new(), .time_us = 1000000};
    engine->executor = executor_new(engine->state);
    engine_open(engine);
}

void engine_release(struct engine *engine)
{
    executor_destroy(&engine->executor);
    state_destroy(&engine->state);
    applied_release(&engine->applied);
    for (size_t i = 0; i < ENGINE_ENTRIES_MAX; i++) {
        buffer_release(&engine->entries[i].payload);
    }
    buffer_release(&engine->operations);
}

static void add(struct engine *engine, enum operation_kind kind, const char *collection,
                const char *id)
{
    struct operation operation = operation_on(kind, collection, id);
    engine_operation(engine, &operation);
}

static void add_write(struct engine *engine, struct operation *operation, uint64_t n)
{
    struct buffer document = {0};
    pack_map(&document, 1);
    pack_text_literal(&document, "n");
    pack_u64(&document, n);
    operation->document = buffer_bytes(&document);
    engine_operation(engine, operation);
    buffer_release(&document);
}

void engine_get(struct engine *engine, const char *collection, const char *id)
{
    add(engine, OPERATION_get, collection, id);
}

void engine_put(struct engine *engine, const char *collection, const char *id, uint64_t n)
{
    struct operation operation = operation_on(OPERATION_put, collection, id);
    add_write(engine, &operation, n);
}

void engine_insert(struct engine *engine, const char *collection, const char *id, uint64_t n)
{
    struct operation operation = operation_on(OPERATION_insert, collection, id);
    add_write(engine, &operation, n);
}

void engine_delete(struct engine *engine, const char *collection, const char *id)
{
    add(engine, OPERATION_delete, collection, id);
}

void engine_check(struct engine *engine, const char *collection, const char *id,
                  uint64_t document_version)
{
    struct operation operation = operation_on(OPERATION_check, collection, id);
    operation.has_document_version = true;
    operation.document_version = document_version;
    engine_operation(engine, &operation);
}

void engine_check_absent(struct engine *engine, const char *collection, const char *id)
{
    struct operation operation = operation_on(OPERATION_check, collection, id);
    operation.absent = true;
    engine_operation(engine, &operation);
}

void engine_operation(struct engine *engine, const struct operation *operation)
{
    operation_pack(operation, &engine->operations);
    engine->operation_count++;
}

struct operation operation_on(enum operation_kind kind, const char *collection, const char *id)
{
    struct operation operation = {.kind = kind, .collection = bytes_from_text(collection)};
    if (id != NULL) {
        operation.has_id = true;
        operation.id.is_text = true;
        operation.id.text = bytes_from_text(id);
    }
    return operation;
}

static enum status run(struct engine *engine, const struct executor_request *request)
{
    executor_run(engine->executor, request, &engine->outcome);
    return engine->outcome.status;
}

enum status engine_run(struct engine *engine, const char *session, uint64_t sequence,
                       uint64_t done_below)
{
    struct buffer operations = {0};
    pack_array(&operations, engine->operation_count);
    buffer_append(&operations, buffer_bytes(&engine->operations));
    const struct executor_request request = {
        .session = bytes_from_text(session),
        .sequence = sequence,
        .done_below = done_below,
        .operations = buffer_bytes(&operations),
    };
    enum status status = run(engine, &request);
    buffer_release(&operations);
    buffer_clear(&engine->operations);
    engine->operation_count = 0;
    return status;
}

enum status engine_run_packed(struct engine *engine, const char *session, uint64_t sequence,
                              struct bytes operations)
{
    const struct executor_request request = {
        .session = bytes_from_text(session),
        .sequence = sequence,
        .operations = operations,
    };
    return run(engine, &request);
}

static void pack_json(const char *json, struct buffer *out)
{
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), out, &fault), STATUS_ok, "%s: %s", json,
                 fault.sentence);
}

enum status engine_do(struct engine *engine, const char *json)
{
    struct buffer raw = {0};
    struct buffer canonical = {0};
    struct operation_fault fault;
    pack_json(json, &raw);
    bool is_sound = operations_canonicalize(buffer_bytes(&raw), &canonical, &fault) == STATUS_ok;
    const struct executor_request request = {
        .session = bytes_from_text("json"),
        .sequence = ++engine->sequence,
        .done_below = engine->sequence,
        .operations = buffer_bytes(is_sound ? &canonical : &raw),
    };
    enum status status = run(engine, &request);
    buffer_release(&raw);
    buffer_release(&canonical);
    return status;
}

void engine_expect(struct engine *engine, const char *json, const char *results)
{
    enum status status = engine_do(engine, json);
    cr_assert_eq(status, STATUS_ok, "%s: %s: %.*s", json, status_name(status),
                 (int)engine->outcome.message.size, (const char *)engine->outcome.message.data);
    engine_expect_results(engine, results);
}

// Appends the next result without its field "stats".
static void copy_result(struct cursor *cursor, struct buffer *out)
{
    uint32_t pairs;
    uint32_t kept = 0;
    struct buffer fields = {0};
    cr_assert_eq(cursor_map(cursor, &pairs), STATUS_ok);
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        struct bytes value;
        cr_assert_eq(cursor_text(cursor, &name), STATUS_ok);
        cr_assert_eq(cursor_skip(cursor, &value), STATUS_ok);
        if (!bytes_equal(name, bytes_from_text("stats"))) {
            pack_text(&fields, name);
            buffer_append(&fields, value);
            kept++;
        }
    }
    pack_map(out, kept);
    buffer_append(out, buffer_bytes(&fields));
    buffer_release(&fields);
}

static void append_json(struct bytes value, struct buffer *out)
{
    struct cursor cursor = cursor_of(value);
    cr_assert_eq(json_from_msgpack(&cursor, out), STATUS_ok);
    buffer_append_u8(out, 0);
}

void engine_expect_results(const struct engine *engine, const char *results)
{
    struct cursor cursor = cursor_of(engine->outcome.results);
    struct buffer packed = {0};
    struct buffer wanted = {0};
    struct buffer text = {0};
    struct buffer wanted_text = {0};
    uint32_t count;
    cr_assert_eq(cursor_array(&cursor, &count), STATUS_ok);
    pack_array(&packed, count);
    for (uint32_t i = 0; i < count; i++) {
        copy_result(&cursor, &packed);
    }
    cr_assert(cursor_at_end(&cursor));
    pack_json(results, &wanted);
    append_json(buffer_bytes(&packed), &text);
    append_json(buffer_bytes(&wanted), &wanted_text);
    cr_assert_str_eq((const char *)text.data, (const char *)wanted_text.data);
    buffer_release(&packed);
    buffer_release(&wanted);
    buffer_release(&text);
    buffer_release(&wanted_text);
}

void engine_close(struct engine *engine)
{
    cr_assert_lt(engine->entry_count, ENGINE_ENTRIES_MAX);
    struct closed_entry *entry = &engine->entries[engine->entry_count++];
    entry->transactions = executor_open_transactions(engine->executor);
    engine->version += entry->transactions;
    entry->version = engine->version;
    entry->time_us = engine->time_us;
    buffer_clear(&entry->payload);
    size_t size = executor_open_size(engine->executor);
    executor_close(engine->executor, ++engine->position, &entry->payload);
    cr_assert_leq(entry->payload.size, size + 1, "the open entry was larger than it said");
}

void engine_open(struct engine *engine)
{
    executor_open(engine->executor, engine->version, engine->time_us);
}

void engine_apply(struct engine *engine)
{
    cr_assert_gt(engine->entry_count, 0);
    struct closed_entry oldest = engine->entries[0];
    const struct entry entry = {
        .kind = ENTRY_BATCH,
        .epoch = 1,
        .position = engine->applied.place.position + 1,
        .version = oldest.version,
        .time_us = oldest.time_us,
        .transactions = oldest.transactions,
        .payload = buffer_bytes(&oldest.payload),
    };
    cr_assert_eq(apply_entry(engine->state, 1, &entry, &engine->applied), STATUS_ok);
    executor_applied(engine->executor, entry.position);
    engine->entry_count--;
    memmove(&engine->entries[0], &engine->entries[1],
            engine->entry_count * sizeof engine->entries[0]);
    engine->entries[engine->entry_count] = oldest;
}

void engine_settle(struct engine *engine)
{
    engine_close(engine);
    while (engine->entry_count > 0) {
        engine_apply(engine);
    }
    engine_open(engine);
}

void engine_wait(struct engine *engine, uint64_t seconds)
{
    engine->time_us += seconds * 1000000;
    engine_settle(engine);
    while (executor_has_work(engine->executor, engine->time_us)) {
        executor_work(engine->executor, 100);
        engine_settle(engine);
    }
}

size_t engine_cells(const struct engine *engine, enum cell_kind kind)
{
    struct buffer from = {0};
    struct buffer to = {0};
    struct state_cursor *cursor;
    struct bytes key;
    struct bytes value;
    size_t count = 0;
    cell_range(kind, &from, &to);
    cr_assert_eq(
        state_cursor_new(engine->state, NULL, buffer_bytes(&from), buffer_bytes(&to), &cursor),
        STATUS_ok);
    while (state_cursor_next(cursor, engine->state, &key, &value)) {
        count++;
    }
    cr_assert_eq(state_cursor_destroy(engine->state, &cursor), STATUS_ok);
    buffer_release(&from);
    buffer_release(&to);
    return count;
}

void engine_depose(struct engine *engine)
{
    executor_reset(engine->executor);
    engine->entry_count = 0;
    engine->position = engine->applied.place.position;
    engine->version = engine->applied.place.version;
    engine_open(engine);
}

// The map of a result, its head taken; false if there are no results.
static bool open_result(const struct engine *engine, uint32_t operation, struct cursor *ret_map,
                        uint32_t *ret_pairs)
{
    struct cursor cursor = cursor_of(engine->outcome.results);
    uint32_t count;
    cr_assert_eq(cursor_array(&cursor, &count), STATUS_ok);
    cr_assert_lt(operation, count);
    for (uint32_t i = 0; i < operation; i++) {
        cr_assert_eq(cursor_skip(&cursor, NULL), STATUS_ok);
    }
    *ret_map = cursor;
    return cursor_map(ret_map, ret_pairs) == STATUS_ok;
}

uint64_t engine_result_n(const struct engine *engine, uint32_t operation)
{
    struct cursor cursor;
    uint32_t pairs;
    struct bytes name;
    uint64_t n;
    cr_assert(open_result(engine, operation, &cursor, &pairs) && pairs == 3);
    cr_assert(cursor_text(&cursor, &name) == STATUS_ok &&
              bytes_equal(name, bytes_from_text("document")));
    if (cursor_map(&cursor, &pairs) != STATUS_ok) {
        return 0;
    }
    cr_assert(cursor_text(&cursor, &name) == STATUS_ok && cursor_u64(&cursor, &n) == STATUS_ok);
    return n;
}

struct bytes engine_result_id(const struct engine *engine, uint32_t operation)
{
    struct cursor cursor;
    uint32_t pairs;
    struct bytes name;
    struct bytes id = {0};
    cr_assert(open_result(engine, operation, &cursor, &pairs));
    if (pairs == 1 && cursor_text(&cursor, &name) == STATUS_ok) {
        cr_assert(bytes_equal(name, bytes_from_text("id")));
        cr_assert_eq(cursor_text(&cursor, &id), STATUS_ok);
    }
    return id;
}

void engine_expect_failure(const struct engine *engine, enum status status, uint32_t operation,
                           const char *words)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    memcpy(sentence, engine->outcome.message.data, engine->outcome.message.size);
    cr_assert_eq(engine->outcome.status, status, "%s: %s", status_name(engine->outcome.status),
                 sentence);
    cr_assert_eq(engine->outcome.operation, operation);
    cr_assert_eq(engine->outcome.results.size, 0);
    cr_assert(utf8_is_valid(engine->outcome.message), "\"%s\" is cut within a character", sentence);
    cr_assert_not_null(strstr(sentence, words), "\"%s\" doesn't name \"%s\"", sentence, words);
}
