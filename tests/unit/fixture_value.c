/*
 * Values are drawn so that what usually breaks comes often: borders of the msgpack forms, small
 * containers, NUL and characters of several bytes.
 */
#include "tests/unit/fixture_value.h"

#include "base/rfc3339.h"
#include "base/status.h"
#include "wire/pack.h"

#include <math.h>

#ifdef __SANITIZE_ADDRESS__
enum { ROUNDS_SHARE = 4 };
#else
enum { ROUNDS_SHARE = 1 };
#endif

unsigned rounds_of(unsigned count)
{
    return count / ROUNDS_SHARE;
}

uint64_t natural_random(struct random *random)
{
    uint64_t value = random_next(random) >> random_below(random, 64);
    if (random_chance(random, 300000)) {
        value = 1ULL << random_below(random, 64);
    }
    return value + random_below(random, 3) - 1;
}

double real_random(struct random *random)
{
    double value = (double)(int64_t)natural_random(random);
    uint64_t bits = random_next(random);
    switch (random_below(random, 4)) {
    case 0: memcpy(&value, &bits, sizeof value); break;
    case 1: value = (double)natural_random(random); break;
    case 2: value /= 4; break;
    default: break;
    }
    return isfinite(value) ? value : 0.5;
}

void text_append_random(struct random *random, size_t size_max, struct buffer *out)
{
    static const char *const characters[] = {"a", "b", "z", "\x01", "\x7f", "ä", "€", "😀"};
    size_t end = out->size + random_below(random, size_max + 1);
    for (;;) {
        struct bytes next = bytes_from_text(characters[random_below(random, 8)]);
        if (out->size + next.size > end) {
            return;
        }
        buffer_append(out, next);
    }
}

static void append_text(struct random *random, struct buffer *out)
{
    AUTO(buffer_release) struct buffer text = {0};
    text_append_random(random, random_chance(random, 20000) ? 70000 : 40, &text);
    pack_text(out, buffer_bytes(&text));
}

static void append_binary(struct random *random, struct buffer *out)
{
    AUTO(buffer_release) struct buffer binary = {0};
    size_t size = random_below(random, random_chance(random, 20000) ? 70000 : 20);
    for (size_t i = 0; i < size; i++) {
        buffer_append_u8(&binary, random_chance(random, 300000) ? 0 : (uint8_t)random_next(random));
    }
    pack_binary(out, buffer_bytes(&binary));
}

static void append_timestamp(struct random *random, struct buffer *out)
{
    uint32_t nanoseconds = 0;
    if (random_chance(random, 500000)) {
        nanoseconds = (uint32_t)random_below(random, 1000000000);
    }
    int64_t span = random_chance(random, 300000) ? RFC3339_SECONDS_MIN : RFC3339_SECONDS_MAX;
    pack_timestamp(out, (int64_t)(natural_random(random) >> 1) % span, nanoseconds);
}

static void append_container(struct random *random, unsigned depth, struct buffer *out)
{
    uint32_t count = (uint32_t)random_below(random, random_chance(random, 50000) ? 20 : 4);
    bool is_map = random_chance(random, 500000);
    if (is_map) {
        pack_map(out, count);
    } else {
        pack_array(out, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (is_map) {
            append_text(random, out);
        }
        value_append_random(random, depth - 1, out);
    }
}

void value_append_random(struct random *random, unsigned depth, struct buffer *out)
{
    switch (random_below(random, depth > 0 ? 10 : 8)) {
    case 0: pack_nil(out); break;
    case 1: pack_flag(out, random_chance(random, 500000)); break;
    case 2: pack_u64(out, natural_random(random)); break;
    case 3: pack_i64(out, (int64_t)natural_random(random)); break;
    case 4: pack_double(out, real_random(random)); break;
    case 5: append_timestamp(random, out); break;
    case 6: append_text(random, out); break;
    case 7: append_binary(random, out); break;
    default: append_container(random, depth, out); break;
    }
}

void bytes_damage(struct random *random, struct buffer *bytes)
{
    for (uint64_t i = random_between(random, 1, 3); i > 0 && bytes->size > 0; i--) {
        size_t at = random_below(random, bytes->size);
        uint8_t byte = (uint8_t)random_next(random);
        switch (random_below(random, 4)) {
        case 0: bytes->data[at] = byte; break;
        case 1: bytes->data[at] ^= (uint8_t)(1 << random_below(random, 8)); break;
        case 2: buffer_truncate(bytes, at); break;
        default:
            buffer_append_u8(bytes, 0);
            memmove(bytes->data + at + 1, bytes->data + at, bytes->size - at - 1);
            bytes->data[at] = byte;
            break;
        }
    }
}
