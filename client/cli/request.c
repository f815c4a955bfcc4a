/*
 * The line becomes msgpack first (wire/json.h), then its fields are found by one table: name, type
 * and which kinds of request have them. A field that a request does not know is refused: a
 * misspelled after_version that was ignored would read stale data. The tag is found in a pass of
 * its own, so that a refusal carries it whatever else is wrong with the line. A field that is null
 * is left out, so that the cursor of a reply can be given back as it is.
 *
 * Operations go to the library as they are; it and the servers check them (wire/document).
 */
#include "client/cli/request.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "wire/document/operation.h"
#include "wire/json.h"
#include "wire/pack.h"

enum field_type { FIELD_TEXT, FIELD_NUMBER, FIELD_FLAG, FIELD_ARRAY, FIELD_MAP, FIELD_ANY };

// A field as it was found in a line.
struct found {
    struct bytes raw;  // the whole msgpack value; empty when it is not in the line
    struct bytes text; // FIELD_TEXT
    uint64_t number;   // FIELD_NUMBER
    bool flag;         // FIELD_FLAG
};

enum field {
    FIELD_tag,
    FIELD_do,
    FIELD_timeout_ms,
    FIELD_operations,
    FIELD_session,
    FIELD_sequence,
    FIELD_done_below,
    FIELD_collection,
    FIELD_id,
    FIELD_level,
    FIELD_after_version,
    FIELD_at_version,
    FIELD_at_time,
    FIELD_max_lag_versions,
    FIELD_max_lag_ms,
    FIELD_where,
    FIELD_order,
    FIELD_index,
    FIELD_limit,
    FIELD_cursor,
    FIELD_explain,
    FIELD_COUNT,
};

enum { NAME_SHOWN_MAX = 60 };

enum {
    IN_TXN = 1 << REQUEST_txn,
    IN_GET = 1 << REQUEST_get,
    IN_FIND = 1 << REQUEST_find,
    IN_READ = IN_GET | IN_FIND,
    IN_ALL = IN_TXN | IN_READ,
};

static const struct {
    const char *name;
    enum field_type type;
    unsigned kinds; // which requests may have it
    bool is_needed; // by those
} FIELDS[FIELD_COUNT] = {
    [FIELD_tag] = {"tag", FIELD_ANY, IN_ALL, false},
    [FIELD_do] = {"do", FIELD_TEXT, IN_ALL, true},
    [FIELD_timeout_ms] = {"timeout_ms", FIELD_NUMBER, IN_ALL, false},
    [FIELD_operations] = {"operations", FIELD_ARRAY, IN_TXN, true},
    [FIELD_session] = {"session", FIELD_TEXT, IN_TXN, false},
    [FIELD_sequence] = {"sequence", FIELD_NUMBER, IN_TXN, false},
    [FIELD_done_below] = {"done_below", FIELD_NUMBER, IN_TXN, false},
    [FIELD_collection] = {"collection", FIELD_TEXT, IN_READ, true},
    [FIELD_id] = {"id", FIELD_ANY, IN_GET, true},
    [FIELD_level] = {"level", FIELD_TEXT, IN_READ, false},
    [FIELD_after_version] = {"after_version", FIELD_NUMBER, IN_READ, false},
    [FIELD_at_version] = {"at_version", FIELD_NUMBER, IN_READ, false},
    [FIELD_at_time] = {"at_time", FIELD_NUMBER, IN_READ, false},
    [FIELD_max_lag_versions] = {"max_lag_versions", FIELD_NUMBER, IN_READ, false},
    [FIELD_max_lag_ms] = {"max_lag_ms", FIELD_NUMBER, IN_READ, false},
    [FIELD_where] = {"where", FIELD_MAP, IN_FIND, false},
    [FIELD_order] = {"order", FIELD_TEXT, IN_FIND, false},
    [FIELD_index] = {"index", FIELD_TEXT, IN_FIND, false},
    [FIELD_limit] = {"limit", FIELD_NUMBER, IN_FIND, false},
    [FIELD_cursor] = {"cursor", FIELD_TEXT, IN_FIND, false},
    [FIELD_explain] = {"explain", FIELD_FLAG, IN_FIND, false},
};

void request_init(struct request *request)
{
    *request = (struct request){0};
}

void request_release(struct request *request)
{
    buffer_release(&request->parsed);
    buffer_release(&request->read);
    request_init(request);
}

static enum status refuse_field(struct failure *failure, enum field field, const char *what)
{
    return failure_set(failure, STATUS_bad_request, "the field \"%s\" %s", FIELDS[field].name,
                       what);
}

static bool is_of_kind(const struct cursor *cursor, enum value_kind wanted)
{
    enum value_kind kind;
    return cursor_peek(cursor, &kind) == STATUS_ok && kind == wanted;
}

