/*
 * The reader between one client and three storage nodes, s1 to s3, that the test plays. s1 leads
 * epoch 1.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_READER_H
#define SKEIN_TESTS_UNIT_FIXTURE_READER_H

#include "actors/reader/reader.h"
#include "tests/unit/fixture_script.h"

// Who asks.
static const uint64_t READER_CLIENT = UINT64_C(1) << 63 | 1;

enum { READER_MEMBERS_COUNT = 3 };
extern const struct script_member READER_MEMBERS[READER_MEMBERS_COUNT];

struct reader_stage {
    struct script script;
    struct reader *reader;
    struct buffer operations;    // of the reads that are asked next
    struct buffer configuration; // that the primary names
};

// What the next reads ask for.
void reader_pack_operations(struct reader_stage *stage, const char *json);

// A topology with this epoch and primary; NULL for none.
void reader_lead(struct reader_stage *stage, uint64_t epoch, const char *primary);

// A reader that knows of s1 leading epoch 1.
void reader_stage_init(struct reader_stage *stage);

// Ends it all.
void reader_stage_release(struct reader_stage *stage);

// A read of the operations at hand, with 5 s of time.
struct message reader_read_message(struct reader_stage *stage, uint64_t request,
                                   enum read_level level);

// The client asks.
void reader_read(struct reader_stage *stage, uint64_t request, enum read_level level);

// The client asks at the default level.
void reader_read_linearizable(struct reader_stage *stage, uint64_t request);

// The messages at hand have all been handed in.
void reader_turn(struct reader_stage *stage);

// The id of the read point that `primary` was asked for.
uint64_t reader_expect_point(struct reader_stage *stage, const char *primary);

// No read point was asked for that was not taken.
void reader_expect_no_point(struct reader_stage *stage);

// The primary of this epoch (s2 of epoch 2, else s1) answers a read point.
void reader_answer_point(struct reader_stage *stage, uint64_t request, uint64_t epoch,
                         uint64_t version);

// A node answers that it has promised this epoch.
void reader_confirm(struct reader_stage *stage, const char *name, uint64_t request,
                    uint64_t promised);

// A whole read point of epoch 1 with this version.
void reader_give_point(struct reader_stage *stage, uint64_t version);

// Takes the read that some node was sent, and which it was.
struct message_read reader_expect_sent(struct reader_stage *stage, const char **ret_name);

// No read was sent to a node that was not taken.
void reader_expect_none_sent(struct reader_stage *stage);

// A node answers a read.
void reader_answer_read(struct reader_stage *stage, const char *name, uint64_t request,
                        enum status status, uint64_t version);

// A node answers a read at this version with these results.
void reader_answer_results(struct reader_stage *stage, const char *name, uint64_t request,
                           uint64_t version, const char *json);

// The client asks for a mark, with 5 s of time.
void reader_ask_mark(struct reader_stage *stage, uint64_t request);

// The id of the mark that `primary` was asked for.
uint64_t reader_expect_mark(struct reader_stage *stage, const char *primary);

// No mark was asked for that was not taken.
void reader_expect_no_mark(struct reader_stage *stage);

// A node answers a mark; its entry is at position 10 * version.
void reader_answer_mark(struct reader_stage *stage, const char *name, uint64_t request,
                        uint64_t version);

// A node refuses a request.
void reader_refuse(struct reader_stage *stage, const char *name, uint64_t request,
                   enum status status);

// The client was answered so.
struct message_read_reply reader_expect_reply(struct reader_stage *stage, enum status status);

// The client was not answered.
void reader_expect_no_reply(struct reader_stage *stage);

#endif
