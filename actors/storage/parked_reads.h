/*
 * Parked reads: those that wait on a storage node until it has applied what they need: a version,
 * and the marked entry of it if they know where that is.
 */
#ifndef SKEIN_ACTORS_STORAGE_PARKED_READS_H
#define SKEIN_ACTORS_STORAGE_PARKED_READS_H

#include "cluster/machine.h"

// What a read needs to be applied.
struct read_need {
    uint64_t version;
    uint64_t position; // 0: any
};

struct parked_read {
    uint64_t from;         // who asked
    struct read_need need; // what it waits for
    uint64_t deadline_us;  // until then
    struct buffer bytes;   // the encoded message; owned
};

struct parked_reads {
    struct parked_read *reads; // owned, in no order
    size_t count;
    size_t capacity;
    size_t size;             // bytes of the messages kept
    uint64_t lowest_version; // that one of them waits for; UINT64_MAX when none waits
    uint64_t next_us;        // deadline that the timer is set to; 0: none
};

void parked_reads_init(struct parked_reads *parked);
void parked_reads_release(struct parked_reads *parked);

// Keeps the message of the event until what it needs is applied or `timeout_ms` has passed. False:
// as many wait as are allowed.
bool parked_reads_add(struct parked_reads *parked, const struct event *event,
                      const struct read_need *need, uint32_t timeout_ms);

// Hands those to the query machine that `applied`, a version and a position, is enough for.
void parked_reads_release_up_to(struct parked_reads *parked, const struct read_need *applied,
                                struct outbox *out);

// Whether what was applied is enough.
static inline bool read_need_is_met(const struct read_need *need, const struct read_need *applied)
{
    return need->version <= applied->version && need->position <= applied->position;
}

// Answers `deadline` to those whose time has passed.
void parked_reads_expire(struct parked_reads *parked, uint64_t now_us, struct outbox *out);

// The next deadline; 0: none.
uint64_t parked_reads_next_us(const struct parked_reads *parked);

#endif
