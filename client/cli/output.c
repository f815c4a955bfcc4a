/*
 * Results are msgpack values, so that a command says what it found once and every format is made
 * from that. Cells of the formats for people and scripts are JSON values, texts without their
 * quotes: control characters in a document never reach a terminal.
 *
 * In the table format a map is one line a field, and arrays of maps in it follow as columns, headed
 * by the field names of their first element. In the plain format the values stand alone, arrays of
 * maps again one line an element.
 */
#include "client/cli/output.h"

#include "base/rfc3339.h"
#include "base/utf8.h"
#include "wire/json.h"
#include "wire/pack.h"

#include <stdio.h>
#include <unistd.h>

enum { COLUMNS_MAX = 24, COLUMN_GAP = 2 };

bool output_format_from_name(const char *name, enum output_format *ret_format)
{
    static const char *const names[] = {
        [OUTPUT_json] = "json", [OUTPUT_table] = "table", [OUTPUT_plain] = "plain"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_format = (enum output_format)i;
            return true;
        }
    }
    return false;
}

static void append_spaces(struct buffer *out, size_t count)
{
    for (; count > 0; count--) {
        buffer_append_u8(out, ' ');
    }
}

// Columns that UTF-8 text takes on a terminal, about.
static size_t width_of(struct bytes text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.size; i++) {
        width += (text.data[i] & 0xc0) != 0x80;
    }
    return width;
}

// What the buffer holds from `start` on.
static struct bytes bytes_since(const struct buffer *out, size_t start)
{
    // Even adding 0 to NULL is undefined in C: nothing was appended to an empty buffer.
    return out->size == start ? bytes_of(NULL, 0) : bytes_of(out->data + start, out->size - start);
}

// Takes the quotes off the JSON text that was appended since `start`.
static void strip_quotes(struct buffer *out, size_t start)
{
    size_t size = out->size - start;
    memmove(out->data + start, out->data + start + 1, size - 2);
    buffer_truncate(out, out->size - 2);
}

// Appends the name of a field, as a text in a cell; returns the columns that it takes.
static size_t append_name(struct bytes name, struct buffer *out)
{
    size_t start = out->size;
    if (utf8_is_valid(name)) {
        json_append_text(name, out);
        strip_quotes(out, start);
    } else {
        buffer_append(out, bytes_from_text("?"));
    }
    return width_of(bytes_since(out, start));
}

// Appends a single value as a cell and passes it.
static void append_single(struct cursor *cursor, struct buffer *out)
{
    struct value value;
    struct cursor inside = *cursor;
    size_t start = out->size;
    if (cursor_value(&inside, &value) == STATUS_ok && value.kind == VALUE_TIMESTAMP) {
        rfc3339_print(value.seconds, value.nanoseconds, out);
        *cursor = inside;
        return;
    }
    if (json_from_msgpack(cursor, out) != STATUS_ok) {
        buffer_append(out, bytes_from_text("?"));
        cursor->next = cursor->end;
        return;
    }
    struct bytes cell = bytes_since(out, start);
    if (cell.data[0] == '"') {
        strip_quotes(out, start);
    } else if (bytes_equal(cell, bytes_from_text("null"))) {
        buffer_truncate(out, start);
        buffer_append_u8(out, '-');
    }
}

// Whether the next value is an array of maps that have the same number of fields, or empty.
static bool is_rows(struct cursor cursor)
{
    uint32_t count, pairs;
    uint32_t columns = 0;
    struct bytes row;
    if (cursor_array(&cursor, &count) != STATUS_ok) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct cursor inside = cursor;
        if (cursor_map(&inside, &pairs) != STATUS_ok || pairs == 0 || (i > 0 && pairs != columns) ||
            cursor_skip(&cursor, &row) != STATUS_ok) {
            return false;
        }
        columns = pairs;
    }
    return true;
}

