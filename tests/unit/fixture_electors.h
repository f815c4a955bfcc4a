/*
 * An election machine and voters that answer what the test says. Voter i is named s<i+1>, lives at
 * tcp://s<i+1>:7310 and has directory 101+i.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_ELECTORS_H
#define SKEIN_TESTS_UNIT_FIXTURE_ELECTORS_H

#include "cluster/election.h"
#include "tests/unit/fixture_post.h"

enum { ELECTORS_VOTERS_MAX = 9, ELECTORS_CLUSTER = 77, ELECTORS_INCARNATION = 4711, MS = 1000 };

// How a voter answers polls and seals.
struct script {
    char name[8];
    char endpoint[32];
    uint64_t directory_id;
    bool hears_primary;
    bool refuses;           // would not accept; refuses seals
    uint64_t promised;      // grows with the seals that it accepts
    uint64_t last_epoch;    // end of its log
    uint64_t last_position; // 0: blank
    const char *voters;     // in its log, by the digits of their names: "123"; NULL: of the stage
};

struct stage {
    struct process process;
    struct voter_seed seeds[VOTER_COUNT_MAX];
    struct election election;
    struct post *post;
    uint64_t now_us;
    struct script voters[ELECTORS_VOTERS_MAX];
    const char *named; // digits of the voters in the file
};

// Voters "123" or so are in the file, and in everybody's log, which ends at epoch 4, position 100,
// with epoch 4 promised. Nobody hears a primary. Time is 10 s.
void stage_open(struct stage *stage, const char *named);
void stage_close(struct stage *stage);

// The number of the voter in the directory; its address.
uint64_t stage_directory(size_t voter);
uint64_t stage_address(const struct stage *stage, size_t voter);

// Its log is empty and it belongs to no cluster.
void stage_blank(struct stage *stage, size_t voter);

// The answer that the voter would give to this poll or seal; borrows from `configuration`.
struct message script_answer(struct script *voter, const struct message *question,
                             struct buffer *configuration);

// This message comes from the voter.
void stage_answer_as(struct stage *stage, size_t voter, struct message answer);

// The voter answers the latest poll or seal that was sent to it.
void stage_answer(struct stage *stage, size_t voter);

// All voters with these digits that were asked answer, "13", until the step is over.
void stage_answer_all(struct stage *stage, const char *digits);

// The appointee answers the latest appointment.
void stage_answer_appoint(struct stage *stage, size_t voter, bool accepted);

// Time passes, timers go off.
void stage_wait(struct stage *stage, uint64_t us);

// The connection to a voter comes or goes.
void stage_connect(struct stage *stage, size_t voter, bool is_up);

// The primary of epoch 4 is suspected.
void stage_suspect(struct stage *stage);

// The same; these voters agree to the poll, and it seals.
void stage_suspect_to_seal(struct stage *stage, const char *agreeing);

// Time passes until the machine is in this state; how long that took.
uint64_t stage_wait_for(struct stage *stage, enum election_state state);

// The step fails; goes through the next poll, which everybody in `digits` agrees to, to the seal.
void stage_repeat_to_seal(struct stage *stage, const char *digits);

// A primary is heard; true if it is the one that was appointed.
bool stage_hear_primary(struct stage *stage, uint64_t epoch, size_t voter);

// Epoch of the latest seal sent to the voter; the test fails if there was none.
uint64_t stage_sealed_epoch(const struct stage *stage, size_t voter);

// The one appointment sent since letters were forgotten; the test fails if there is none or more.
const struct message_appoint *stage_appointment(const struct stage *stage, size_t *ret_voter);

// Fails the test unless exactly one appointment was sent, to this voter.
void stage_check_appointed(const struct stage *stage, size_t voter);

void stage_check_state(const struct stage *stage, enum election_state state);

#endif
