/*
 * msgpack-c's packer with a buffer as its sink. Its integers, texts and timestamps come out in
 * their shortest form, which the canonical form of documents relies on. A buffer can't refuse
 * bytes, so nothing here can fail.
 */
#include "wire/pack.h"

#include "base/assert.h"

#include <msgpack.h>

static int append(void *out, const char *data, size_t size)
{
    buffer_append(out, bytes_of(data, size));
    return 0;
}

static msgpack_packer packer_of(struct buffer *out)
{
    return (msgpack_packer){.data = out, .callback = append};
}

void pack_nil(struct buffer *out)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_nil(&packer);
}

void pack_flag(struct buffer *out, bool value)
{
    msgpack_packer packer = packer_of(out);
    if (value) {
        msgpack_pack_true(&packer);
    } else {
        msgpack_pack_false(&packer);
    }
}

void pack_u64(struct buffer *out, uint64_t value)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_uint64(&packer, value);
}

void pack_i64(struct buffer *out, int64_t value)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_int64(&packer, value);
}

void pack_double(struct buffer *out, double value)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_double(&packer, value);
}

void pack_text(struct buffer *out, struct bytes text)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_str(&packer, text.size);
    buffer_append(out, text);
}

void pack_text_literal(struct buffer *out, const char *text)
{
    pack_text(out, bytes_from_text(text));
}

void pack_binary(struct buffer *out, struct bytes binary)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_bin(&packer, binary.size);
    buffer_append(out, binary);
}

void pack_array(struct buffer *out, uint32_t count)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_array(&packer, count);
}

void pack_map(struct buffer *out, uint32_t pairs)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_map(&packer, pairs);
}

void pack_timestamp(struct buffer *out, int64_t seconds, uint32_t nanoseconds)
{
    ASSERT(nanoseconds < 1000000000);
    msgpack_packer packer = packer_of(out);
    msgpack_timestamp timestamp = {.tv_sec = seconds, .tv_nsec = nanoseconds};
    msgpack_pack_timestamp(&packer, &timestamp);
}
