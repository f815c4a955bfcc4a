/*
 * The parser of operations. A map is walked once, whatever the order of its fields; each value goes
 * by its name into struct operation and sets the bit of its field. Then the bits are held against
 * what the kind needs and takes, one row of KINDS each, so that an operation is described in one
 * place.
 *
 *   operations_next --> take_fields --> take_field --> check_fields
 *
 * 1. Every mistake ends in fail(), with a status and a sentence that names the operation's number
 *    and the field. Names from the input are quoted only if they are UTF-8, and cut.
 * 2. Nothing is copied or allocated by a walk; documents are stepped over.
 * 3. operations_canonicalize() walks, rewrites documents that aren't canonical, and writes anew:
 *    of a canonical blob that is one pass and one copy.
 */
#include "wire/document/operation.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "wire/document/document.h"
#include "wire/pack.h"

#include <stdarg.h>
#include <stdio.h>

// In the order in which they are written.
#define FIELD_LIST(FIELD)                                                                          \
    FIELD(op)                                                                                      \
    FIELD(collection)                                                                              \
    FIELD(id)                                                                                      \
    FIELD(document)                                                                                \
    FIELD(patch)                                                                                   \
    FIELD(where)                                                                                   \
    FIELD(upsert)                                                                                  \
    FIELD(absent)                                                                                  \
    FIELD(document_version)                                                                        \
    FIELD(index)                                                                                   \
    FIELD(order)                                                                                   \
    FIELD(limit)                                                                                   \
    FIELD(ids)                                                                                     \
    FIELD(find)                                                                                    \
    FIELD(digest)

enum field {
#define FIELD_NUMBER(name) FIELD_##name,
    FIELD_LIST(FIELD_NUMBER)
#undef FIELD_NUMBER
        FIELD_COUNT,
};

enum {
#define FIELD_BIT(name) BIT_##name = 1 << FIELD_##name,
    FIELD_LIST(FIELD_BIT)
#undef FIELD_BIT
        BITS_ANY = BIT_op | BIT_collection,
    BITS_KEYED = BITS_ANY | BIT_id,
    BITS_FIND = BIT_where | BIT_index | BIT_order | BIT_limit,
};

static const struct bytes FIELDS[FIELD_COUNT] = {
#define FIELD_NAME(name) {(const uint8_t *)#name, sizeof #name - 1},
    FIELD_LIST(FIELD_NAME)
#undef FIELD_NAME
};

struct kind_row {
    const char *name; // word of the operation
    unsigned needed;  // bits of the fields that it must have
    unsigned taken;   // bits of the fields that it may have besides
    unsigned one_of;  // bits of which exactly one must be there; 0 for no such choice
};

static const struct kind_row KINDS[] = {
    [OPERATION_get] = {"get", BITS_KEYED, 0, 0},
    [OPERATION_insert] = {"insert", BITS_ANY | BIT_document, BIT_id, 0},
    [OPERATION_put] = {"put", BITS_KEYED | BIT_document, 0, 0},
    [OPERATION_update] = {"update", BITS_KEYED | BIT_patch, BIT_where | BIT_upsert, 0},
    [OPERATION_delete] = {"delete", BITS_KEYED, BIT_where, 0},
    [OPERATION_check] = {"check", BITS_KEYED, 0, BIT_where | BIT_document_version | BIT_absent},
    [OPERATION_find] = {"find", BITS_ANY, BITS_FIND, 0},
    [OPERATION_count] = {"count", BITS_ANY, BIT_where, 0},
    [OPERATION_unchanged] = {"unchanged", BITS_ANY, BIT_digest, BIT_ids | BIT_find},
};

enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0], QUOTE_SIZE_MAX = 64 };

// One operation on its way.
struct parser {
    struct cursor cursor;          // at the next value of its map
    uint32_t number;               // 1 + number of the operation
    struct operation operation;    // so far
    struct operation_fault *fault; // for the sentence if it fails
};

