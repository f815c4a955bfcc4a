/*
 * The queue by which other threads hand requests to the client's loop. Bytes are copied into one
 * run, so that a submission costs no allocation once the queue has grown. The owner locks.
 */
#ifndef SKEIN_CLIENT_SUBMISSIONS_H
#define SKEIN_CLIENT_SUBMISSIONS_H

#include "client/loop.h"

enum { SUBMISSIONS_SIZE_MAX = 64 * MIB };

enum submission_kind {
    SUBMISSION_TRANSACT,
    SUBMISSION_READ,
    SUBMISSION_STATUS,
    SUBMISSION_MARK,
    SUBMISSION_CALL,
    SUBMISSION_VISIT,
};

// One request; its bytes are in the queue's run, the first behind the second.
struct submission {
    enum submission_kind kind;
    client_done *done;   // whom to tell; not of VISIT
    void *context;       // for `done` or `visit`
    client_visit *visit; // VISIT
    uint32_t timeout_ms; // CALL
    size_t at;           // where its bytes begin
    size_t first_size;   // session or receiver
    size_t second_size;  // operations or encoded message
    union {
        struct client_transaction transaction; // TRANSACT; its bytes are not set
        struct client_read read;               // READ; its bytes are not set
        struct client_status status;           // STATUS; its bytes are not set
        struct client_mark mark;               // MARK
    };
};

struct submissions {
    struct submission *items; // owned
    size_t count;
    size_t capacity;
    struct buffer bytes;
};

void submissions_release(struct submissions *submissions);
void submissions_clear(struct submissions *submissions);

// Adds one with its bytes; busy when the queue is full.
MUST_CHECK enum status submissions_add(struct submissions *submissions,
                                       const struct submission *submission, struct bytes first,
                                       struct bytes second);

// The bytes of a submission, borrowed.
struct bytes submission_first(const struct submissions *submissions,
                              const struct submission *submission);
struct bytes submission_second(const struct submissions *submissions,
                               const struct submission *submission);

#endif
