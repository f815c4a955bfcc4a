/*
 * The sessions of a client: names and sequences for its transactions (rule 29). One session takes
 * at most SESSION_OUTCOMES_MAX sequences that are not done, so there are as many as are needed.
 */
#ifndef SKEIN_CLIENT_SESSIONS_H
#define SKEIN_CLIENT_SESSIONS_H

#include "base/bytes.h"
#include "base/limits.h"

struct session_lane {
    uint64_t number;        // of the session; 0 has the base name, others a suffix
    uint64_t next_sequence; // of the next transaction, from 1
    uint64_t done_below;    // all smaller sequences are done
    uint64_t done[SESSION_OUTCOMES_MAX / 64]; // bit sequence % SESSION_OUTCOMES_MAX: it is done
    uint32_t outstanding;                     // sequences taken that have not ended
    bool has_unknown; // one ended with its outcome unknown and must not be forgotten
    bool is_recorded; // one was recorded: the cluster knows the session
};

struct sessions {
    char base[SESSION_NAME_SIZE_MAX + 1]; // name of the first one
    struct session_lane *lanes;           // owned
    size_t count;
    size_t first_free; // lanes before it are full
    uint64_t numbers;  // of sessions so far
};

// How a transaction ended, as far as its session is concerned.
enum session_end {
    SESSION_END_recorded,  // it was done and left a record
    SESSION_END_traceless, // it only read or failed
    SESSION_END_unknown,
};

// One transaction's place in a session.
struct session_place {
    size_t lane;         // where the session stands in `lanes`
    uint64_t number;     // of the session
    uint64_t sequence;   // of the transaction
    uint64_t done_below; // to send with it
};

// `base` is the name of the first session; the others get a suffix. Only as much of it is used as
// leaves room for one.
void sessions_init(struct sessions *sessions, struct bytes base);
void sessions_release(struct sessions *sessions);

// The next sequence, in a session that has room.
void sessions_take(struct sessions *sessions, struct session_place *ret_place);

// The transaction has ended. With its outcome unknown its sequence stays, so that it can be asked
// about; the session is left for a new one as soon as nothing is outstanding in it.
void sessions_end(struct sessions *sessions, const struct session_place *place,
                  enum session_end how);

// The cluster has forgotten this session: no transaction gets a place in it any more.
void sessions_expire(struct sessions *sessions, const struct session_place *place);

// The name of a session; returns its size.
size_t sessions_name(const struct sessions *sessions, uint64_t number,
                     char ret_name[SESSION_NAME_SIZE_MAX + 1]);

#endif
