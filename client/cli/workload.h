/*
 * The requests of `skein bench`: which there are, and the next one of a kind.
 */
#ifndef SKEIN_CLIENT_CLI_WORKLOAD_H
#define SKEIN_CLIENT_CLI_WORKLOAD_H

#include "base/buffer.h"
#include "base/random.h"
#include "wire/document/operation.h"

// WORKLOAD(name, "what a request does")
#define WORKLOAD_LIST(WORKLOAD)                                                                    \
    WORKLOAD(write, "puts a document")                                                             \
    WORKLOAD(read, "gets a document, linearizably")                                                \
    WORKLOAD(mixed, "one or the other, half of each")                                              \
    WORKLOAD(update, "changes a document's number and its indexed field")                          \
    WORKLOAD(txn, "gets five documents and puts them: ten operations")                             \
    WORKLOAD(find, "finds the ten documents of a group by an index, linearizably")                 \
    WORKLOAD(echo, "asks a writer or a reader to send bytes back")

enum workload {
#define WORKLOAD_ENUM(name, doc) WORKLOAD_##name,
    WORKLOAD_LIST(WORKLOAD_ENUM)
#undef WORKLOAD_ENUM
};

struct workload_options {
    enum workload workload;
    uint64_t keys; // documents in use
    uint64_t size; // bytes of a document's payload
};

const char *workload_name(enum workload workload);
bool workload_from_name(const char *name, enum workload *ret_workload);

// Whether its requests need documents that are there; and an index of them.
bool workload_needs_documents(enum workload workload);
bool workload_needs_index(enum workload workload);

// The operation that makes that index.
struct operation workload_index(void);

// Replaces `operations` by those of the next request and says whether they are a read.
void workload_next(const struct workload_options *options, struct random *random,
                   struct buffer *operations, bool *ret_is_read);

// Replaces `operations` by puts of the documents `first` to `first + count - 1`.
void workload_prepare(const struct workload_options *options, uint64_t first, uint64_t count,
                      struct buffer *operations);

#endif