// Documents of one operation that had to be rewritten.
struct rewritten {
    struct buffer document;
    struct buffer patch;
    struct buffer where;
};

const char *operation_kind_name(enum operation_kind kind)
{
    ASSERT((unsigned)kind < KIND_COUNT);
    return KINDS[kind].name;
}

// `format` makes a sentence whose subject is the operation, or the list if number is 0.
__attribute__((format(printf, 4, 5))) static enum status
fail(struct operation_fault *fault, uint32_t number, enum status status, const char *format, ...)
{
    size_t size = sizeof fault->sentence;
    int begin = number == 0 ? snprintf(fault->sentence, size, "the list of operations ")
                            : snprintf(fault->sentence, size, "operation %u ", number);
    ASSERT(begin > 0 && (size_t)begin < size);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->sentence + begin, size - (size_t)begin, format, arguments);
    va_end(arguments);
    fault->operation = number;
    return status;
}

static enum status fail_field(struct parser *parser, enum field field, const char *what)
{
    return fail(parser->fault, parser->number, STATUS_bad_request, "has a field \"%s\" %s",
                (const char *)FIELDS[field].data, what);
}

// What may be shown of a word from the input.
static struct bytes quotable(struct bytes word)
{
    bool is_text = utf8_is_valid(word) &&
                   (word.size == 0 || memchr(word.data, 0, word.size) == NULL);
    return is_text ? utf8_prefix(word, QUOTE_SIZE_MAX) : bytes_from_text("?");
}

static enum status fail_word(struct parser *parser, const char *what, struct bytes word)
{
    struct bytes quote = quotable(word);
    return fail(parser->fault, parser->number, STATUS_bad_request, "%s \"%.*s\"", what,
                (int)quote.size, (const char *)quote.data);
}