// Appends the values of a row within a cell: "detect 97.3".
static void append_inner_row(struct cursor *cursor, struct buffer *out)
{
    uint32_t pairs;
    struct bytes name;
    if (cursor_map(cursor, &pairs) != STATUS_ok) {
        return;
    }
    for (uint32_t i = 0; i < pairs && cursor_text(cursor, &name) == STATUS_ok; i++) {
        buffer_append(out, bytes_from_text(i == 0 ? "" : " "));
        append_single(cursor, out);
    }
}

// Appends the next value as a cell and passes it; rows in it one behind the other.
static void append_cell(struct cursor *cursor, struct buffer *out)
{
    uint32_t count;
    if (!is_rows(*cursor) || cursor_array(cursor, &count) != STATUS_ok) {
        append_single(cursor, out);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        buffer_append(out, bytes_from_text(i == 0 ? "" : ", "));
        append_inner_row(cursor, out);
    }
}

// What is measured and then printed of an array of maps.
struct columns {
    struct bytes names[COLUMNS_MAX];
    size_t widths[COLUMNS_MAX];
    uint32_t count;
    enum output_format format;
};

// Passes values.
static void skip_values(struct cursor *cursor, uint64_t count)
{
    enum status status = STATUS_ok;
    for (uint64_t i = 0; i < count && status == STATUS_ok; i++) {
        status = cursor_skip(cursor, NULL);
    }
}

// Appends one row of cells; with `is_header` the names, else the values of the map at the cursor,
// which is passed.
static void append_row(struct columns *columns, struct cursor *cursor, bool is_header,
                       struct buffer *out)
{
    uint32_t pairs = columns->count;
    struct bytes name;
    if (!is_header && cursor_map(cursor, &pairs) != STATUS_ok) {
        return;
    }
    size_t pad = 0;
    uint32_t shown = pairs < columns->count ? pairs : columns->count;
    for (uint32_t i = 0; i < shown; i++) {
        if (columns->format == OUTPUT_plain && i > 0) {
            buffer_append_u8(out, '\t');
        } else {
            append_spaces(out, pad);
        }
        size_t start = out->size;
        if (is_header) {
            append_name(columns->names[i], out);
        } else if (cursor_text(cursor, &name) == STATUS_ok) {
            append_cell(cursor, out);
        }
        size_t width = width_of(bytes_since(out, start));
        columns->widths[i] = width > columns->widths[i] ? width : columns->widths[i];
        pad = columns->widths[i] - width + COLUMN_GAP;
    }
    skip_values(cursor, 2 * (uint64_t)(pairs - shown));
    buffer_append_u8(out, '\n');
}

// Sets names and widths from the rows at the cursor.
static void measure(struct columns *columns, struct cursor cursor, uint32_t rows)
{
    AUTO(buffer_release) struct buffer scratch = {0};
    struct cursor first = cursor;
    struct bytes value;
    if (rows == 0 || cursor_map(&first, &columns->count) != STATUS_ok) {
        return;
    }
    columns->count = columns->count < COLUMNS_MAX ? columns->count : COLUMNS_MAX;
    for (uint32_t i = 0; i < columns->count; i++) {
        if (cursor_text(&first, &columns->names[i]) != STATUS_ok ||
            cursor_skip(&first, &value) != STATUS_ok) {
            columns->count = i;
        }
    }
    append_row(columns, NULL, true, &scratch);
    for (uint32_t i = 0; i < rows; i++) {
        append_row(columns, &cursor, false, &scratch);
    }
}

// Appends the array of maps at the cursor and passes it.
static void append_rows(enum output_format format, struct cursor *cursor, struct buffer *out)
{
    uint32_t rows;
    struct columns columns = {.format = format};
    if (cursor_array(cursor, &rows) != STATUS_ok) {
        return;
    }
    measure(&columns, *cursor, rows);
    if (format == OUTPUT_table && rows > 0) {
        append_row(&columns, NULL, true, out);
    }
    for (uint32_t i = 0; i < rows; i++) {
        append_row(&columns, cursor, false, out);
    }
}

static size_t widest_name(struct cursor cursor, uint32_t pairs)
{
    AUTO(buffer_release) struct buffer scratch = {0};
    size_t widest = 0;
    struct bytes name, value;
    for (uint32_t i = 0; i < pairs; i++) {
        if (cursor_text(&cursor, &name) != STATUS_ok || cursor_skip(&cursor, &value) != STATUS_ok) {
            break;
        }
        size_t width = append_name(name, &scratch);
        widest = width > widest ? width : widest;
    }
    return widest;
}

