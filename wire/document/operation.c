/*
 * The parser of operations. A map is walked once, whatever the order of its fields; each value goes
 * by its name into struct operation and sets the bit of its field. Then the bits are held against
 * what the kind needs and takes, one row of KINDS each, so that an operation is described in one
 * place.
 *
 *   operations_next --> take_fields --> take_field --> check_fields
 *
 * 1. Every mistake ends in operation_fail(), with a status and a sentence that names the
 *    operation's number and the field. Names from the input are quoted only if they are UTF-8, and
 *    cut.
 * 2. Nothing is copied or allocated; documents are stepped over.
 */
#include "wire/document/operation.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "wire/document/operation_fields.h"
#include "wire/document/path.h"
#include "wire/document/sentence.h"

// A bit for each field.
enum {
#define FIELD_BIT(name) BIT_##name = 1 << FIELD_##name,
    FIELD_LIST(FIELD_BIT)
#undef FIELD_BIT
};

enum {
    BITS_ANY = BIT_op | BIT_collection,
    BITS_KEYED = BITS_ANY | BIT_id,
    BITS_FIND = BIT_where | BIT_index | BIT_order | BIT_limit,
};

struct kind_row {
    const char *name; // word of the operation
    unsigned needed;  // bits of the fields that it must have
    unsigned taken;   // bits of the fields that it may have besides
    unsigned one_of;  // bits of which exactly one must be there; 0 for no such choice
    bool is_alone;    // no other operation may be in its list
};

static const struct kind_row KINDS[] = {
    [OPERATION_get] = {"get", BITS_KEYED, 0, 0, false},
    [OPERATION_insert] = {"insert", BITS_ANY | BIT_document, BIT_id, 0, false},
    [OPERATION_put] = {"put", BITS_KEYED | BIT_document, 0, 0, false},
    [OPERATION_update] = {"update", BITS_KEYED | BIT_patch, BIT_where | BIT_upsert, 0, false},
    [OPERATION_delete] = {"delete", BITS_KEYED, BIT_where, 0, false},
    [OPERATION_check] = {"check", BITS_KEYED, 0, BIT_where | BIT_document_version | BIT_absent,
                         false},
    [OPERATION_find] = {"find", BITS_ANY, BITS_FIND | BIT_cursor | BIT_explain, 0, false},
    [OPERATION_count] = {"count", BITS_ANY, BIT_where | BIT_index, 0, false},
    [OPERATION_unchanged] = {"unchanged", BITS_ANY, BIT_digest, BIT_ids | BIT_find, false},
    [OPERATION_create_collection] = {"create_collection", BITS_ANY, BIT_settings, 0, true},
    [OPERATION_drop_collection] = {"drop_collection", BITS_ANY, 0, 0, true},
    [OPERATION_create_index] = {"create_index", BITS_ANY | BIT_index | BIT_fields, BIT_unique, 0,
                                true},
    [OPERATION_drop_index] = {"drop_index", BITS_ANY | BIT_index, 0, 0, true},
    [OPERATION_history] = {"history", BITS_KEYED, 0, 0, false},
    [OPERATION_collections] = {"collections", BIT_op, 0, 0, false},
};

enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0] };

// One operation on its way.
struct parser {
    struct cursor cursor;          // at the next value of its map
    uint32_t number;               // 1 + number of the operation
    uint32_t count;                // of all operations
    struct operation operation;    // so far
    struct operation_fault *fault; // for the sentence if it fails
};

const char *operation_kind_name(enum operation_kind kind)
{
    ASSERT((unsigned)kind < KIND_COUNT);
    return KINDS[kind].name;
}

static enum status fail_field(struct parser *parser, enum field field, const char *what)
{
    return operation_fail(parser->fault, parser->number, STATUS_bad_request,
                          "has a field \"%s\" %s", (const char *)operation_field_name(field).data,
                          what);
}

static enum status fail_word(struct parser *parser, const char *what, struct bytes word)
{
    return operation_fail(parser->fault, parser->number, STATUS_bad_request, "%s \"%s\"", what,
                          quote_of(word).text);
}

