/*
 * The outbox: effects in the order in which a step asked for them, and one buffer for all they
 * carry. An effect holds an offset into that buffer, not a pointer, since the buffer moves when it
 * grows. Clearing keeps the memory, so that a busy machine allocates nothing.
 */
#include "cluster/machine.h"

#include "base/assert.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { EFFECTS_CAPACITY_MIN = 16, LINE_SIZE_MAX = 1024 };

// FNV-1a, 64 bits. The top bit is kept clear for the shells' own addresses.
uint64_t address_of_endpoint(struct bytes endpoint)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < endpoint.size; i++) {
        hash = (hash ^ endpoint.data[i]) * 0x100000001b3;
    }
    hash &= INT64_MAX;
    return hash == 0 ? 1 : hash;
}

void outbox_init(struct outbox *outbox)
{
    *outbox = (struct outbox){0};
}

void outbox_release(struct outbox *outbox)
{
    free(outbox->effects);
    buffer_release(&outbox->bytes);
    *outbox = (struct outbox){0};
}

void outbox_clear(struct outbox *outbox)
{
    outbox->count = 0;
    buffer_clear(&outbox->bytes);
}

struct bytes outbox_effect_bytes(const struct outbox *outbox, const struct effect *effect)
{
    if (effect->size == 0) {
        return bytes_of(NULL, 0);
    }
    return bytes_of(outbox->bytes.data + effect->offset, effect->size);
}

// Adds an effect, all zero but its kind and the offset of its bytes, which are appended next.
static struct effect *outbox_add(struct outbox *outbox, enum effect_kind kind)
{
    if (outbox->count == outbox->capacity) {
        size_t capacity = outbox->capacity == 0 ? EFFECTS_CAPACITY_MIN : 2 * outbox->capacity;
        outbox->effects = reallocarray(outbox->effects, capacity, sizeof *outbox->effects);
        ASSERT(outbox->effects != NULL);
        outbox->capacity = capacity;
    }
    struct effect *effect = &outbox->effects[outbox->count++];
    *effect = (struct effect){.kind = kind, .offset = outbox->bytes.size};
    return effect;
}

static void outbox_carry(struct outbox *outbox, struct effect *effect, struct bytes bytes)
{
    buffer_append(&outbox->bytes, bytes);
    effect->size = outbox->bytes.size - effect->offset;
}

// Adds an effect that carries a formatted line, cut to LINE_SIZE_MAX.
static struct effect *outbox_add_line(struct outbox *outbox, enum effect_kind kind,
                                      const char *format, va_list arguments)
{
    char line[LINE_SIZE_MAX];
    int size = vsnprintf(line, sizeof line, format, arguments);
    ASSERT(size >= 0);
    struct effect *effect = outbox_add(outbox, kind);
    outbox_carry(outbox, effect, bytes_from_text(line));
    return effect;
}

void outbox_send(struct outbox *outbox, uint64_t to, const struct message *message)
{
    struct effect *effect = outbox_add(outbox, EFFECT_SEND);
    effect->to = to;
    message_encode(message, &outbox->bytes);
    effect->size = outbox->bytes.size - effect->offset;
}

void outbox_send_encoded(struct outbox *outbox, uint64_t to, struct bytes encoded)
{
    struct effect *effect = outbox_add(outbox, EFFECT_SEND);
    effect->to = to;
    outbox_carry(outbox, effect, encoded);
}

uint64_t outbox_connect(struct outbox *outbox, struct bytes endpoint)
{
    struct effect *effect = outbox_add(outbox, EFFECT_CONNECT);
    uint64_t address = address_of_endpoint(endpoint);
    effect->to = address;
    outbox_carry(outbox, effect, endpoint);
    return address;
}

void outbox_disconnect(struct outbox *outbox, uint64_t to)
{
    outbox_add(outbox, EFFECT_DISCONNECT)->to = to;
}

void outbox_timer(struct outbox *outbox, uint32_t timer, uint64_t at_us)
{
    struct effect *effect = outbox_add(outbox, EFFECT_TIMER);
    effect->timer = timer;
    effect->at_us = at_us;
}

void outbox_disk(struct outbox *outbox, const struct disk_request *request)
{
    struct effect *effect = outbox_add(outbox, EFFECT_DISK);
    effect->disk = *request;
    effect->disk.bytes = bytes_of(NULL, 0);
    outbox_carry(outbox, effect, request->bytes);
}

void outbox_query(struct outbox *outbox, uint64_t from, struct bytes encoded)
{
    struct effect *effect = outbox_add(outbox, EFFECT_QUERY);
    effect->to = from;
    outbox_carry(outbox, effect, encoded);
}

void outbox_cluster(struct outbox *outbox, uint64_t cluster_id)
{
    outbox_add(outbox, EFFECT_CLUSTER)->at_us = cluster_id;
}

void outbox_log(struct outbox *outbox, enum log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    outbox_add_line(outbox, EFFECT_LOG, format, arguments)->timer = level;
    va_end(arguments);
}

void outbox_stop(struct outbox *outbox, uint32_t exit_code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    outbox_add_line(outbox, EFFECT_STOP, format, arguments)->timer = exit_code;
    va_end(arguments);
}

void outbox_refuse(struct outbox *outbox, uint64_t to, uint64_t request, enum status status,
                   const char *message)
{
    struct bytes sentence = utf8_prefix(bytes_from_text(message), ERROR_MESSAGE_SIZE_MAX);
    struct message refusal = {
        .kind = MESSAGE_refusal,
        .refusal = {.request = request, .status = status, .message = sentence},
    };
    outbox_send(outbox, to, &refusal);
}