static enum status take_value(struct cursor *cursor, enum field field, struct found *found,
                              struct failure *failure)
{
    struct cursor inside = *cursor;
    struct bytes raw;
    bool is_left_out = FIELDS[field].type != FIELD_ANY && is_of_kind(&inside, VALUE_NIL);
    TRY(cursor_skip(cursor, &raw));
    if (is_left_out) {
        return STATUS_ok;
    }
    found->raw = raw;
    switch (FIELDS[field].type) {
    case FIELD_TEXT:
        return cursor_text(&inside, &found->text) == STATUS_ok
                   ? STATUS_ok
                   : refuse_field(failure, field, "is a string");
    case FIELD_NUMBER:
        return cursor_u64(&inside, &found->number) == STATUS_ok
                   ? STATUS_ok
                   : refuse_field(failure, field, "is a number from 0");
    case FIELD_FLAG:
        return cursor_flag(&inside, &found->flag) == STATUS_ok
                   ? STATUS_ok
                   : refuse_field(failure, field, "is true or false");
    case FIELD_ARRAY:
        return is_of_kind(&inside, VALUE_ARRAY) ? STATUS_ok
                                                : refuse_field(failure, field, "is an array");
    case FIELD_MAP: // the servers say what is wrong with one that is none
    case FIELD_ANY: return STATUS_ok;
    }
    UNREACHABLE();
}

static enum status find_field(struct bytes name, enum field *ret_field)
{
    for (enum field field = 0; field < FIELD_COUNT; field++) {
        if (bytes_equal(name, bytes_from_text(FIELDS[field].name))) {
            *ret_field = field;
            return STATUS_ok;
        }
    }
    return STATUS_absent;
}

// The tag of the request, empty if there is none.
static struct bytes find_tag(struct cursor cursor, uint32_t pairs)
{
    struct bytes name, value;
    for (uint32_t i = 0; i < pairs; i++) {
        if (cursor_text(&cursor, &name) != STATUS_ok || cursor_skip(&cursor, &value) != STATUS_ok) {
            break;
        }
        if (bytes_equal(name, bytes_from_text("tag"))) {
            return value;
        }
    }
    return bytes_of(NULL, 0);
}

static enum status take_fields(struct cursor *cursor, uint32_t pairs, struct found *found,
                               struct failure *failure)
{
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        enum field field;
        TRY(cursor_text(cursor, &name));
        if (find_field(name, &field) != STATUS_ok) {
            struct bytes shown = utf8_prefix(name, NAME_SHOWN_MAX);
            return failure_set(failure, STATUS_bad_request, "there is no field \"%.*s\"",
                               (int)shown.size, (const char *)shown.data);
        }
        TRY(take_value(cursor, field, &found[field], failure));
    }
    return STATUS_ok;
}

static enum status check_kind(struct bytes word, enum request_kind *ret_kind,
                              struct failure *failure)
{
    static const char *const words[] = {
        [REQUEST_txn] = "txn", [REQUEST_get] = "get", [REQUEST_find] = "find"};
    for (enum request_kind kind = REQUEST_txn; kind <= REQUEST_find; kind++) {
        if (bytes_equal(word, bytes_from_text(words[kind]))) {
            *ret_kind = kind;
            return STATUS_ok;
        }
    }
    return failure_set(failure, STATUS_bad_request,
                       "the field \"do\" is \"txn\", \"get\" or \"find\"");
}

static enum status check_fields(enum request_kind kind, const struct found *found,
                                struct failure *failure)
{
    for (enum field field = 0; field < FIELD_COUNT; field++) {
        bool is_given = found[field].raw.size > 0;
        bool belongs = (FIELDS[field].kinds & (1U << kind)) != 0;
        if (is_given && !belongs) {
            return refuse_field(failure, field, "has no place in this request");
        }
        if (!is_given && belongs && FIELDS[field].is_needed) {
            return refuse_field(failure, field, "is missing");
        }
    }
    return STATUS_ok;
}

// The level that the request names. Without one a version or a time makes it a snapshot; everything
// else is linearizable, also with after_version: nothing acknowledged is newer.
static enum status read_level(const struct found *found, enum read_level *ret_level,
                              struct failure *failure)
{
    bool is_snapshot = found[FIELD_at_version].raw.size > 0 || found[FIELD_at_time].raw.size > 0;
    if (found[FIELD_level].raw.size == 0) {
        *ret_level = is_snapshot ? READ_snapshot : READ_linearizable;
        return STATUS_ok;
    }
    if (!read_level_from_name(found[FIELD_level].text, ret_level)) {
        return refuse_field(failure, FIELD_level, "is linearizable, session, snapshot or any");
    }
    if (*ret_level == READ_snapshot && !is_snapshot && found[FIELD_cursor].raw.size == 0) {
        return refuse_field(failure, FIELD_level, "asks for a snapshot, of no version or time");
    }
    return STATUS_ok;
}

