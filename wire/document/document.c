/*
 * Canonical form. document_is_canonical() walks once and says yes or no; documents that come from
 * our own client library or another skein process pass here and are copied. Only what fails it is
 * walked again and rewritten:
 *
 *   rewrite_value --> rewrite_map: each pair is rewritten to the end of `out`, and a row remembers
 *   its name and where it lies; if the names didn't come in ascending order, the rows are sorted
 *   and the pairs put in their order by way of a scratch buffer.
 *
 * 1. Rows of all open maps share one array; a map uses the rows from where it began.
 * 2. Sorting costs n log n comparisons, moving costs each byte once a level, and levels are
 *    bounded by DOCUMENT_DEPTH_MAX: no input makes it quadratic. Recursion is bounded so, too.
 * 3. A value is in its shortest form exactly if it took as many bytes as the shortest form has: the
 *    only second encodings of the same size are the signed ones of integers that aren't negative.
 */
#include "wire/document/document.h"

#include "base/assert.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "base/utf8.h"
#include "wire/cursor.h"
#include "wire/pack.h"

#include <math.h>
#include <stdlib.h>

// One field of a map that is being rewritten.
struct row {
    struct bytes name; // borrowed from the input
    size_t offset;     // of the rewritten pair in `out`
    size_t size;       // of the rewritten pair
};

struct rewriter {
    struct cursor cursor;  // at the next value of the input
    struct buffer *out;    // what has been rewritten
    size_t begin;          // where the document begins in `out`
    struct buffer scratch; // pairs of a map on their way to another order
    struct row *rows;      // owned; fields of the maps that are open
    size_t row_count;
    size_t row_capacity;
    const char *reason; // why it failed
};

static const char TOO_LARGE[] = "is larger than 1 MiB";

static size_t integer_size(const struct value *value)
{
    if (value->kind == VALUE_UNSIGNED) {
        uint64_t n = value->natural;
        return n < 128 ? 1 : n <= UINT8_MAX ? 2 : n <= UINT16_MAX ? 3 : n <= UINT32_MAX ? 5 : 9;
    }
    int64_t n = value->integer;
    return n >= -32 ? 1 : n >= INT8_MIN ? 2 : n >= INT16_MIN ? 3 : n >= INT32_MIN ? 5 : 9;
}

static size_t sized_size(size_t size, size_t size_of_short_form)
{
    size_t head = size <= size_of_short_form ? 1
                  : size <= UINT8_MAX        ? 2
                  : size <= UINT16_MAX       ? 3
                                             : 5;
    return head + size;
}

static size_t timestamp_size(const struct value *value)
{
    if (value->seconds < 0 || value->seconds >= 1LL << 34) {
        return 15;
    }
    return value->nanoseconds == 0 && value->seconds <= UINT32_MAX ? 6 : 10;
}

// The bytes that the value takes in its shortest form, of a container only its head.
static size_t canonical_size(const struct value *value)
{
    switch (value->kind) {
    case VALUE_NIL:
    case VALUE_BOOLEAN: return 1;
    case VALUE_UNSIGNED:
    case VALUE_NEGATIVE: return integer_size(value);
    case VALUE_FLOAT: return 9;
    case VALUE_TEXT: return sized_size(value->bytes.size, 31);
    case VALUE_BINARY: return sized_size(value->bytes.size, 0) + (value->bytes.size == 0);
    case VALUE_ARRAY:
    case VALUE_MAP: return value->count < 16 ? 1 : value->count <= UINT16_MAX ? 3 : 5;
    case VALUE_TIMESTAMP: return timestamp_size(value);
    case VALUE_EXTENSION: break;
    }
    return 0;
}

// Whether the form of an integer that begins so is a signed one.
static bool form_is_signed(uint8_t first)
{
    return first >= 0xd0 && first <= 0xd3;
}

static bool float_is_canonical(double real)
{
    return isfinite(real) && !(real == 0 && signbit(real));
}

static bool time_is_canonical(int64_t seconds)
{
    return seconds >= RFC3339_SECONDS_MIN && seconds <= RFC3339_SECONDS_MAX;
}

// True if the next value, or the head of the next container, is canonical; takes it.
static bool take_canonical(struct cursor *cursor, struct value *ret_value)
{
    const uint8_t *begin = cursor->next;
    if (cursor_value(cursor, ret_value) != STATUS_ok ||
        (size_t)(cursor->next - begin) != canonical_size(ret_value)) {
        return false;
    }
    switch (ret_value->kind) {
    case VALUE_UNSIGNED: return !form_is_signed(*begin);
    case VALUE_TEXT: return utf8_is_valid(ret_value->bytes);
    case VALUE_FLOAT: return float_is_canonical(ret_value->real);
    case VALUE_TIMESTAMP: return time_is_canonical(ret_value->seconds);
    default: return true;
    }
}

