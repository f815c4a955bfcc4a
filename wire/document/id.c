/*
 * Ids in their four forms: msgpack, struct, key and text. In the text form an integer is written
 * `i:42`, so a text id that looks like that can't be named by it; such ids remain reachable through
 * msgpack and JSON.
 */
#include "wire/document/id.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "wire/key.h"
#include "wire/pack.h"

#include <inttypes.h>
#include <stdio.h>

static bool text_is_valid(struct bytes text, size_t size_max)
{
    return text.size >= 1 && text.size <= size_max && memchr(text.data, 0, text.size) == NULL &&
           utf8_is_valid(text);
}

static enum status id_of_value(const struct value *value, struct document_id *ret_id)
{
    switch (value->kind) {
    case VALUE_TEXT:
        if (!text_is_valid(value->bytes, DOCUMENT_ID_SIZE_MAX)) {
            return STATUS_bad_request;
        }
        *ret_id = (struct document_id){.is_text = true, .text = value->bytes};
        return STATUS_ok;
    case VALUE_UNSIGNED:
        if (value->natural > INT64_MAX) {
            return STATUS_bad_request;
        }
        *ret_id = (struct document_id){.integer = (int64_t)value->natural};
        return STATUS_ok;
    case VALUE_NEGATIVE:
        *ret_id = (struct document_id){.integer = value->integer};
        return STATUS_ok;
    default: return STATUS_bad_request;
    }
}

enum status document_id_take(struct cursor *cursor, struct document_id *ret_id)
{
    struct cursor at = *cursor;
    struct value value;
    TRY(cursor_value(&at, &value));
    TRY(id_of_value(&value, ret_id));
    *cursor = at;
    return STATUS_ok;
}

void document_id_pack(const struct document_id *id, struct buffer *out)
{
    if (id->is_text) {
        pack_text(out, id->text);
    } else {
        pack_i64(out, id->integer);
    }
}

void document_id_append_key(const struct document_id *id, struct buffer *key)
{
    if (id->is_text) {
        key_append_text(key, id->text);
    } else {
        key_append_integer(key, id->integer);
    }
}

enum status document_id_take_key(struct bytes *rest, struct buffer *out)
{
    size_t size = out->size;
    struct bytes at = *rest;
    TRY(key_take_value(&at, out));
    struct cursor cursor = cursor_of(bytes_of(out->data + size, out->size - size));
    struct document_id id;
    enum status status = document_id_take(&cursor, &id);
    if (status != STATUS_ok) {
        buffer_truncate(out, size);
        return status;
    }
    *rest = at;
    return STATUS_ok;
}

// True if `text` is an optional minus and digits.
static bool looks_like_integer(struct bytes text)
{
    size_t first = text.size > 0 && text.data[0] == '-';
    for (size_t i = first; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    return text.size > first;
}

static enum status integer_from_digits(struct bytes text, int64_t *ret_integer)
{
    bool is_negative = text.data[0] == '-';
    int64_t value = 0;
    for (size_t i = is_negative; i < text.size; i++) {
        int64_t digit = text.data[i] - '0';
        bool overflows = __builtin_mul_overflow(value, 10, &value) ||
                         __builtin_sub_overflow(value, digit, &value);
        if (overflows) {
            return STATUS_bad_request;
        }
    }
    // Counted downwards, since there is one more negative number than positive ones.
    if (!is_negative && __builtin_sub_overflow((int64_t)0, value, &value)) {
        return STATUS_bad_request;
    }
    *ret_integer = value;
    return STATUS_ok;
}

enum status document_id_from_text(struct bytes text, struct document_id *ret_id)
{
    if (bytes_starts_with(text, bytes_from_text("i:"))) {
        struct bytes digits = bytes_of(text.data + 2, text.size - 2);
        if (looks_like_integer(digits)) {
            int64_t integer;
            TRY(integer_from_digits(digits, &integer));
            *ret_id = (struct document_id){.integer = integer};
            return STATUS_ok;
        }
    }
    if (!text_is_valid(text, DOCUMENT_ID_SIZE_MAX)) {
        return STATUS_bad_request;
    }
    *ret_id = (struct document_id){.is_text = true, .text = text};
    return STATUS_ok;
}

void document_id_print(const struct document_id *id, struct buffer *out)
{
    if (id->is_text) {
        buffer_append(out, id->text);
        return;
    }
    char digits[32];
    snprintf(digits, sizeof digits, "i:%" PRId64, id->integer);
    buffer_append(out, bytes_from_text(digits));
}

bool document_id_equal(const struct document_id *a, const struct document_id *b)
{
    if (a->is_text != b->is_text) {
        return false;
    }
    return a->is_text ? bytes_equal(a->text, b->text) : a->integer == b->integer;
}

bool collection_name_is_valid(struct bytes name)
{
    return text_is_valid(name, COLLECTION_NAME_SIZE_MAX) && name.data[0] != '$';
}
