/*
 * The reads and marks that a reader carries: each from the moment a client sent it until it is
 * answered.
 */
#ifndef SKEIN_ACTORS_READER_READS_H
#define SKEIN_ACTORS_READER_READS_H

#include "actors/reader/asked.h"
#include "cluster/machine.h"
#include "cluster/pending.h"

enum read_stage {
    READ_GATHERED, // waits for a read point begun after it arrived
    READ_MARKING,  // waits for a marked version
    READ_READY,    // waits for a replica
    READ_SENT,     // a replica has it
};

struct read_request {
    uint64_t client;          // address of the client
    uint64_t client_request;  // id that the client gave
    enum read_level level;    // asked for
    enum read_stage stage;    // how far it is
    uint64_t deadline_us;     // when it is given up
    enum status expiry;       // what it is given up with
    uint64_t after_version;   // the answer must have at least this version
    uint64_t at_version;      // snapshot: exactly this version
    uint64_t at_position;     // snapshot: of the marked entry; 0 when not known
    uint64_t at_time_us;      // snapshot: instead of at_version, this time; 0 for none
    bool is_mark;             // nothing is read: the client wants a marked version
    bool has_find;            // an answer may say that there is more
    bool has_scan;            // not only gets: a replica may need all the time there is
    bool is_marked;           // at_version was marked for it: its first answer said so
    uint64_t slack;           // versions by which it may be behind its read point
    uint64_t lag_us_max;      // any: age of its read point when it is answered; 0 for no bound
    uint64_t point_us;        // when the messages of its read point were sent
    uint64_t replica;         // SENT: address of the replica
    uint64_t tried;           // replicas that could not answer, one bit a link
    uint64_t attempt_us;      // how long the next replica gets
    enum status last_failure; // of a replica; ok for none
    struct buffer operations; // as the client sent them
};

struct reads {
    struct pending pending; // rooms are struct read_request
    size_t size;            // bytes of all operations
};

void reads_init(struct reads *reads, uint64_t seed);
void reads_release(struct reads *reads);

// Keeps the read that `event` brought, GATHERED, with a wake time at its deadline. `operations` are
// those to send, `asked` is what is known of them. False when the reader is full.
bool reads_add(struct reads *reads, const struct event *event, struct bytes operations,
               const struct asked *asked, uint32_t *ret_slot);

// The same for a mark that `event` brought, MARKING.
bool reads_add_mark(struct reads *reads, const struct event *event, uint32_t *ret_slot);

static inline struct read_request *reads_at(const struct reads *reads, uint32_t slot)
{
    return pending_room(&reads->pending, slot);
}

// Looks at the read again at `at_us`, or at its deadline if that comes first.
void reads_wake_at(struct reads *reads, uint32_t slot, uint64_t at_us);

// Sends the read to a replica, which gets attempt_us for it, or all the time that is left if it may
// look at many rows: what it finds late counts as well. The read wakes a quarter behind attempt_us.
void reads_send(struct reads *reads, uint32_t slot, uint64_t replica, uint64_t now_us,
                struct outbox *out);

// Passes a replica's answer on and forgets the read.
void reads_finish(struct reads *reads, uint32_t slot, const struct message_read_reply *reply,
                  struct outbox *out);

// Tells the client which version was marked and forgets the mark.
void reads_finish_mark(struct reads *reads, uint32_t slot, const struct message_mark_reply *reply,
                       struct outbox *out);

// Answers with a failure and forgets the read or mark.
void reads_fail(struct reads *reads, uint32_t slot, enum status status, const char *sentence,
                struct outbox *out);

// Answers a read or mark that is not carried.
void reads_refuse(const struct event *event, enum status status, const char *sentence,
                  struct outbox *out);

#endif