static bool name_is_valid(struct bytes name)
{
    return (name.size == 0 || memchr(name.data, 0, name.size) == NULL) && utf8_is_valid(name);
}

static bool value_is_canonical(struct cursor *cursor, unsigned depth);

static bool map_is_canonical(struct cursor *cursor, uint32_t pairs, unsigned depth)
{
    struct bytes previous = bytes_of(NULL, 0);
    for (uint32_t i = 0; i < pairs; i++) {
        struct value name;
        bool is_good = take_canonical(cursor, &name) && name.kind == VALUE_TEXT &&
                       name_is_valid(name.bytes) &&
                       (i == 0 || bytes_compare(previous, name.bytes) < 0) &&
                       value_is_canonical(cursor, depth);
        if (!is_good) {
            return false;
        }
        previous = name.bytes;
    }
    return true;
}

static bool array_is_canonical(struct cursor *cursor, uint32_t count, unsigned depth)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!value_is_canonical(cursor, depth)) {
            return false;
        }
    }
    return true;
}

// `depth` containers are open around the value.
static bool value_is_canonical(struct cursor *cursor, unsigned depth)
{
    struct value value;
    if (!take_canonical(cursor, &value)) {
        return false;
    }
    if (value.kind != VALUE_MAP && value.kind != VALUE_ARRAY) {
        return true;
    }
    if (depth == DOCUMENT_DEPTH_MAX) {
        return false;
    }
    return value.kind == VALUE_MAP ? map_is_canonical(cursor, value.count, depth + 1)
                                   : array_is_canonical(cursor, value.count, depth + 1);
}

static enum status fail(struct rewriter *rewriter, enum status status, const char *reason)
{
    rewriter->reason = reason;
    return status;
}

static enum status rewrite_float(struct rewriter *rewriter, double real)
{
    if (!isfinite(real)) {
        return fail(rewriter, STATUS_bad_request, "holds a float that is not finite");
    }
    pack_double(rewriter->out, real == 0 ? 0 : real);
    return STATUS_ok;
}

static enum status rewrite_text(struct rewriter *rewriter, struct bytes text)
{
    if (!utf8_is_valid(text)) {
        return fail(rewriter, STATUS_bad_request, "holds a text that is not UTF-8");
    }
    pack_text(rewriter->out, text);
    return STATUS_ok;
}

static enum status rewrite_time(struct rewriter *rewriter, const struct value *value)
{
    if (!time_is_canonical(value->seconds)) {
        return fail(rewriter, STATUS_bad_request,
                    "holds a timestamp outside of the years 0 to 9999");
    }
    pack_timestamp(rewriter->out, value->seconds, value->nanoseconds);
    return STATUS_ok;
}

static void push_row(struct rewriter *rewriter, struct row row)
{
    if (rewriter->row_count == rewriter->row_capacity) {
        size_t capacity = rewriter->row_capacity == 0 ? 32 : 2 * rewriter->row_capacity;
        rewriter->rows = reallocarray(rewriter->rows, capacity, sizeof row);
        ASSERT(rewriter->rows != NULL);
        rewriter->row_capacity = capacity;
    }
    rewriter->rows[rewriter->row_count++] = row;
}

static enum status rewrite_name(struct rewriter *rewriter, struct bytes *ret_name)
{
    struct bytes name;
    if (cursor_text(&rewriter->cursor, &name) != STATUS_ok) {
        return fail(rewriter, STATUS_bad_request, "has a field name that is not a text");
    }
    if (!name_is_valid(name)) {
        return fail(rewriter, STATUS_bad_request,
                    "has a field name that is not UTF-8 or holds a NUL");
    }
    pack_text(rewriter->out, name);
    *ret_name = name;
    return STATUS_ok;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *row_a = a;
    const struct row *row_b = b;
    return bytes_compare(row_a->name, row_b->name);
}

static bool rows_ascend(const struct row *rows, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare_rows(&rows[i - 1], &rows[i]) >= 0) {
            return false;
        }
    }
    return true;
}

// Puts the pairs of a map, which lie at the end of `out`, in the order of the rows.
static void move_pairs(struct rewriter *rewriter, const struct row *rows, size_t count,
                       size_t begin)
{
    struct buffer *out = rewriter->out;
    buffer_clear(&rewriter->scratch);
    for (size_t i = 0; i < count; i++) {
        buffer_append(&rewriter->scratch, bytes_of(out->data + rows[i].offset, rows[i].size));
    }
    buffer_truncate(out, begin);
    buffer_append(out, buffer_bytes(&rewriter->scratch));
}

static enum status sort_pairs(struct rewriter *rewriter, size_t first_row, size_t begin)
{
    size_t count = rewriter->row_count - first_row;
    if (count < 2) {
        return STATUS_ok;
    }
    struct row *rows = rewriter->rows + first_row;
    if (rows_ascend(rows, count)) {
        return STATUS_ok;
    }
    qsort(rows, count, sizeof *rows, compare_rows);
    if (!rows_ascend(rows, count)) {
        return fail(rewriter, STATUS_bad_request, "has the same field name twice in one map");
    }
    move_pairs(rewriter, rows, count, begin);
    return STATUS_ok;
}