enum status operations_open(struct bytes blob, struct operations *ret_operations,
                            struct operation_fault *ret_fault)
{
    if (blob.size > TRANSACTION_SIZE_MAX) {
        return operation_fail(ret_fault, 0, STATUS_too_large, "is larger than %d bytes",
                              TRANSACTION_SIZE_MAX);
    }
    struct cursor cursor = cursor_of(blob);
    uint32_t count;
    if (cursor_array(&cursor, &count) != STATUS_ok) {
        return operation_fail(ret_fault, 0, STATUS_bad_request, "is not an array of maps");
    }
    if (count == 0) {
        return operation_fail(ret_fault, 0, STATUS_bad_request,
                              "is empty: name at least one operation");
    }
    if (count > TRANSACTION_OPERATIONS_MAX) {
        return operation_fail(ret_fault, 0, STATUS_too_large, "holds %u operations, %d are allowed",
                              count, TRANSACTION_OPERATIONS_MAX);
    }
    *ret_operations = (struct operations){.cursor = cursor, .count = count};
    return STATUS_ok;
}

static enum status take_kind(struct parser *parser)
{
    struct bytes word;
    if (cursor_text(&parser->cursor, &word) != STATUS_ok) {
        return fail_field(parser, FIELD_op, "that is not a text");
    }
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        if (bytes_equal(bytes_from_text(KINDS[kind].name), word)) {
            parser->operation.kind = (enum operation_kind)kind;
            return STATUS_ok;
        }
    }
    return fail_word(parser, "is of an unknown kind", word);
}

static enum status take_collection(struct parser *parser)
{
    struct bytes name;
    if (cursor_text(&parser->cursor, &name) != STATUS_ok || !collection_name_is_valid(name)) {
        return fail_field(parser, FIELD_collection,
                          "that is not a name: a text of 1 to 128 bytes without NUL that doesn't "
                          "begin with $");
    }
    parser->operation.collection = name;
    return STATUS_ok;
}

static enum status take_id(struct parser *parser)
{
    if (document_id_take(&parser->cursor, &parser->operation.id) != STATUS_ok) {
        return fail_field(parser, FIELD_id,
                          "that is not an id: a text of 1 to 256 bytes without NUL, or a signed "
                          "64-bit integer");
    }
    parser->operation.has_id = true;
    return STATUS_ok;
}

static enum status take_map(struct parser *parser, enum field field, struct bytes *ret_map)
{
    enum value_kind kind;
    if (cursor_peek(&parser->cursor, &kind) == STATUS_ok && kind != VALUE_MAP) {
        fail_field(parser, field, "that is not a map");
        return STATUS_type;
    }
    enum status status = cursor_skip(&parser->cursor, ret_map);
    if (status != STATUS_ok) {
        fail_field(parser, field,
                   status == STATUS_too_deep ? "that is nested too deeply"
                                             : "that is not well-formed msgpack");
    }
    return status;
}

static enum status take_flag(struct parser *parser, enum field field, bool *ret_flag)
{
    if (cursor_flag(&parser->cursor, ret_flag) != STATUS_ok) {
        return fail_field(parser, field, "that is neither true nor false");
    }
    return STATUS_ok;
}

static enum status take_absent(struct parser *parser)
{
    TRY(take_flag(parser, FIELD_absent, &parser->operation.absent));
    if (!parser->operation.absent) {
        return fail_field(parser, FIELD_absent, "that is not true");
    }
    return STATUS_ok;
}

static enum status take_natural(struct parser *parser, enum field field, uint64_t min,
                                uint64_t *ret_number)
{
    bool is_number = cursor_u64(&parser->cursor, ret_number) == STATUS_ok;
    if (!is_number || *ret_number < min) {
        return fail_field(parser, field,
                          min == 0 ? "that is not an integer from 0 on"
                                   : "that is not an integer from 1 on");
    }
    return STATUS_ok;
}

static enum status take_document_version(struct parser *parser)
{
    parser->operation.has_document_version = true;
    return take_natural(parser, FIELD_document_version, 0, &parser->operation.document_version);
}

static enum status take_limit(struct parser *parser)
{
    TRY(take_natural(parser, FIELD_limit, 1, &parser->operation.limit));
    if (parser->operation.limit > PAGE_ROWS_MAX) {
        return operation_fail(parser->fault, parser->number, STATUS_too_large,
                              "has a field \"limit\" of %llu, and %d documents are the most",
                              (unsigned long long)parser->operation.limit, PAGE_ROWS_MAX);
    }
    return STATUS_ok;
}

