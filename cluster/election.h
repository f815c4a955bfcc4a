/*
 * The election machine of a coordinator: from the suspicion that no primary leads to one that does.
 * It only tries; the voters keep the promises that make it safe (rules 1-4, 9, 31-36). It knows
 * nothing of the registry or of publishing: its owner says whom it suspects and whom it hears, and
 * hands it the answers.
 */
#ifndef SKEIN_CLUSTER_ELECTION_H
#define SKEIN_CLUSTER_ELECTION_H

#include "cluster/electorate.h"
#include "cluster/machine.h"
#include "cluster/pacing.h"
#include "cluster/process.h"
#include "cluster/topology.h"

enum {
    ELECTION_TIMER = 1001,     // the machine's timer; its owner's are smaller numbers
    ELECTION_GRACE_US = 10000, // how long a majority waits for the rest, whose log may be better
};

enum election_state {
    ELECTION_IDLE,     // nobody is suspected
    ELECTION_BACK_OFF, // waits before it tries, or tries again
    ELECTION_POLL,     // asks whether the voters hear a primary (rule 33)
    ELECTION_SEAL,     // gathers promises (rule 2)
    ELECTION_APPOINT,  // waits for the appointee to take the epoch (rules 3, 4)
    ELECTION_WAIT,     // waits for the new primary's first entry to be committed
};

// When the steps of the latest election began, for the log of failovers; monotonic.
struct election_times {
    uint64_t poll_us;     // first poll, or first seal when there was consent
    uint64_t seal_us;     // of the latest attempt, as the following
    uint64_t appoint_us;  // a majority had promised
    uint64_t accepted_us; // the appointee had its first entry durable
};

struct election {
    const struct process *process; // borrowed
    struct pacing pacing;          // and the random numbers
    enum election_state state;
    struct electorate electorate;
    uint64_t cluster_id;      // 0 until a node was heard to belong to one
    uint64_t suspect;         // epoch of the primary suspected; 0 for none known
    bool has_consent;         // the next attempt needs no poll (rules 35, 36)
    uint64_t target;          // directory that wins ties; 0 for none
    bool is_birth;            // the latest appointment made a cluster
    uint64_t epoch;           // of the latest attempt (rule 1)
    uint64_t appointed_epoch; // of the latest appointment (rule 3)
    uint64_t appointee_id;    // directory appointed
    uint64_t appointee;       // its address
    uint64_t request;         // of the latest poll
    uint64_t deadline_us;     // end of the step
    uint64_t resend_us;       // when those who are silent are asked again
    uint64_t grace_us;        // when a majority goes on without the rest; 0: there is none yet
    uint64_t voters_hear_us;  // when a node last said in a poll that it hears a primary
    struct election_times times;
    uint64_t refused; // answers refused: malformed, or of another cluster
};

// `process` is borrowed and outlives the election.
void election_init(struct election *self, const struct process *process);

// No primary is heard; `epoch` is that of the one suspected, 0 when none was ever heard. Begins a
// poll, at once or after the turn of the coordinators before this one. Nothing if one is under way.
void election_suspect(struct election *self, uint64_t epoch, uint64_t now_us, struct outbox *out);

// The same without a poll, for a primary that lives: a voter refused it with a higher epoch (rule
// 35). `leader` is its directory, which wins ties.
void election_override(struct election *self, uint64_t epoch, uint64_t leader, uint64_t now_us,
                       struct outbox *out);

// The primary of `epoch` asks to be replaced by `target`: seals at once, also when a poll is under
// way (rule 36). False if an attempt is under way already.
bool election_consent(struct election *self, uint64_t epoch, uint64_t target, uint64_t now_us,
                      struct outbox *out);

// A storage node reported that it has promised this epoch, or knows of a voter that has.
void election_hear_promise(struct election *self, const struct topology_member *record,
                           uint64_t promised, uint64_t now_us);

// A primary was heard that leads `epoch`, its first entry committed. Ends what is under way if that
// is done with; true if it is the one that this election appointed.
bool election_hear_primary(struct election *self, uint64_t epoch, uint64_t directory_id,
                           struct outbox *out);

// Learns which cluster this is; false if it is another one than known (rule 31).
bool election_learn_cluster(struct election *self, uint64_t cluster_id, struct outbox *out);

// Handles poll_reply, seal_reply, appoint_reply.
void election_on_message(struct election *self, const struct event *event, struct outbox *out);

// Handles ELECTION_TIMER.
void election_on_timer(struct election *self, uint64_t now_us, struct outbox *out);

// Handles EVENT_PEER_UP and EVENT_PEER_DOWN.
void election_on_peer(struct election *self, const struct event *event, struct outbox *out);

#endif
