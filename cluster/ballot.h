/*
 * The ballot: which configuration the answers of one attempt make count, whether a majority of it
 * is among them, and who is to lead. Pure counting: rules 4, 31 and 32 in one place.
 */
#ifndef SKEIN_CLUSTER_BALLOT_H
#define SKEIN_CLUSTER_BALLOT_H

#include "cluster/configuration.h"

enum { BALLOT_ANSWERS_MAX = 32 };

// One node's answer: to a seal, that it promised; to a poll, that it would.
struct ballot_answer {
    uint64_t directory_id;              // identity of the answering directory
    uint64_t last_epoch;                // of its last entry
    uint64_t last_position;             // of its last entry; 0 when its log is empty
    struct configuration configuration; // in its log, committed or not; no voters: none
    bool is_named;                      // it is a voter of the configuration file, by name, too
    bool is_preferred;                  // wins ties at the birth of a cluster
};

struct ballot {
    const struct ballot_answer *answers[BALLOT_ANSWERS_MAX]; // borrowed, of different nodes
    size_t count;
    size_t named_count; // voters that the configuration file names
    uint64_t target;    // directory that wins ties; 0 for none
};

enum ballot_verdict {
    BALLOT_OPEN,   // not enough answers
    BALLOT_CHOSEN, // a majority of the configuration that counts; the best of it may lead
    BALLOT_BIRTH,  // every voter of the file is blank: a cluster is being born
};

// Counts. `ret_best` is the answer with the best log of those that may lead, also while the ballot
// is open (its configuration says who else to ask); NULL when there is none.
enum ballot_verdict ballot_decide(const struct ballot *ballot,
                                  const struct ballot_answer **ret_best);

#endif
