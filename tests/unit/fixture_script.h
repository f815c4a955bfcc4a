/*
 * A stage for one pure machine: its peers are played by the test, time is virtual, its timers are
 * kept, and what it sends is looked at message by message.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_SCRIPT_H
#define SKEIN_TESTS_UNIT_FIXTURE_SCRIPT_H

#include "cluster/machine.h"
#include "cluster/process.h"

enum { SCRIPT_TIMERS_MAX = 1024, SCRIPT_CLUSTER = 4242, SCRIPT_MEMBERS_MAX = 16 };

// A message that the machine sent and nobody has taken.
struct script_sent {
    uint64_t to;
    struct buffer bytes; // owned
    bool is_taken;
};

struct script {
    struct machine machine;
    struct process process;   // for machines that want one
    struct bytes coordinator; // endpoint of the only coordinator
    uint64_t now_us;
    struct outbox out;
    struct script_sent *sent; // owned
    size_t sent_count;
    size_t sent_capacity;
    uint64_t timers[SCRIPT_TIMERS_MAX]; // when each is due; 0 for never
    size_t connects;                    // effects so far
    size_t disconnects;
    size_t warnings;
    bool is_stopped;
    uint64_t topology_sequence;
};

// A process in a topology that the test makes up.
struct script_member {
    const char *name; // its endpoint is tcp://NAME
    enum role role;
    enum member_state state;
    uint64_t directory_id; // of a storage node
};

// `role` is that of the process on the stage.
void script_init(struct script *script, enum role role);
void script_release(struct script *script);

// The address of the process `name`.
uint64_t script_address(const char *name);

// An event, and what comes of it.
void script_event(struct script *script, struct event event);
void script_start(struct script *script);
void script_message(struct script *script, uint64_t from, const struct message *message);
void script_peer(struct script *script, const char *name, enum event_kind kind);

// Lets time pass: every timer on the way is handed in when it is due.
void script_pass(struct script *script, uint64_t us);

// Hands a topology in as the coordinator's. `primary` may be NULL.
void script_topology(struct script *script, uint64_t epoch, const char *primary,
                     const struct script_member *members, size_t count);

// Takes the first message of this kind to `to` that was not taken. Borrowed until the end.
bool script_take(struct script *script, uint64_t to, enum message_kind kind,
                 struct message *ret_message);

// The same for one that must be there.
struct message script_expect(struct script *script, uint64_t to, enum message_kind kind);

// How many of this kind to `to` were not taken; to anybody if `to` is 0.
size_t script_count(const struct script *script, uint64_t to, enum message_kind kind);

// Forgets what was not taken.
void script_forget(struct script *script);

#endif
