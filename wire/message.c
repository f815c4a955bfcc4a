/*
 * Messages, expanded from wire/schema.h: for each kind one function that encodes its fields, one
 * that decodes them, one that prints them and one that finds a number by the name of its field.
 * The switches at the end choose among them by kind.
 *
 * 1. Encoded: the array [id, field, field, ...], numbers in their shortest form.
 * 2. Decoding is a walk of a cursor: nothing is allocated, texts and blobs are borrowed.
 * 3. Fewer fields than the schema has: the missing ones are zero. More: they are skipped. So old
 *    and new processes understand each other as long as fields are only appended.
 * 4. Every text is checked to be UTF-8, every number against its type and every size against its
 *    limit, before anybody sees the message.
 */
#include "wire/message.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "wire/cursor.h"
#include "wire/pack.h"

#include <inttypes.h>
#include <stdio.h>

// Fields of one message while it is decoded.
struct decoder {
    struct cursor cursor; // at the next field
    uint32_t fields_left; // fields that the sender wrote and nobody has taken
};

static void encode_u64(struct buffer *out, uint64_t value, size_t limit)
{
    (void)limit;
    pack_u64(out, value);
}

static void encode_u32(struct buffer *out, uint32_t value, size_t limit)
{
    encode_u64(out, value, limit);
}

static void encode_u8(struct buffer *out, uint8_t value, size_t limit)
{
    encode_u64(out, value, limit);
}

static void encode_flag(struct buffer *out, bool value, size_t limit)
{
    (void)limit;
    pack_flag(out, value);
}

static void encode_text(struct buffer *out, struct bytes text, size_t limit)
{
    ASSERT(text.size <= limit);
    pack_text(out, text);
}

static void encode_blob(struct buffer *out, struct bytes blob, size_t limit)
{
    ASSERT(blob.size <= limit);
    pack_binary(out, blob);
}

#define COUNT_FIELD(type, name, limit, doc) +1
#define ENCODE_FIELD(type, name, limit, doc) encode_##type(out, fields->name, limit);
#define ENCODE_MESSAGE(id, name, doc)                                                              \
    static void encode_##name##_message(const struct message_##name *fields, struct buffer *out)   \
    {                                                                                              \
        pack_array(out, 1 WIRE_##name(COUNT_FIELD));                                               \
        pack_u64(out, id);                                                                         \
        WIRE_##name(ENCODE_FIELD)                                                                  \
    }
MESSAGE_LIST(ENCODE_MESSAGE)

void message_encode(const struct message *message, struct buffer *out)
{
    switch (message->kind) {
#define ENCODE_CASE(id, name, doc)                                                                 \
    case id: encode_##name##_message(&message->name, out); return;
        MESSAGE_LIST(ENCODE_CASE)
    }
    UNREACHABLE();
}

// True if there is another field, which is then taken. A missing one stays zero.
static bool has_field(struct decoder *decoder)
{
    if (decoder->fields_left == 0) {
        return false;
    }
    decoder->fields_left--;
    return true;
}

static enum status decode_number(struct decoder *decoder, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (has_field(decoder)) {
        TRY(cursor_u64(&decoder->cursor, &value));
    }
    *ret_value = value;
    return value <= max ? STATUS_ok : STATUS_bad_request;
}

static enum status decode_u64(struct decoder *decoder, size_t limit, uint64_t *ret_value)
{
    (void)limit;
    return decode_number(decoder, UINT64_MAX, ret_value);
}

static enum status decode_u32(struct decoder *decoder, size_t limit, uint32_t *ret_value)
{
    (void)limit;
    uint64_t value;
    TRY(decode_number(decoder, UINT32_MAX, &value));
    *ret_value = (uint32_t)value;
    return STATUS_ok;
}

static enum status decode_u8(struct decoder *decoder, size_t limit, uint8_t *ret_value)
{
    (void)limit;
    uint64_t value;
    TRY(decode_number(decoder, UINT8_MAX, &value));
    *ret_value = (uint8_t)value;
    return STATUS_ok;
}

static enum status decode_flag(struct decoder *decoder, size_t limit, bool *ret_value)
{
    (void)limit;
    return has_field(decoder) ? cursor_flag(&decoder->cursor, ret_value) : STATUS_ok;
}

static enum status decode_text(struct decoder *decoder, size_t limit, struct bytes *ret_text)
{
    if (!has_field(decoder)) {
        return STATUS_ok;
    }
    TRY(cursor_text(&decoder->cursor, ret_text));
    bool is_good = ret_text->size <= limit && utf8_is_valid(*ret_text);
    return is_good ? STATUS_ok : STATUS_bad_request;
}

static enum status decode_blob(struct decoder *decoder, size_t limit, struct bytes *ret_blob)
{
    if (!has_field(decoder)) {
        return STATUS_ok;
    }
    TRY(cursor_binary(&decoder->cursor, ret_blob));
    return ret_blob->size <= limit ? STATUS_ok : STATUS_bad_request;
}

#define DECODE_FIELD(type, name, limit, doc) TRY(decode_##type(decoder, limit, &fields->name));
#define DECODE_MESSAGE(id, name, doc)                                                              \
    static enum status decode_##name##_message(struct decoder *decoder,                            \
                                               struct message_##name *fields)                      \
    {                                                                                              \
        WIRE_##name(DECODE_FIELD) return STATUS_ok;                                                \
    }
MESSAGE_LIST(DECODE_MESSAGE)

// Decodes into `message`, which is all zero.
static enum status decode_fields(struct decoder *decoder, uint64_t kind, struct message *message)
{
    switch (kind) {
#define DECODE_CASE(id, name, doc)                                                                 \
    case id:                                                                                       \
        message->kind = MESSAGE_##name;                                                            \
        return decode_##name##_message(decoder, &message->name);
        MESSAGE_LIST(DECODE_CASE)
    default: return STATUS_bad_request;
    }
}

static enum status skip_unknown_fields(struct decoder *decoder)
{
    for (; decoder->fields_left > 0; decoder->fields_left--) {
        if (cursor_skip(&decoder->cursor, NULL) != STATUS_ok) {
            return STATUS_bad_request;
        }
    }
    return STATUS_ok;
}

enum status message_decode(struct bytes *rest, struct message *ret_message)
{
    struct decoder decoder = {.cursor = cursor_of(*rest)};
    uint32_t count;
    uint64_t kind;
    TRY(cursor_array(&decoder.cursor, &count));
    if (count == 0) {
        return STATUS_bad_request;
    }
    TRY(cursor_u64(&decoder.cursor, &kind));
    decoder.fields_left = count - 1;
    struct message message;
    memset(&message, 0, sizeof message);
    TRY(decode_fields(&decoder, kind, &message));
    TRY(skip_unknown_fields(&decoder));
    *rest = cursor_rest(&decoder.cursor);
    *ret_message = message;
    return STATUS_ok;
}

const char *message_kind_name(enum message_kind kind)
{
    switch (kind) {
#define NAME_CASE(id, name, doc)                                                                   \
    case id: return #name;
        MESSAGE_LIST(NAME_CASE)
    }
    return "unknown";
}

static void print_literal(struct buffer *out, const char *text)
{
    buffer_append(out, bytes_from_text(text));
}

static void print_u64(struct buffer *out, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    print_literal(out, digits);
}

static void print_u32(struct buffer *out, uint32_t value)
{
    print_u64(out, value);
}

static void print_u8(struct buffer *out, uint8_t value)
{
    print_u64(out, value);
}

static void print_flag(struct buffer *out, bool value)
{
    print_literal(out, value ? "true" : "false");
}

// In quotes, with whatever could break the line or the quotes as \xNN.
static void print_text(struct buffer *out, struct bytes text)
{
    buffer_append_u8(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\') {
            char escape[8];
            snprintf(escape, sizeof escape, "\\x%02x", byte);
            print_literal(out, escape);
        } else {
            buffer_append_u8(out, byte);
        }
    }
    buffer_append_u8(out, '"');
}