enum status operations_open(struct bytes blob, struct operations *ret_operations,
                            struct operation_fault *ret_fault)
{
    if (blob.size > TRANSACTION_SIZE_MAX) {
        return fail(ret_fault, 0, STATUS_too_large, "is larger than %d bytes",
                    TRANSACTION_SIZE_MAX);
    }
    struct cursor cursor = cursor_of(blob);
    uint32_t count;
    if (cursor_array(&cursor, &count) != STATUS_ok) {
        return fail(ret_fault, 0, STATUS_bad_request, "is not an array of maps");
    }
    if (count == 0) {
        return fail(ret_fault, 0, STATUS_bad_request, "is empty: name at least one operation");
    }
    if (count > TRANSACTION_OPERATIONS_MAX) {
        return fail(ret_fault, 0, STATUS_too_large, "holds %u operations, %d are allowed", count,
                    TRANSACTION_OPERATIONS_MAX);
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

static enum status take_word(struct parser *parser, enum field field, struct bytes *ret_word)
{
    bool is_text = cursor_text(&parser->cursor, ret_word) == STATUS_ok;
    if (!is_text || ret_word->size == 0 || !utf8_is_valid(*ret_word)) {
        return fail_field(parser, field, "that is not a text of at least one character");
    }
    return STATUS_ok;
}

// Steps over one [id, document_version].
static enum status take_pair(struct cursor *cursor, struct document_id *ret_id,
                             uint64_t *ret_version)
{
    uint32_t count;
    TRY(cursor_array(cursor, &count));
    if (count != 2) {
        return STATUS_bad_request;
    }
    TRY(document_id_take(cursor, ret_id));
    return cursor_u64(cursor, ret_version);
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
        if (take_pair(&parser->cursor, &id, &version) != STATUS_ok) {
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
    case FIELD_index: return take_word(parser, field, &operation->index);
    case FIELD_order: return take_word(parser, field, &operation->order);
    case FIELD_limit: return take_natural(parser, field, 1, &operation->limit);
    case FIELD_ids: return take_ids(parser);
    case FIELD_find: return take_find(parser);
    case FIELD_digest: return take_natural(parser, field, 0, &operation->digest);
    case FIELD_COUNT: break;
    }
    UNREACHABLE();
}

// The field called `name`, FIELD_COUNT if there is none.
static enum field find_field(struct bytes name)
{
    unsigned field = 0;
    while (field < FIELD_COUNT && !bytes_equal(FIELDS[field], name)) {
        field++;
    }
    return (enum field)field;
}

// Takes a map whose fields are all in `allowed`; ret_seen are the bits of those that came.
static enum status take_fields(struct parser *parser, unsigned allowed, unsigned *ret_seen)
{
    uint32_t pairs;
    if (cursor_map(&parser->cursor, &pairs) != STATUS_ok) {
        return fail(parser->fault, parser->number, STATUS_bad_request, "is not a map");
    }
    unsigned seen = 0;
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        if (cursor_text(&parser->cursor, &name) != STATUS_ok) {
            return fail(parser->fault, parser->number, STATUS_bad_request,
                        "has a field whose name is not a text");
        }
        enum field field = find_field(name);
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
    return fail_word(parser, what, FIELDS[__builtin_ctz(bits)]);
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
        return fail(parser->fault, parser->number, STATUS_bad_request, "needs exactly one of %s",
                    parser->operation.kind == OPERATION_check ? "where, document_version and absent"
                                                              : "ids and find");
    }
    if (((seen & BIT_find) != 0) != ((seen & BIT_digest) != 0)) {
        return fail(parser->fault, parser->number, STATUS_bad_request,
                    "needs find and digest together");
    }
    return STATUS_ok;
}

enum status operations_next(struct operations *operations, struct operation *ret_operation,
                            struct operation_fault *ret_fault)
{
    ASSERT(operations_have_next(operations));
    struct parser parser = {
        .cursor = operations->cursor, .number = operations->taken + 1, .fault = ret_fault};
    unsigned seen;
    TRY(take_fields(&parser, ~0u, &seen));
    TRY(check_fields(&parser, seen));
    operations->cursor = parser.cursor;
    operations->taken++;
    if (!operations_have_next(operations) && !cursor_at_end(&operations->cursor)) {
        return fail(ret_fault, 0, STATUS_bad_request, "is followed by further bytes");
    }
    *ret_operation = parser.operation;
    return STATUS_ok;
}

static void pack_name(struct buffer *out, enum field field)
{
    pack_text(out, FIELDS[field]);
}

static void pack_raw(struct buffer *out, enum field field, struct bytes value)
{
    if (value.size > 0) {
        pack_name(out, field);
        buffer_append(out, value);
    }
}

static void pack_word(struct buffer *out, enum field field, struct bytes word)
{
    if (word.size > 0) {
        pack_name(out, field);
        pack_text(out, word);
    }
}

static void pack_true(struct buffer *out, enum field field, bool value)
{
    if (value) {
        pack_name(out, field);
        pack_flag(out, true);
    }
}

static void pack_natural(struct buffer *out, enum field field, bool is_given, uint64_t number)
{
    if (is_given) {
        pack_name(out, field);
        pack_u64(out, number);
    }
}

// Every id and version in its shortest form; they have been checked when they were parsed.
static void pack_ids(struct buffer *out, struct bytes ids)
{
    if (ids.size == 0) {
        return;
    }
    struct cursor cursor = cursor_of(ids);
    uint32_t count = 0;
    bool is_sound = cursor_array(&cursor, &count) == STATUS_ok;
    pack_name(out, FIELD_ids);
    pack_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        struct document_id id = {0};
        uint64_t version = 0;
        is_sound = is_sound && take_pair(&cursor, &id, &version) == STATUS_ok;
        pack_array(out, 2);
        document_id_pack(&id, out);
        pack_u64(out, version);
    }
    ASSERT(is_sound);
}

static uint32_t count_find_fields(const struct operation *operation)
{
    return (operation->where.size > 0) + (uint32_t)(operation->index.size > 0) +
           (operation->order.size > 0) + (operation->limit > 0);
}