static enum status take_index(struct parser *parser)
{
    struct bytes name;
    bool is_name = cursor_text(&parser->cursor, &name) == STATUS_ok && name.size >= 1 &&
                   name.size <= INDEX_NAME_SIZE_MAX && utf8_is_valid(name) &&
                   memchr(name.data, 0, name.size) == NULL;
    if (!is_name) {
        return fail_field(parser, FIELD_index,
                          "that is not a name: a text of 1 to 64 bytes without NUL");
    }
    parser->operation.index = name;
    return STATUS_ok;
}

static enum status take_order(struct parser *parser)
{
    struct bytes order;
    enum status status = cursor_text(&parser->cursor, &order);
    struct bytes path = order;
    if (status == STATUS_ok && bytes_starts_with(order, bytes_from_text("-"))) {
        path = bytes_of(order.data + 1, order.size - 1);
    }
    if (status != STATUS_ok ||
        !(path_is_valid(path) || bytes_equal(path, bytes_from_text("$id")))) {
        return fail_field(parser, FIELD_order,
                          "that is not the path of a field, or $id, with - in front for backwards");
    }
    parser->operation.order = order;
    return STATUS_ok;
}

static enum status take_cursor(struct parser *parser)
{
    struct bytes *text = &parser->operation.cursor;
    if (cursor_text(&parser->cursor, text) != STATUS_ok || text->size == 0) {
        return fail_field(parser, FIELD_cursor, "that is not the text that a page ended with");
    }
    return STATUS_ok;
}

static bool is_repeated(const struct bytes *paths, uint32_t count)
{
    for (uint32_t i = 0; i + 1 < count; i++) {
        if (bytes_equal(paths[i], paths[count - 1])) {
            return true;
        }
    }
    return false;
}

static enum status take_paths(struct parser *parser)
{
    static const char wanted[] = "that is not an array of 1 to 8 different paths of fields";
    const uint8_t *begin = parser->cursor.next;
    uint32_t count;
    if (cursor_array(&parser->cursor, &count) != STATUS_ok || count == 0 ||
        count > INDEX_FIELDS_MAX) {
        return fail_field(parser, FIELD_fields, wanted);
    }
    struct bytes paths[INDEX_FIELDS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        if (cursor_text(&parser->cursor, &paths[i]) != STATUS_ok || !path_is_valid(paths[i]) ||
            is_repeated(paths, i + 1)) {
            return fail_field(parser, FIELD_fields, wanted);
        }
    }
    parser->operation.fields = bytes_of(begin, (size_t)(parser->cursor.next - begin));
    return STATUS_ok;
}

static enum status take_ids(struct parser *parser)
{
    static const char wanted[] = "that is not an array of [id, document_version]";
    const uint8_t *begin = parser->cursor.next;
    uint32_t count;
    if (cursor_array(&parser->cursor, &count) != STATUS_ok) {
        return fail_field(parser, FIELD_ids, wanted);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct document_id id;
        uint64_t version;
        if (operation_take_pair(&parser->cursor, &id, &version) != STATUS_ok) {
            return fail_field(parser, FIELD_ids, wanted);
        }
    }
    parser->operation.ids = bytes_of(begin, (size_t)(parser->cursor.next - begin));
    return STATUS_ok;
}

static enum status take_fields(struct parser *parser, unsigned allowed, unsigned *ret_seen);

// The fields of a find inside an unchanged go where those of a find go.
static enum status take_find(struct parser *parser)
{
    unsigned seen;
    parser->operation.has_find = true;
    return take_fields(parser, BITS_FIND, &seen);
}

