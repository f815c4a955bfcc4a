/*
 * The inside of the reader, shared by reader.c (events, read points, the cluster) and serving.c
 * (the life of a read).
 */
#ifndef SKEIN_ACTORS_READER_READER_INTERNAL_H
#define SKEIN_ACTORS_READER_READER_INTERNAL_H

#include "actors/reader/marking.h"
#include "actors/reader/points.h"
#include "actors/reader/reader.h"
#include "actors/reader/reads.h"
#include "cluster/agent.h"

struct reader {
    struct agent agent;
    struct reads reads;
    struct replicas replicas;
    struct points points;
    struct marking marking;
    struct buffer canonical;   // operations of the read at hand
    uint64_t primary_epoch;    // of the primary, as the topology says
    uint64_t reads_timer_us;   // what the timer of reads is set to; 0 for not set
    uint64_t point_timer_us;   // what the timer of read points is set to; 0 for not set
    uint64_t marking_timer_us; // what the timer of marks is set to; 0 for not set
    uint64_t unexpected;       // messages that nobody should have sent here
    bool is_stopping;          // takes nothing any more
};

// A message that nobody should have sent here.
void reader_on_unexpected(struct reader *self, const struct event *event, struct outbox *out);

/*
 * serving.c
 */

// A client asks for a read or a mark.
void reader_on_read(struct reader *self, const struct event *event, struct outbox *out);
void reader_on_mark(struct reader *self, const struct event *event, struct outbox *out);

// A storage node answered or refused a read.
void reader_on_read_answer(struct reader *self, const struct event *event, enum status status,
                           struct outbox *out);

// The read point or the mark that the request waited for is there.
void reader_reach_point(struct reader *self, uint32_t slot, uint64_t now_us, struct outbox *out);
void reader_reach_mark(struct reader *self, uint32_t slot, const struct event *event,
                       struct outbox *out);

// A storage node is lost: what it has is sent to others.
void reader_leave_node(struct reader *self, const struct event *event, struct outbox *out);

// Reads whose deadline has passed, whose replica let them wait, or that can be sent again.
void reader_on_reads_due(struct reader *self, const struct event *event, struct outbox *out);

#endif
