/*
 * Reading goes through jansson's tree, which checks syntax, UTF-8 and duplicate names for us;
 * writing goes straight from a cursor to the text.
 *
 * 1. Both recurse as deep as the value nests, at most WIRE_DEPTH_MAX.
 * 2. What jansson says about a text may quote it and cut the quote within a character; such a
 *    sentence is replaced, so that errors are UTF-8.
 */
#include "wire/json.h"

#include "base/base64.h"
#include "base/rfc3339.h"
#include "base/utf8.h"
#include "wire/pack.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char BINARY_NAME[] = "$bin";
static const char TIME_NAME[] = "$time";

__attribute__((format(printf, 3, 4))) static enum status
fail(struct json_fault *fault, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->sentence, sizeof fault->sentence, format, arguments);
    va_end(arguments);
    return status;
}

static const char *describe(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_numeric_overflow:
        return "a number is out of range: integers reach from -2^63 to 2^63-1, floats to 1.8e308";
    case json_error_stack_overflow: return "the value is nested too deeply";
    default: break;
    }
    return utf8_is_valid(bytes_from_text(error->text)) ? error->text : "the text is malformed";
}

static enum status fail_syntax(struct json_fault *fault, const json_error_t *error)
{
    fault->line = error->line > 0 ? (unsigned)error->line : 1;
    fault->column = error->column > 0 ? (unsigned)error->column : 1;
    bool is_deep = json_error_code(error) == json_error_stack_overflow;
    return fail(fault, is_deep ? STATUS_too_deep : STATUS_bad_request, "line %u, column %u: %s",
                fault->line, fault->column, describe(error));
}

static struct bytes text_of(const json_t *json)
{
    return bytes_of(json_string_value(json), json_string_length(json));
}

static enum status read_binary(const json_t *json, struct buffer *out, struct json_fault *fault)
{
    AUTO(buffer_release) struct buffer binary = {0};
    if (!json_is_string(json) || base64_decode(text_of(json), &binary) != STATUS_ok) {
        return fail(fault, STATUS_bad_request, "a $bin is not a text in padded base64");
    }
    pack_binary(out, buffer_bytes(&binary));
    return STATUS_ok;
}

static enum status read_time(const json_t *json, struct buffer *out, struct json_fault *fault)
{
    int64_t seconds;
    uint32_t nanoseconds;
    if (!json_is_string(json) ||
        rfc3339_parse(text_of(json), &seconds, &nanoseconds) != STATUS_ok) {
        return fail(fault, STATUS_bad_request,
                    "a $time is not a time as in \"2024-02-29T12:30:00.5Z\" (RFC 3339)");
    }
    pack_timestamp(out, seconds, nanoseconds);
    return STATUS_ok;
}

static enum status read_value(json_t *json, unsigned depth, struct buffer *out,
                              struct json_fault *fault);

static enum status read_object(json_t *json, unsigned depth, struct buffer *out,
                               struct json_fault *fault)
{
    const char *name;
    json_t *value;
    pack_map(out, (uint32_t)json_object_size(json));
    json_object_foreach(json, name, value)
    {
        pack_text_literal(out, name);
        TRY(read_value(value, depth + 1, out, fault));
    }
    return STATUS_ok;
}

static enum status read_array(json_t *json, unsigned depth, struct buffer *out,
                              struct json_fault *fault)
{
    size_t count = json_array_size(json);
    pack_array(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        TRY(read_value(json_array_get(json, i), depth + 1, out, fault));
    }
    return STATUS_ok;
}

static enum status read_container(json_t *json, unsigned depth, struct buffer *out,
                                  struct json_fault *fault)
{
    if (json_object_size(json) == 1 && json_object_get(json, BINARY_NAME) != NULL) {
        return read_binary(json_object_get(json, BINARY_NAME), out, fault);
    }
    if (json_object_size(json) == 1 && json_object_get(json, TIME_NAME) != NULL) {
        return read_time(json_object_get(json, TIME_NAME), out, fault);
    }
    if (depth == WIRE_DEPTH_MAX) {
        return fail(fault, STATUS_too_deep, "the value is nested more than %d deep",
                    WIRE_DEPTH_MAX);
    }
    return json_is_object(json) ? read_object(json, depth, out, fault)
                                : read_array(json, depth, out, fault);
}

// `depth` containers are open around the value.
static enum status read_value(json_t *json, unsigned depth, struct buffer *out,
                              struct json_fault *fault)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
    case JSON_ARRAY: return read_container(json, depth, out, fault);
    case JSON_STRING: pack_text(out, text_of(json)); break;
    case JSON_INTEGER: pack_i64(out, json_integer_value(json)); break;
    case JSON_REAL: pack_double(out, json_real_value(json)); break;
    case JSON_TRUE: pack_flag(out, true); break;
    case JSON_FALSE: pack_flag(out, false); break;
    case JSON_NULL: pack_nil(out); break;
    }
    return STATUS_ok;
}

enum status json_to_msgpack(struct bytes text, struct buffer *out, struct json_fault *ret_fault)
{
    *ret_fault = (struct json_fault){0};
    json_error_t error;
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    const char *data = text.size == 0 ? "" : (const char *)text.data;
    json_t *json = json_loadb(data, text.size, flags, &error);
    if (json == NULL) {
        return fail_syntax(ret_fault, &error);
    }
    size_t size = out->size;
    enum status status = read_value(json, 0, out, ret_fault);
    json_decref(json);
    if (status != STATUS_ok) {
        buffer_truncate(out, size);
    }
    return status;
}