static void print_blob(struct buffer *out, struct bytes blob)
{
    print_u64(out, blob.size);
    print_literal(out, "B");
}

static void print_name(struct buffer *out, const char *name, bool *is_first)
{
    if (!*is_first) {
        buffer_append_u8(out, ' ');
    }
    *is_first = false;
    print_literal(out, name);
    buffer_append_u8(out, '=');
}

#define PRINT_FIELD(type, name, limit, doc)                                                        \
    print_name(out, #name, &is_first);                                                             \
    print_##type(out, fields->name);
#define PRINT_MESSAGE(id, name, doc)                                                               \
    static void print_##name##_message(const struct message_##name *fields, struct buffer *out)    \
    {                                                                                              \
        bool is_first = true;                                                                      \
        WIRE_##name(PRINT_FIELD)                                                                   \
    }
MESSAGE_LIST(PRINT_MESSAGE)

static void print_fields(const struct message *message, struct buffer *out)
{
    switch (message->kind) {
#define PRINT_CASE(id, name, doc)                                                                  \
    case id: print_##name##_message(&message->name, out); return;
        MESSAGE_LIST(PRINT_CASE)
    }
    UNREACHABLE();
}

void message_print(const struct message *message, struct buffer *out)
{
    print_literal(out, message_kind_name(message->kind));
    buffer_append_u8(out, '{');
    print_fields(message, out);
    buffer_append_u8(out, '}');
}

static uint64_t number_of_u64(uint64_t value)
{
    return value;
}

static uint64_t number_of_u32(uint32_t value)
{
    return value;
}

static uint64_t number_of_u8(uint8_t value)
{
    return value;
}

static uint64_t number_of_flag(bool value)
{
    return value;
}

static uint64_t number_of_text(struct bytes text)
{
    (void)text;
    return 0;
}

static uint64_t number_of_blob(struct bytes blob)
{
    (void)blob;
    return 0;
}

#define FIND_FIELD(type, name, limit, doc)                                                         \
    if (strcmp(wanted, #name) == 0) {                                                              \
        return number_of_##type(fields->name);                                                     \
    }
#define FIND_MESSAGE(id, name, doc)                                                                \
    static uint64_t find_in_##name(const struct message_##name *fields, const char *wanted)        \
    {                                                                                              \
        WIRE_##name(FIND_FIELD) return 0;                                                          \
    }
MESSAGE_LIST(FIND_MESSAGE)

static uint64_t find_number(const struct message *message, const char *wanted)
{
    switch (message->kind) {
#define FIND_CASE(id, name, doc)                                                                   \
    case id: return find_in_##name(&message->name, wanted);
        MESSAGE_LIST(FIND_CASE)
    }
    UNREACHABLE();
}

uint64_t message_request(const struct message *message)
{
    return find_number(message, "request");
}

uint64_t message_epoch(const struct message *message)
{
    return find_number(message, "epoch");
}

// Kinds name the position that matters most to them in different ways; no kind has two of these.
uint64_t message_position(const struct message *message)
{
    static const char *const names[] = {"position", "match_position", "previous_position",
                                        "last_position"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint64_t position = find_number(message, names[i]);
        if (position != 0) {
            return position;
        }
    }
    return 0;
}
