/*
 * What one client does: it asks questions that are drawn (tests/sim/draw.h), and learns from
 * answers what it needs for the next.
 */
#ifndef SKEIN_TESTS_SIM_WORKLOAD_H
#define SKEIN_TESTS_SIM_WORKLOAD_H

#include "tests/sim/history.h"
#include "tests/sim/options.h"

enum {
    WORKLOAD_OPEN_MAX = 16,    // questions of a client under way
    WORKLOAD_UNKNOWN_MAX = 32, // transactions whose outcome it doesn't know
    ACCOUNTS_COUNT = 4,
    ACCOUNT_BEGIN = 100, // what an account holds at first
};

// What the client last heard of a document.
struct known_document {
    struct seen seen;
    uint64_t version; // at which it heard so; 0 for never
};

// A question under way.
struct open_question {
    bool is_taken;
    uint32_t timeout_ms; // its deadline
    bool is_service;     // it was asked after workload_ask_for_service()
    struct question question;
    struct buffer operations; // encoded; kept while the room is used again
};

struct workload {
    const struct options *options; // borrowed
    struct history *history;       // borrowed
    struct model *model;           // borrowed
    struct random random;
    unsigned session; // number in the model
    char life_name[SHELL_NAME_MAX];
    char session_name[2 * SHELL_NAME_MAX];
    unsigned session_count; // of the named sessions in this life
    bool is_named;          // names its session; else the client machine's own is used
    uint64_t next_sequence; // of the named session
    uint64_t next_token;    // grows over all lives
    struct known_document known[COLLECTION_COUNT][DOCUMENT_COUNT_MAX];
    struct step known_find; // an `unchanged` of what a find gave last; no find: none is known
    bool knows_fading;      // the collection that documents expire in was made
    struct paging paging;   // the find whose pages it goes through
    uint64_t version;       // highest heard: the token of session reads
    uint64_t marked;        // version of the last mark; 0 for none
    struct open_question open[WORKLOAD_OPEN_MAX];
    struct ruined unknown[WORKLOAD_UNKNOWN_MAX]; // outcomes not known; sequence 0 for none
    bool is_stopped;                             // asks nothing more
    bool wants_service; // after healing: a write and a linearizable read must be answered
    bool is_write_served;
    bool is_read_served;
    enum status last_status; // of the last answer
    int64_t last_number;     // that the last get saw; 0 for absent
};

// A new life of the client: a new session, nothing known, nothing under way.
void workload_begin(struct workload *workload, const char *name, uint32_t life);
void workload_release(struct workload *workload);

// Opens a question, with a sequence and a token if it is a transaction; NULL when there is no room.
struct open_question *workload_open(struct workload *workload, const struct question *question);

// Draws the next question; NULL when it asks nothing now. The caller sends it.
struct open_question *workload_next(struct workload *workload);

// Whether a page of the find that it goes through is on its way.
bool workload_awaits_page(const struct workload *workload);

// An open question is answered and no longer open.
void workload_answer(struct workload *workload, struct open_question *open,
                     const struct answer *answer);

// A version was marked.
void workload_mark(struct workload *workload, uint64_t version);

// The lowest sequence of the named session whose outcome is still wanted.
uint64_t workload_done_below(const struct workload *workload);

// From now on a write and a linearizable read count that are asked and answered ok.
void workload_ask_for_service(struct workload *workload);
bool workload_is_served(const struct workload *workload);

// Asks nothing more.
void workload_stop(struct workload *workload);

#endif
