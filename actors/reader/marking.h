/*
 * The marks that a reader asks the primary for: versions that stay readable, for pages of finds and
 * for clients that begin an interactive transaction. One is asked for at a time, for all that
 * wanted one by then.
 */
#ifndef SKEIN_ACTORS_READER_MARKING_H
#define SKEIN_ACTORS_READER_MARKING_H

#include "actors/reader/id_list.h"
#include "actors/reader/replicas.h"

struct marking {
    struct id_list wanted;    // want a mark that is asked for from now on
    struct id_list asked;     // want the one under way, or the one given up
    uint64_t id;              // of the last mark asked for; the top two bits are set
    uint64_t primary;         // address of the primary; 0 while none is known
    uint64_t asked_us;        // when the one under way was asked for; 0: none is
    uint64_t patience_us;     // one that takes longer is given up
    uint64_t patience_us_min; // what that is after one that was answered
    uint64_t hold_until_us;   // none is asked for before; 0: not held
};

// Ids depend on `seed`, so that another start of the process has others.
void marking_init(struct marking *marking, uint64_t seed, uint64_t patience_us);
void marking_release(struct marking *marking);

// True for the id of a mark, false for that of a read or of a read point.
bool marking_is_own_id(uint64_t request);

// A request wants a mark asked for after now.
void marking_add(struct marking *marking, uint64_t id);

// Another primary, or another epoch of it; 0 for none. Gives up what is under way.
void marking_set_primary(struct marking *marking, uint64_t primary);

// Asks for a mark, if one is wanted, none is under way and there is somebody to ask.
void marking_begin(struct marking *marking, const struct replicas *replicas, uint64_t now_us,
                   struct outbox *out);

// Gives up what is under way, if there is anything; it is asked for again.
void marking_abandon(struct marking *marking);

// The primary refused: gives up what is under way; the next one begins a little later.
void marking_hold(struct marking *marking, uint64_t now_us);

// Whether this is the answer to the one under way. If so, the requests of `asked` have it, and
// marking_finish() comes next.
bool marking_take(const struct marking *marking, const struct message_mark_reply *reply);

// The requests of an answered mark have gone on.
void marking_finish(struct marking *marking);

// When marking_expire() and marking_begin() must be called; 0 for not at all.
uint64_t marking_next_us(const struct marking *marking, const struct replicas *replicas,
                         uint64_t now_us);

// Gives up a mark that took too long.
void marking_expire(struct marking *marking, uint64_t now_us);

#endif