static enum status rewrite_value(struct rewriter *rewriter, unsigned depth);

static enum status rewrite_map(struct rewriter *rewriter, uint32_t pairs, unsigned depth)
{
    pack_map(rewriter->out, pairs);
    size_t first_row = rewriter->row_count;
    size_t begin = rewriter->out->size;
    for (uint32_t i = 0; i < pairs; i++) {
        struct row row = {.offset = rewriter->out->size};
        TRY(rewrite_name(rewriter, &row.name));
        TRY(rewrite_value(rewriter, depth));
        row.size = rewriter->out->size - row.offset;
        push_row(rewriter, row);
    }
    TRY(sort_pairs(rewriter, first_row, begin));
    rewriter->row_count = first_row;
    return STATUS_ok;
}

static enum status rewrite_array(struct rewriter *rewriter, uint32_t count, unsigned depth)
{
    pack_array(rewriter->out, count);
    for (uint32_t i = 0; i < count; i++) {
        TRY(rewrite_value(rewriter, depth));
    }
    return STATUS_ok;
}

static enum status rewrite_container(struct rewriter *rewriter, const struct value *head,
                                     unsigned depth)
{
    if (depth == DOCUMENT_DEPTH_MAX) {
        return fail(rewriter, STATUS_too_deep, "is nested too deeply");
    }
    return head->kind == VALUE_MAP ? rewrite_map(rewriter, head->count, depth + 1)
                                   : rewrite_array(rewriter, head->count, depth + 1);
}

static enum status rewrite_value(struct rewriter *rewriter, unsigned depth)
{
    struct buffer *out = rewriter->out;
    if (out->size - rewriter->begin > DOCUMENT_SIZE_MAX) {
        return fail(rewriter, STATUS_too_large, TOO_LARGE);
    }
    struct value value;
    if (cursor_value(&rewriter->cursor, &value) != STATUS_ok) {
        return fail(rewriter, STATUS_bad_request, "is not well-formed msgpack");
    }
    switch (value.kind) {
    case VALUE_NIL: pack_nil(out); return STATUS_ok;
    case VALUE_BOOLEAN: pack_flag(out, value.boolean); return STATUS_ok;
    case VALUE_UNSIGNED: pack_u64(out, value.natural); return STATUS_ok;
    case VALUE_NEGATIVE: pack_i64(out, value.integer); return STATUS_ok;
    case VALUE_FLOAT: return rewrite_float(rewriter, value.real);
    case VALUE_TEXT: return rewrite_text(rewriter, value.bytes);
    case VALUE_BINARY: pack_binary(out, value.bytes); return STATUS_ok;
    case VALUE_TIMESTAMP: return rewrite_time(rewriter, &value);
    case VALUE_ARRAY:
    case VALUE_MAP: return rewrite_container(rewriter, &value, depth);
    case VALUE_EXTENSION: break;
    }
    return fail(rewriter, STATUS_bad_request, "holds an extension of an unknown type");
}

static enum status rewrite_document(struct rewriter *rewriter)
{
    enum value_kind kind;
    if (cursor_peek(&rewriter->cursor, &kind) == STATUS_ok && kind != VALUE_MAP) {
        return fail(rewriter, STATUS_type, "is not a map");
    }
    TRY(rewrite_value(rewriter, 0));
    if (!cursor_at_end(&rewriter->cursor)) {
        return fail(rewriter, STATUS_bad_request, "is followed by further bytes");
    }
    if (rewriter->out->size - rewriter->begin > DOCUMENT_SIZE_MAX) {
        return fail(rewriter, STATUS_too_large, TOO_LARGE);
    }
    return STATUS_ok;
}

enum status document_canonicalize(struct bytes raw, struct buffer *out, const char **ret_reason)
{
    if (document_is_canonical(raw)) {
        buffer_append(out, raw);
        return STATUS_ok;
    }
    size_t size = out->size;
    struct rewriter rewriter = {.cursor = cursor_of(raw), .out = out, .begin = size};
    enum status status = rewrite_document(&rewriter);
    if (status != STATUS_ok) {
        buffer_truncate(out, size);
    }
    if (status != STATUS_ok && ret_reason != NULL) {
        *ret_reason = rewriter.reason;
    }
    buffer_release(&rewriter.scratch);
    free(rewriter.rows);
    return status;
}

bool document_is_canonical(struct bytes bytes)
{
    struct cursor cursor = cursor_of(bytes);
    enum value_kind kind;
    return bytes.size <= DOCUMENT_SIZE_MAX && cursor_peek(&cursor, &kind) == STATUS_ok &&
           kind == VALUE_MAP && value_is_canonical(&cursor, 0) && cursor_at_end(&cursor);
}
