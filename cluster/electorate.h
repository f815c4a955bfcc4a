/*
 * The electorate: the storage nodes that an election may turn to, as one coordinator knows them:
 * where they are, what they have promised, and what they answered in the step under way.
 */
#ifndef SKEIN_CLUSTER_ELECTORATE_H
#define SKEIN_CLUSTER_ELECTORATE_H

#include "cluster/ballot.h"
#include "cluster/machine.h"
#include "cluster/process.h"

enum { ELECTORS_MAX = BALLOT_ANSWERS_MAX };

// A storage node that takes part, or may.
struct elector {
    uint64_t address;              // of the connection to it
    const struct voter_seed *seed; // what the configuration file says; NULL if it does not name it
    uint64_t directory_id;         // as last heard; 0 while unknown
    uint64_t promised;             // highest epoch that it was heard to have promised
    bool is_heard;                 // `promised` is known
    bool is_down;                  // its connection is gone and was refused again
    bool is_excluded;              // failed as appointee: left out while a majority is without it
    bool is_asked;                 // in this step
    bool has_answered;             // in this step
    bool agrees;                   // in this step: would take part, or promised
    struct ballot_answer answer;   // while it agrees
};

// An answer as it came, to a poll or to a seal.
struct elector_answer {
    struct bytes from_name;     // name in the head of its frame
    uint64_t directory_id;      // identity of the answering directory
    uint64_t promised;          // epoch promised
    uint64_t last_epoch;        // of its last entry
    uint64_t last_position;     // of its last entry; 0 when its log is empty
    struct bytes configuration; // in its log, encoded; empty for none
    bool agrees;                // would take part, or promised
};

struct electorate {
    struct elector electors[ELECTORS_MAX];
    size_t count;
    size_t named_count; // voters that the file names
    struct configuration
        configuration; // believed to count, a hint (rule 32); no voters: none known
};

// A voter of the configuration file, borrowed; at most VOTER_COUNT_MAX. Connects to it.
void electorate_add_voter(struct electorate *self, const struct voter_seed *seed,
                          struct outbox *out);

// A storage node at this endpoint; connects to it if there is room.
void electorate_add_node(struct electorate *self, struct bytes endpoint, struct outbox *out);

// Takes over which configuration is believed to count, and connects to its voters; those who are
// voters of nothing give way to them. Answers that were borrowed before may have moved.
void electorate_believe(struct electorate *self, const struct configuration *configuration,
                        struct outbox *out);

// The elector at this address; NULL if there is none.
struct elector *electorate_find(struct electorate *self, uint64_t address);

// Whether it is a voter as far as known: by the file, or by the configuration believed in.
bool electorate_is_voter(const struct electorate *self, const struct elector *elector);

// It was heard to have promised this.
void elector_hear_promise(struct elector *elector, uint64_t promised);

// The highest promise heard of above which all voters would still seal (rule 9).
uint64_t electorate_highest_promise(const struct electorate *self);

// Forgets what was asked and answered: a step begins.
void electorate_begin_step(struct electorate *self);

// Nobody is left who was asked, can be reached and has not answered.
bool electorate_is_settled(const struct electorate *self);

// Nobody is left out any more.
void electorate_include_all(struct electorate *self);

// Keeps an answer to the step under way. Fails with bad_request when it contradicts itself; the
// elector then has answered, and does not agree.
MUST_CHECK enum status elector_take_answer(struct elector *elector,
                                           const struct elector_answer *answer);

// Counts those that agree; `target` wins ties. See ballot_decide().
enum ballot_verdict electorate_decide(const struct electorate *self, uint64_t target,
                                      bool with_excluded, const struct ballot_answer **ret_best);

// Where the elector is whose answer this is, one of those that electorate_decide() chose from.
uint64_t electorate_address_of(const struct electorate *self, const struct ballot_answer *answer);

// Makes the configuration that a cluster begins with, of the voters named in the file that agree
// (rule 31). Fails with exists when two of them are one directory.
MUST_CHECK enum status electorate_make_birth(const struct electorate *self,
                                             struct configuration *ret_configuration);

#endif