// Makes the array of one operation that the library takes.
static enum status make_get(struct request *request, const struct found *found,
                            struct failure *failure)
{
    struct cursor id = cursor_of(found[FIELD_id].raw);
    struct operation operation = {
        .kind = OPERATION_get, .collection = found[FIELD_collection].text, .has_id = true};
    if (document_id_take(&id, &operation.id) != STATUS_ok) {
        return refuse_field(failure, FIELD_id, "is a string of 1 to 256 bytes or an integer");
    }
    pack_array(&request->read, 1);
    operation_pack(&operation, &request->read);
    request->operations = buffer_bytes(&request->read);
    return STATUS_ok;
}

static enum status make_find(struct request *request, const struct found *found,
                             struct failure *failure)
{
    const struct operation operation = {.kind = OPERATION_find,
                                        .collection = found[FIELD_collection].text,
                                        .where = found[FIELD_where].raw,
                                        .order = found[FIELD_order].text,
                                        .index = found[FIELD_index].text,
                                        .limit = found[FIELD_limit].number,
                                        .cursor = found[FIELD_cursor].text,
                                        .explain = found[FIELD_explain].flag};
    static const enum field words[] = {FIELD_order, FIELD_index, FIELD_cursor};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (found[words[i]].raw.size > 0 && found[words[i]].text.size == 0) {
            return refuse_field(failure, words[i], "is empty");
        }
    }
    if (found[FIELD_limit].raw.size > 0 && operation.limit == 0) {
        return refuse_field(failure, FIELD_limit, "is a number from 1");
    }
    pack_array(&request->read, 1);
    operation_pack(&operation, &request->read);
    request->operations = buffer_bytes(&request->read);
    return STATUS_ok;
}

static enum status take_request(struct request *request, const struct found *found,
                                struct failure *failure)
{
    uint64_t timeout_ms = found[FIELD_timeout_ms].number;
    bool has_timeout = found[FIELD_timeout_ms].raw.size > 0;
    if (has_timeout && (timeout_ms < DEADLINE_MS_MIN || timeout_ms > DEADLINE_MS_MAX)) {
        return refuse_field(failure, FIELD_timeout_ms, "is from 1 to 600000");
    }
    if (found[FIELD_max_lag_ms].number > UINT32_MAX) {
        return refuse_field(failure, FIELD_max_lag_ms, "is too large");
    }
    request->timeout_ms = (uint32_t)timeout_ms;
    request->session = found[FIELD_session].text;
    request->sequence = found[FIELD_sequence].number;
    request->done_below = found[FIELD_done_below].number;
    request->after_version = found[FIELD_after_version].number;
    request->at_version = found[FIELD_at_version].number;
    request->at_time_us = found[FIELD_at_time].number;
    request->lag_versions_max = found[FIELD_max_lag_versions].number;
    request->lag_ms_max = (uint32_t)found[FIELD_max_lag_ms].number;
    TRY(read_level(found, &request->level, failure));
    if (request->kind == REQUEST_get) {
        return make_get(request, found, failure);
    }
    if (request->kind == REQUEST_find) {
        return make_find(request, found, failure);
    }
    if ((request->session.size > 0) != (request->sequence > 0)) {
        return refuse_field(failure, FIELD_sequence, "and \"session\" go together, from 1");
    }
    request->operations = found[FIELD_operations].raw;
    return STATUS_ok;
}

enum status request_parse(struct request *request, struct bytes line, struct failure *failure)
{
    struct json_fault fault;
    struct found found[FIELD_COUNT] = {0};
    uint32_t pairs;
    enum status status = json_to_msgpack(line, &request->parsed, &fault);
    if (status != STATUS_ok) {
        return failure_set(failure, status, "%s", fault.sentence);
    }
    struct cursor cursor = cursor_of(buffer_bytes(&request->parsed));
    if (cursor_map(&cursor, &pairs) != STATUS_ok) {
        return failure_set(failure, STATUS_bad_request, "a request is a JSON object");
    }
    request->tag = find_tag(cursor, pairs);
    TRY(take_fields(&cursor, pairs, found, failure));
    if (found[FIELD_do].raw.size == 0) {
        return refuse_field(failure, FIELD_do, "is missing");
    }
    TRY(check_kind(found[FIELD_do].text, &request->kind, failure));
    TRY(check_fields(request->kind, found, failure));
    return take_request(request, found, failure);
}
