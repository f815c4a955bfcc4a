/*
 * Writing msgpack into a buffer, always in the shortest form. A thin layer over msgpack-c's packer.
 */
#ifndef SKEIN_WIRE_PACK_H
#define SKEIN_WIRE_PACK_H

#include "base/buffer.h"

void pack_nil(struct buffer *out);
void pack_flag(struct buffer *out, bool value);
void pack_u64(struct buffer *out, uint64_t value);
void pack_i64(struct buffer *out, int64_t value);
void pack_double(struct buffer *out, double value);
void pack_text(struct buffer *out, struct bytes text);
void pack_text_literal(struct buffer *out, const char *text);
void pack_binary(struct buffer *out, struct bytes binary);
void pack_array(struct buffer *out, uint32_t count);
void pack_map(struct buffer *out, uint32_t pairs);

// nanoseconds below 10^9.
void pack_timestamp(struct buffer *out, int64_t seconds, uint32_t nanoseconds);

#endif