static enum status take_field(struct parser *parser, enum field field)
{
    struct operation *operation = &parser->operation;
    switch (field) {
    case FIELD_op: return take_kind(parser);
    case FIELD_collection: return take_collection(parser);
    case FIELD_id: return take_id(parser);
    case FIELD_document: return take_map(parser, field, &operation->document);
    case FIELD_patch: return take_map(parser, field, &operation->patch);
    case FIELD_where: return take_map(parser, field, &operation->where);
    case FIELD_upsert: return take_flag(parser, field, &operation->upsert);
    case FIELD_absent: return take_absent(parser);
    case FIELD_document_version: return take_document_version(parser);
    case FIELD_index: return take_index(parser);
    case FIELD_order: return take_order(parser);
    case FIELD_limit: return take_limit(parser);
    case FIELD_ids: return take_ids(parser);
    case FIELD_find: return take_find(parser);
    case FIELD_digest: return take_natural(parser, field, 0, &operation->digest);
    case FIELD_cursor: return take_cursor(parser);
    case FIELD_explain: return take_flag(parser, field, &operation->explain);
    case FIELD_settings: return take_map(parser, field, &operation->settings);
    case FIELD_fields: return take_paths(parser);
    case FIELD_unique: return take_flag(parser, field, &operation->unique);
    case FIELD_COUNT: break;
    }
    UNREACHABLE();
}

// Takes a map whose fields are all in `allowed`; ret_seen are the bits of those that came.
static enum status take_fields(struct parser *parser, unsigned allowed, unsigned *ret_seen)
{
    uint32_t pairs;
    if (cursor_map(&parser->cursor, &pairs) != STATUS_ok) {
        return operation_fail(parser->fault, parser->number, STATUS_bad_request, "is not a map");
    }
    unsigned seen = 0;
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        if (cursor_text(&parser->cursor, &name) != STATUS_ok) {
            return operation_fail(parser->fault, parser->number, STATUS_bad_request,
                                  "has a field whose name is not a text");
        }
        enum field field = operation_field_from_name(name);
        unsigned bit = field == FIELD_COUNT ? 0 : 1u << field;
        if ((bit & allowed) == 0) {
            return fail_word(parser, "has an unknown field", name);
        }
        if ((bit & seen) != 0) {
            return fail_word(parser, "has twice the field", name);
        }
        seen |= bit;
        TRY(take_field(parser, field));
    }
    *ret_seen = seen;
    return STATUS_ok;
}

// Refuses the operation for the first field of `bits`.
static enum status fail_bits(struct parser *parser, const char *what, unsigned bits)
{
    return fail_word(parser, what, operation_field_name((enum field)__builtin_ctz(bits)));
}

static enum status check_fields(struct parser *parser, unsigned seen)
{
    if ((seen & BIT_op) == 0) {
        return fail_bits(parser, "lacks the field", BIT_op);
    }
    const struct kind_row *row = &KINDS[parser->operation.kind];
    unsigned missing = row->needed & ~seen;
    if (missing != 0) {
        return fail_bits(parser, "lacks the field", missing);
    }
    unsigned unwanted = seen & ~(row->needed | row->taken | row->one_of);
    if (unwanted != 0) {
        return fail_bits(parser, "is of a kind that doesn't take the field", unwanted);
    }
    if (row->one_of != 0 && __builtin_popcount(seen & row->one_of) != 1) {
        return operation_fail(
            parser->fault, parser->number, STATUS_bad_request, "needs exactly one of %s",
            parser->operation.kind == OPERATION_check ? "where, document_version and absent"
                                                      : "ids and find");
    }
    if (((seen & BIT_find) != 0) != ((seen & BIT_digest) != 0)) {
        return operation_fail(parser->fault, parser->number, STATUS_bad_request,
                              "needs find and digest together");
    }
    if (row->is_alone && parser->count != 1) {
        return operation_fail(parser->fault, parser->number, STATUS_bad_request,
                              "is of a kind (%s) that must be alone in its transaction", row->name);
    }
    return STATUS_ok;
}

enum status operations_next(struct operations *operations, struct operation *ret_operation,
                            struct operation_fault *ret_fault)
{
    ASSERT(operations_have_next(operations));
    struct parser parser = {.cursor = operations->cursor,
                            .number = operations->taken + 1,
                            .count = operations->count,
                            .fault = ret_fault};
    unsigned seen = 0;
    TRY(take_fields(&parser, ~0u, &seen));
    TRY(check_fields(&parser, seen));
    operations->cursor = parser.cursor;
    operations->taken++;
    if (!operations_have_next(operations) && !cursor_at_end(&operations->cursor)) {
        return operation_fail(ret_fault, 0, STATUS_bad_request, "is followed by further bytes");
    }
    *ret_operation = parser.operation;
    return STATUS_ok;
}