static void pack_find_fields(const struct operation *operation, struct buffer *out)
{
    pack_raw(out, FIELD_where, operation->where);
    pack_word(out, FIELD_index, operation->index);
    pack_word(out, FIELD_order, operation->order);
    pack_natural(out, FIELD_limit, operation->limit > 0, operation->limit);
}

static uint32_t count_fields(const struct operation *operation)
{
    uint32_t count = 2 + (uint32_t)operation->has_id + (operation->document.size > 0) +
                     (operation->patch.size > 0) + operation->upsert + operation->absent +
                     operation->has_document_version + (operation->ids.size > 0);
    return count + (operation->has_find ? 2 : count_find_fields(operation));
}

void operation_pack(const struct operation *operation, struct buffer *out)
{
    pack_map(out, count_fields(operation));
    pack_name(out, FIELD_op);
    pack_text_literal(out, operation_kind_name(operation->kind));
    pack_name(out, FIELD_collection);
    pack_text(out, operation->collection);
    if (operation->has_id) {
        pack_name(out, FIELD_id);
        document_id_pack(&operation->id, out);
    }
    pack_raw(out, FIELD_document, operation->document);
    pack_raw(out, FIELD_patch, operation->patch);
    if (!operation->has_find) {
        pack_find_fields(operation, out);
    }
    pack_true(out, FIELD_upsert, operation->upsert);
    pack_true(out, FIELD_absent, operation->absent);
    pack_natural(out, FIELD_document_version, operation->has_document_version,
                 operation->document_version);
    pack_ids(out, operation->ids);
    if (operation->has_find) {
        pack_name(out, FIELD_find);
        pack_map(out, count_find_fields(operation));
        pack_find_fields(operation, out);
    }
    pack_natural(out, FIELD_digest, operation->has_find, operation->digest);
}

static void rewritten_release(struct rewritten *rewritten)
{
    buffer_release(&rewritten->document);
    buffer_release(&rewritten->patch);
    buffer_release(&rewritten->where);
}

// Makes `*value`, the document in `field`, canonical, in `space` if it wasn't.
static enum status rewrite(struct bytes *value, struct buffer *space, enum field field,
                           uint32_t number, struct operation_fault *fault)
{
    if (value->size == 0 || document_is_canonical(*value)) {
        return STATUS_ok;
    }
    const char *reason = "";
    buffer_clear(space);
    enum status status = document_canonicalize(*value, space, &reason);
    if (status != STATUS_ok) {
        return fail(fault, number, status, "has a field \"%s\" that %s",
                    (const char *)FIELDS[field].data, reason);
    }
    *value = buffer_bytes(space);
    return STATUS_ok;
}

static enum status rewrite_all(struct bytes blob, struct buffer *out, struct rewritten *rewritten,
                               struct operation_fault *fault)
{
    struct operations operations;
    TRY(operations_open(blob, &operations, fault));
    pack_array(out, operations.count);
    while (operations_have_next(&operations)) {
        struct operation operation;
        TRY(operations_next(&operations, &operation, fault));
        uint32_t number = operations.taken;
        TRY(rewrite(&operation.document, &rewritten->document, FIELD_document, number, fault));
        TRY(rewrite(&operation.patch, &rewritten->patch, FIELD_patch, number, fault));
        TRY(rewrite(&operation.where, &rewritten->where, FIELD_where, number, fault));
        operation_pack(&operation, out);
    }
    return STATUS_ok;
}

enum status operations_canonicalize(struct bytes blob, struct buffer *out,
                                    struct operation_fault *ret_fault)
{
    size_t size = out->size;
    AUTO(rewritten_release) struct rewritten rewritten = {0};
    enum status status = rewrite_all(blob, out, &rewritten, ret_fault);
    if (status == STATUS_ok && out->size - size > TRANSACTION_SIZE_MAX) {
        status = fail(ret_fault, 0, STATUS_too_large, "is larger than %d bytes",
                      TRANSACTION_SIZE_MAX);
    }
    if (status != STATUS_ok) {
        buffer_truncate(out, size);
    }
    return status;
}
