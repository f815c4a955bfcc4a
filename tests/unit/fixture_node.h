/*
 * One storage node, s1 of three voters, without a shell: events go in by hand, effects are looked
 * at, and disk requests are done when the test says so.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_NODE_H
#define SKEIN_TESTS_UNIT_FIXTURE_NODE_H

#include "actors/storage/node.h"
#include "cluster/configuration.h"

enum {
    FIXTURE_SENT_MAX = 256,
    FIXTURE_DISK_MAX = 64,
    FIXTURE_CLUSTER_ID = 4242,
    FIXTURE_INCARNATION = 900, // of the coordinator that talks to the node
};

// Addresses of those that talk to the node.
enum { FROM_COORDINATOR = 11, FROM_S2 = 12, FROM_S3 = 13, FROM_WRITER = 14, FROM_READER = 15 };

// Directory ids of the three voters.
enum { S1 = 101, S2 = 102, S3 = 103 };

struct sent_message {
    uint64_t to;
    struct message message; // borrows from bytes
    struct buffer bytes;    // owned
};

struct waiting_request {
    struct disk_request request; // its bytes are not kept
};

struct node_fixture {
    struct process process;
    struct state *state;
    struct marks *marks;
    struct node *node;
    struct outbox out;
    uint64_t now_us;
    struct sent_message sent[FIXTURE_SENT_MAX]; // since they were last forgotten
    size_t sent_count;
    struct waiting_request waiting[FIXTURE_DISK_MAX];
    size_t waiting_count;
    size_t query_count;     // messages handed to the query machine
    uint32_t stopped;       // exit code asked for, UINT32_MAX while none was
    struct buffer vote;     // what the vote file holds
    uint64_t timers[32];    // when each small timer is due; 0: never
    struct buffer frames;   // entries made by fixture_entry()
    struct entry_place end; // of those
};

// A prepared node that was just started and has loaded; blank.
void node_fixture_init(struct node_fixture *self);
void node_fixture_release(struct node_fixture *self);

// The node dies and starts again on what was durable; `journal` is where its journal stands.
void node_fixture_restart(struct node_fixture *self, const struct journal_view *journal);

// One event; effects are collected.
void node_fixture_message(struct node_fixture *self, uint64_t from, const struct message *message);
void node_fixture_timer(struct node_fixture *self, uint32_t timer);
void node_fixture_event(struct node_fixture *self, enum event_kind kind, uint64_t from);
void node_fixture_turn(struct node_fixture *self);

// Does the oldest waiting disk request, or all of them.
void node_fixture_disk(struct node_fixture *self, enum status status);
void node_fixture_disk_all(struct node_fixture *self);

// The last message of this kind sent since they were last forgotten; NULL if there is none.
const struct message *node_fixture_sent(const struct node_fixture *self, enum message_kind kind);
size_t node_fixture_sent_count(const struct node_fixture *self, enum message_kind kind);
void node_fixture_forget(struct node_fixture *self);

// The configuration of s1, s2 and s3, encoded.
void fixture_configuration(struct buffer *out);

// Seals the node for `epoch` and appoints it, with the birth of the cluster if it is blank; the
// disk does everything at once.
void node_fixture_lead(struct node_fixture *self, uint64_t epoch);

// The other voters acknowledge everything up to `position` in `epoch`.
void node_fixture_acknowledge(struct node_fixture *self, uint64_t from, uint64_t directory_id,
                              uint64_t epoch, uint64_t position);

// Adds an entry of s2's log in `epoch` to self->frames: the birth entry first.
void node_fixture_entry(struct node_fixture *self, uint64_t epoch);

// s2 sends what is in self->frames, which begins after `previous`, as the leader of `epoch`.
void node_fixture_append(struct node_fixture *self, uint64_t epoch,
                         const struct entry_place *previous, uint64_t commit_position);

struct node_view node_fixture_view(const struct node_fixture *self);

#endif
