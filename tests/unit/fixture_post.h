/*
 * The effects of a machine under test, kept so that a test can look at them: letters sent, timers
 * set, connections asked for.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_POST_H
#define SKEIN_TESTS_UNIT_FIXTURE_POST_H

#include "cluster/machine.h"

enum { POST_LETTERS_MAX = 4096, POST_TIMER_MAX = 2048 };

struct letter {
    uint64_t to;
    struct buffer bytes;    // owned
    struct message message; // borrows from bytes
};

struct post {
    struct outbox out;                       // given to the machine
    struct letter letters[POST_LETTERS_MAX]; // since they were last forgotten
    size_t count;
    uint64_t timers[POST_TIMER_MAX]; // when each is due; 0: never
    size_t connect_count;            // connections asked for
    size_t log_count;                // lines for the operator
    uint64_t cluster_id;             // as the shell was told; 0: not told
    bool has_stopped;                // the machine asked for its end
};

struct post *post_new(void);
void post_destroy(struct post **take_post);

// Takes the effects out of the outbox.
void post_collect(struct post *post);

// Forgets the letters.
void post_forget(struct post *post);

// How many letters of this kind went to `to` (0: to anybody).
size_t post_count(const struct post *post, uint64_t to, enum message_kind kind);

// The last of them; the test fails if there is none. Borrowed until they are forgotten.
const struct message *post_last(const struct post *post, uint64_t to, enum message_kind kind);

#endif
