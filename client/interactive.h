/*
 * An interactive transaction, apart from talking to anybody: the version it reads at, what it has
 * read, what it will write, how long it may live, and when it is worth running it anew.
 */
#ifndef SKEIN_CLIENT_INTERACTIVE_H
#define SKEIN_CLIENT_INTERACTIVE_H

#include "base/random.h"
#include "client/own_writes.h"
#include "client/read_set.h"

enum {
    INTERACTIVE_IDLE_MS_MAX = 10000,
    INTERACTIVE_RETRY_MS_MIN = 2, // the first pause before it is run anew is at most so long
    INTERACTIVE_RETRY_MS_MAX = 1000,
};

struct interactive {
    uint64_t version;  // marked; everything is read at it
    uint64_t position; // of the marked entry
    uint64_t begun_us; // when the mark was asked for
    uint64_t used_us;  // when it was last used
    bool is_over;      // it was committed, or given up
    struct read_set reads;
    struct own_writes own;
};

// Begins at a version that was marked by a request sent at `begun_us`.
void interactive_init(struct interactive *self, uint64_t begun_us);
void interactive_release(struct interactive *self);

// It is used now. Fails with expired when it was idle for too long, with too_old when it is older
// than the horizon and with bad_request when it is over; it is over then, and `ret_sentence`, a
// static text, says why.
MUST_CHECK enum status interactive_use(struct interactive *self, uint64_t now_us,
                                       const char **ret_sentence);

// Takes in what a find, read at the version, returned: `count` rows with this digest, and whether
// there are more. Fails with too_large if there are, but not one was found.
MUST_CHECK enum status interactive_add_find(struct interactive *self, const struct operation *find,
                                            uint64_t digest, uint32_t count, bool has_more);

// Appends the blob of the transaction that commits: checks that nothing that was read has changed,
// how many is returned, and then `count` operations. Fails with too_large beyond the limits of a
// transaction.
MUST_CHECK enum status interactive_pack(const struct interactive *self, struct bytes operations,
                                        uint32_t count, struct buffer *out, uint32_t *ret_checks);

// Whether running a transaction that ended so anew may end better.
bool interactive_may_retry(enum status status);

// The pause before it is run for the `attempt`th time again, from 1: random, up to twice as long
// each time.
uint64_t interactive_retry_us(struct random *random, uint32_t attempt);

#endif
