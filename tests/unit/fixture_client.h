/*
 * The request machine of a client among a coordinator c1, writers w1 and w2, readers r1 and r2 and
 * a primary s1 that the test plays.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_CLIENT_H
#define SKEIN_TESTS_UNIT_FIXTURE_CLIENT_H

#include "client/requests.h"
#include "tests/unit/fixture_script.h"

enum { CLIENT_MEMBERS_COUNT = 5, ENDED_MAX = 16, TEXT_SIZE_MAX = 512 };
extern const struct script_member CLIENT_MEMBERS[CLIENT_MEMBERS_COUNT];

// A completion with texts of its own.
struct ended_request {
    struct client_completion completion;
    char message[TEXT_SIZE_MAX];
    char session[SESSION_NAME_SIZE_MAX + 1];
    enum message_kind reply; // 0 for none
};

struct client_stage {
    struct script script;
    struct client *client;
    struct ended_request ended[ENDED_MAX]; // requests that have ended
    size_t ended_count;
};

// A client that was given the coordinator c1 and knows nothing yet.
void client_stage_init(struct client_stage *stage);

// The coordinator tells of all members.
void client_stage_learn(struct client_stage *stage);

// Ends it all.
void client_stage_release(struct client_stage *stage);

// What the client asks of its shell outside of a step counts as well.
void client_stage_keep_effects(struct client_stage *stage);

// A transaction in the client's own session, with 5 s of time; returns its id.
uint64_t client_stage_transact(struct client_stage *stage);

// A read with 5 s of time; returns its id.
uint64_t client_stage_read(struct client_stage *stage, enum read_level level);

// Takes the message of this kind that one of two processes was sent, and says which.
struct message client_stage_expect_either(struct client_stage *stage, const char *a, const char *b,
                                          enum message_kind kind, const char **ret_name);

// Takes the transaction that some writer was sent, and says which.
struct message_transact client_stage_expect_transact(struct client_stage *stage,
                                                     const char **ret_name);

// No message of this kind was sent that was not taken.
void client_stage_expect_none_sent(struct client_stage *stage, enum message_kind kind);

// A writer answers a transaction.
void client_stage_answer(struct client_stage *stage, const char *name, uint64_t request,
                         enum status status, uint64_t version);

// A reader answers a read.
void client_stage_answer_read(struct client_stage *stage, const char *name, uint64_t request,
                              enum status status, uint64_t version);

// The only request that has ended since the last call.
struct ended_request client_stage_expect_ended(struct client_stage *stage, enum status status);

// No request has ended.
void client_stage_expect_none_ended(struct client_stage *stage);

#endif