static void append(struct buffer *out, const char *text)
{
    buffer_append(out, bytes_from_text(text));
}

static void append_unsigned(struct buffer *out, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    append(out, digits);
}

static void append_negative(struct buffer *out, int64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    append(out, digits);
}

// The fewest digits that read back as the same float.
static enum status append_float(struct buffer *out, double value)
{
    if (!isfinite(value)) {
        return STATUS_bad_request;
    }
    char digits[40];
    snprintf(digits, sizeof digits, "%.15g", value);
    if (strtod(digits, NULL) != value) {
        snprintf(digits, sizeof digits, "%.16g", value);
    }
    if (strtod(digits, NULL) != value) {
        snprintf(digits, sizeof digits, "%.17g", value);
    }
    append(out, digits);
    if (strpbrk(digits, ".e") == NULL) {
        append(out, ".0");
    }
    return STATUS_ok;
}

static void append_escape(struct buffer *out, uint8_t byte)
{
    char escape[8];
    switch (byte) {
    case '"': append(out, "\\\""); return;
    case '\\': append(out, "\\\\"); return;
    case '\n': append(out, "\\n"); return;
    case '\r': append(out, "\\r"); return;
    case '\t': append(out, "\\t"); return;
    default: break;
    }
    snprintf(escape, sizeof escape, "\\u%04x", byte);
    append(out, escape);
}

void json_append_text(struct bytes text, struct buffer *out)
{
    size_t done = 0;
    buffer_append_u8(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte < 0x20 || byte == '"' || byte == '\\') {
            buffer_append(out, bytes_of(text.data + done, i - done));
            append_escape(out, byte);
            done = i + 1;
        }
    }
    if (done < text.size) {
        buffer_append(out, bytes_of(text.data + done, text.size - done));
    }
    buffer_append_u8(out, '"');
}

static enum status write_text(struct bytes text, struct buffer *out)
{
    if (!utf8_is_valid(text)) {
        return STATUS_bad_request;
    }
    json_append_text(text, out);
    return STATUS_ok;
}

static void write_binary(struct bytes binary, struct buffer *out)
{
    append(out, "{\"$bin\":\"");
    base64_encode(binary, out);
    append(out, "\"}");
}

static enum status write_time(const struct value *value, struct buffer *out)
{
    if (value->seconds < RFC3339_SECONDS_MIN || value->seconds > RFC3339_SECONDS_MAX) {
        return STATUS_bad_request;
    }
    append(out, "{\"$time\":\"");
    rfc3339_print(value->seconds, value->nanoseconds, out);
    append(out, "\"}");
    return STATUS_ok;
}

static enum status write_value(struct cursor *cursor, unsigned depth, struct buffer *out);

static enum status write_map(struct cursor *cursor, uint32_t pairs, unsigned depth,
                             struct buffer *out)
{
    buffer_append_u8(out, '{');
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        append(out, i == 0 ? "" : ",");
        TRY(cursor_text(cursor, &name));
        TRY(write_text(name, out));
        buffer_append_u8(out, ':');
        TRY(write_value(cursor, depth, out));
    }
    buffer_append_u8(out, '}');
    return STATUS_ok;
}

static enum status write_array(struct cursor *cursor, uint32_t count, unsigned depth,
                               struct buffer *out)
{
    buffer_append_u8(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        append(out, i == 0 ? "" : ",");
        TRY(write_value(cursor, depth, out));
    }
    buffer_append_u8(out, ']');
    return STATUS_ok;
}

static enum status write_container(struct cursor *cursor, const struct value *head, unsigned depth,
                                   struct buffer *out)
{
    if (depth == WIRE_DEPTH_MAX) {
        return STATUS_too_deep;
    }
    return head->kind == VALUE_MAP ? write_map(cursor, head->count, depth + 1, out)
                                   : write_array(cursor, head->count, depth + 1, out);
}

// `depth` containers are open around the value.
static enum status write_value(struct cursor *cursor, unsigned depth, struct buffer *out)
{
    struct value value;
    TRY(cursor_value(cursor, &value));
    switch (value.kind) {
    case VALUE_NIL: append(out, "null"); break;
    case VALUE_BOOLEAN: append(out, value.boolean ? "true" : "false"); break;
    case VALUE_UNSIGNED: append_unsigned(out, value.natural); break;
    case VALUE_NEGATIVE: append_negative(out, value.integer); break;
    case VALUE_FLOAT: return append_float(out, value.real);
    case VALUE_TEXT: return write_text(value.bytes, out);
    case VALUE_BINARY: write_binary(value.bytes, out); break;
    case VALUE_TIMESTAMP: return write_time(&value, out);
    case VALUE_ARRAY:
    case VALUE_MAP: return write_container(cursor, &value, depth, out);
    case VALUE_EXTENSION: return STATUS_bad_request;
    }
    return STATUS_ok;
}

enum status json_from_msgpack(struct cursor *cursor, struct buffer *out)
{
    size_t size = out->size;
    struct cursor at = *cursor;
    enum status status = write_value(&at, 0, out);
    if (status != STATUS_ok) {
        buffer_truncate(out, size);
        return status;
    }
    *cursor = at;
    return STATUS_ok;
}