// Appends the map at the cursor: first its single values, then its arrays of maps.
static void append_map(enum output_format format, struct cursor *cursor, struct buffer *out)
{
    AUTO(buffer_release) struct buffer rows = {0};
    uint32_t pairs;
    struct bytes name;
    if (cursor_map(cursor, &pairs) != STATUS_ok) {
        return;
    }
    size_t widest = widest_name(*cursor, pairs);
    size_t start = out->size;
    for (uint32_t i = 0; i < pairs && cursor_text(cursor, &name) == STATUS_ok; i++) {
        if (is_rows(*cursor)) {
            append_rows(format, cursor, &rows);
        } else if (format == OUTPUT_table) {
            size_t width = append_name(name, out);
            append_spaces(out, widest - width + COLUMN_GAP);
            append_cell(cursor, out);
            buffer_append_u8(out, '\n');
        } else {
            buffer_append(out, bytes_from_text(out->size == start ? "" : "\t"));
            append_cell(cursor, out);
        }
    }
    if (format == OUTPUT_plain && out->size > start) {
        buffer_append_u8(out, '\n');
    }
    buffer_append(out, buffer_bytes(&rows));
}

static void append_value(enum output_format format, struct bytes value, struct buffer *out)
{
    struct cursor cursor = cursor_of(value);
    enum value_kind kind;
    if (format != OUTPUT_json && cursor_peek(&cursor, &kind) == STATUS_ok && kind == VALUE_MAP) {
        append_map(format, &cursor, out);
        return;
    }
    if (format != OUTPUT_json && is_rows(cursor)) {
        append_rows(format, &cursor, out);
        return;
    }
    if (json_from_msgpack(&cursor, out) != STATUS_ok) {
        buffer_append(out, bytes_from_text("null"));
    }
    buffer_append_u8(out, '\n');
}

// Text of no bytes is nothing to show in this format.
static void print(struct output *output, const struct buffer *text)
{
    if (text->size > 0 &&
        (fwrite(text->data, 1, text->size, stdout) != text->size || fflush(stdout) != 0)) {
        output->has_failed = true;
    }
}

void output_value(struct output *output, struct bytes value)
{
    AUTO(buffer_release) struct buffer text = {0};
    append_value(output->format, value, &text);
    print(output, &text);
}

void output_rows(struct output *output, struct bytes rows)
{
    AUTO(buffer_release) struct buffer text = {0};
    struct cursor cursor = cursor_of(rows);
    uint32_t count = 0;
    if (output->format != OUTPUT_json || cursor_array(&cursor, &count) != STATUS_ok) {
        append_value(output->format, rows, &text);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct bytes row;
        if (cursor_skip(&cursor, &row) == STATUS_ok) {
            append_value(OUTPUT_json, row, &text);
        }
    }
    print(output, &text);
}

void output_failure(const struct output *output, const struct failure *failure)
{
    AUTO(buffer_release) struct buffer text = {0};
    const char *name = status_name(failure->status);
    struct bytes message = bytes_from_text(failure->message);
    output_progress("");
    if (output->format != OUTPUT_json) {
        (void)fprintf(stderr, "skein: %s: %s\n", name, failure->message);
        return;
    }
    buffer_append(&text, bytes_from_text("{\"error\":{\"code\":"));
    json_append_text(bytes_from_text(name), &text);
    buffer_append(&text, bytes_from_text(",\"message\":"));
    bool is_text = utf8_is_valid(message); // it may name a word of the command line
    json_append_text(is_text ? message : bytes_from_text("the request is not UTF-8"), &text);
    buffer_append(&text, bytes_from_text("}}\n"));
    (void)fwrite(text.data, 1, text.size, stderr);
}

void output_progress(const char *text)
{
    if (isatty(STDERR_FILENO)) {
        (void)fprintf(stderr, "\r\033[K%s", text);
    }
}
