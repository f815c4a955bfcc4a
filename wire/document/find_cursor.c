/*
 * A cursor is the base64url text, without padding, of
 *
 *   +--------+------------+------------+--------------+------------+
 *   | format | version    | query      | position ... | CRC32C     |
 *   +--------+------------+------------+--------------+------------+
 *   0   1    1  u64 LE    9  u64 LE    17                u32 LE, of all before it
 *
 * The sum tells a damaged text, not an evil one: whoever reads the position checks it again, and a
 * cursor shows nothing but rows of a find that its sender could have asked for anyway.
 */
#include "wire/document/find_cursor.h"

#include "base/base64.h"
#include "base/crc32c.h"
#include "base/little_endian.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    FORMAT = 1,
    VERSION_AT = 1,
    QUERY_AT = 9,
    POSITION_AT = 17,
    SUM_SIZE = 4,
};

static void hash_field(XXH3_state_t *hash, struct bytes field)
{
    uint8_t size[8];
    store_u64(size, field.size);
    XXH3_64bits_update(hash, size, sizeof size);
    XXH3_64bits_update(hash, field.data, field.size);
}

uint64_t find_cursor_query(const struct operation *find)
{
    XXH3_state_t hash;
    XXH3_64bits_reset(&hash);
    hash_field(&hash, find->collection);
    hash_field(&hash, find->where);
    hash_field(&hash, find->order);
    hash_field(&hash, find->index);
    return XXH3_64bits_digest(&hash);
}

// Appends the text of `bytes` in the alphabet for URLs, without padding.
static void encode_text(struct bytes bytes, struct buffer *out)
{
    size_t start = out->size;
    base64_encode(bytes, out);
    while (out->size > start && out->data[out->size - 1] == '=') {
        buffer_truncate(out, out->size - 1);
    }
    for (size_t i = start; i < out->size; i++) {
        uint8_t *byte = &out->data[i];
        *byte = *byte == '+' ? '-' : *byte == '/' ? '_' : *byte;
    }
}

void find_cursor_encode(const struct find_cursor *cursor, struct buffer *out)
{
    AUTO(buffer_release) struct buffer bytes = {0};
    buffer_append_u8(&bytes, FORMAT);
    store_u64(buffer_extend(&bytes, 8), cursor->version);
    store_u64(buffer_extend(&bytes, 8), cursor->query);
    buffer_append(&bytes, cursor->position);
    uint32_t sum = crc32c(0, buffer_bytes(&bytes));
    store_u32(buffer_extend(&bytes, SUM_SIZE), sum);
    encode_text(buffer_bytes(&bytes), out);
}

static enum status decode_text(struct bytes text, struct buffer *out)
{
    AUTO(buffer_release) struct buffer plain = {0};
    if (text.size == 0 || text.size > FIND_CURSOR_TEXT_MAX) {
        return STATUS_bad_request;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '+' || byte == '/' || byte == '=') {
            return STATUS_bad_request;
        }
        buffer_append_u8(&plain, byte == '-' ? '+' : byte == '_' ? '/' : byte);
    }
    while (plain.size % 4 != 0) {
        buffer_append_u8(&plain, '=');
    }
    return base64_decode(buffer_bytes(&plain), out);
}

enum status find_cursor_decode(struct bytes text, struct buffer *bytes,
                               struct find_cursor *ret_cursor)
{
    buffer_clear(bytes);
    TRY(decode_text(text, bytes));
    if (bytes->size < POSITION_AT + SUM_SIZE || bytes->data[0] != FORMAT) {
        return STATUS_bad_request;
    }
    size_t sum_at = bytes->size - SUM_SIZE;
    if (load_u32(bytes->data + sum_at) != crc32c(0, bytes_of(bytes->data, sum_at))) {
        return STATUS_bad_request;
    }
    *ret_cursor = (struct find_cursor){
        .version = load_u64(bytes->data + VERSION_AT),
        .query = load_u64(bytes->data + QUERY_AT),
        .position = bytes_of(bytes->data + POSITION_AT, sum_at - POSITION_AT),
    };
    return STATUS_ok;
}
