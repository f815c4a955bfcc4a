/*
 * Parked reads. An unordered array with the lowest version wanted beside it: a step in which
 * nothing becomes ready costs one comparison, and one in which something does walks all of them
 * once.
 */
#include "actors/storage/parked_reads.h"

#include "base/assert.h"

#include <stdlib.h>

enum { PARKED_CAPACITY_MIN = 64 };

void parked_reads_init(struct parked_reads *parked)
{
    *parked = (struct parked_reads){.lowest_version = UINT64_MAX};
}

void parked_reads_release(struct parked_reads *parked)
{
    for (size_t i = 0; i < parked->capacity; i++) {
        buffer_release(&parked->reads[i].bytes);
    }
    free(parked->reads);
    parked_reads_init(parked);
}

static void parked_reads_grow(struct parked_reads *parked)
{
    size_t capacity = parked->capacity == 0 ? PARKED_CAPACITY_MIN : 2 * parked->capacity;
    parked->reads = realloc(parked->reads, capacity * sizeof(*parked->reads));
    ASSERT(parked->reads != NULL);
    for (size_t i = parked->capacity; i < capacity; i++) {
        parked->reads[i] = (struct parked_read){0};
    }
    parked->capacity = capacity;
}

bool parked_reads_add(struct parked_reads *parked, const struct event *event,
                      const struct read_need *need, uint32_t timeout_ms)
{
    if (parked->count == NODE_PARKED_READS_MAX || parked->size >= NODE_PARKED_SIZE_MAX) {
        return false;
    }
    if (parked->count == parked->capacity) {
        parked_reads_grow(parked);
    }
    struct parked_read *read = &parked->reads[parked->count++];
    read->from = event->from;
    read->need = *need;
    read->deadline_us = event->now_us + (uint64_t)timeout_ms * 1000;
    buffer_clear(&read->bytes);
    buffer_append(&read->bytes, event->encoded);
    parked->size += read->bytes.size;
    if (need->version < parked->lowest_version) {
        parked->lowest_version = need->version;
    }
    return true;
}

// Takes one out; its buffer stays in the array for the next one.
static void parked_reads_remove(struct parked_reads *parked, size_t index)
{
    struct parked_read gone = parked->reads[index];
    parked->size -= gone.bytes.size;
    parked->reads[index] = parked->reads[--parked->count];
    parked->reads[parked->count] = gone;
}

static void parked_reads_find_lowest(struct parked_reads *parked)
{
    parked->lowest_version = UINT64_MAX;
    for (size_t i = 0; i < parked->count; i++) {
        if (parked->reads[i].need.version < parked->lowest_version) {
            parked->lowest_version = parked->reads[i].need.version;
        }
    }
}

void parked_reads_release_up_to(struct parked_reads *parked, const struct read_need *applied,
                                struct outbox *out)
{
    if (applied->version < parked->lowest_version) {
        return;
    }
    for (size_t i = parked->count; i > 0; i--) {
        const struct parked_read *read = &parked->reads[i - 1];
        if (read_need_is_met(&read->need, applied)) {
            outbox_query(out, read->from, buffer_bytes(&read->bytes));
            parked_reads_remove(parked, i - 1);
        }
    }
    parked_reads_find_lowest(parked);
}

static void parked_read_answer(const struct parked_read *read, struct outbox *out)
{
    struct bytes rest = buffer_bytes(&read->bytes);
    struct message asked;
    if (message_decode(&rest, &asked) != STATUS_ok) {
        return; // it was decoded when it came
    }
    if (asked.kind == MESSAGE_digest) {
        struct message_digest_reply reply = {.request = asked.digest.request,
                                             .status = STATUS_deadline};
        outbox_send(out, read->from,
                    &(struct message){.kind = MESSAGE_digest_reply, .digest_reply = reply});
        return;
    }
    struct message_read_reply reply = {
        .request = message_request(&asked),
        .status = STATUS_deadline,
        .message = bytes_from_text("The storage node did not reach the version in time.")};
    outbox_send(out, read->from,
                &(struct message){.kind = MESSAGE_read_reply, .read_reply = reply});
}

void parked_reads_expire(struct parked_reads *parked, uint64_t now_us, struct outbox *out)
{
    for (size_t i = parked->count; i > 0; i--) {
        if (parked->reads[i - 1].deadline_us <= now_us) {
            parked_read_answer(&parked->reads[i - 1], out);
            parked_reads_remove(parked, i - 1);
        }
    }
    parked_reads_find_lowest(parked);
}

uint64_t parked_reads_next_us(const struct parked_reads *parked)
{
    uint64_t next_us = 0;
    for (size_t i = 0; i < parked->count; i++) {
        uint64_t deadline_us = parked->reads[i].deadline_us;
        next_us = next_us == 0 || deadline_us < next_us ? deadline_us : next_us;
    }
    return next_us;
}
