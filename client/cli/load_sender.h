/*
 * The sending side of `skein load`: documents are gathered into transactions of puts, of which many
 * are outstanding. All functions are called by one thread.
 */
#ifndef SKEIN_CLIENT_CLI_LOAD_SENDER_H
#define SKEIN_CLIENT_CLI_LOAD_SENDER_H

#include "client/cli/command.h"
#include "client/loop.h"
#include "wire/document/id.h"

struct load_sender;

struct load_sender_options {
    struct bytes collection;  // borrowed
    uint32_t batch_count_max; // documents in a transaction, 1 to TRANSACTION_OPERATIONS_MAX
};

// `call` and `loop` are borrowed; the loop ends before the sender is destroyed.
struct load_sender *load_sender_new(struct call *call, struct client_loop *loop,
                                    const struct load_sender_options *options);
void load_sender_destroy(struct load_sender **take_sender);

// A document and where it stands.
struct load_document {
    uint64_t line;         // number in its file, for sentences
    struct document_id id; // borrowed for the call
    struct bytes document; // canonical; borrowed for the call
};

// Adds a document; waits while too much is outstanding. Of documents with one id the last one added
// is stored last. Fails as a transaction before did, with a sentence that names the line.
MUST_CHECK enum status load_sender_add(struct load_sender *sender,
                                       const struct load_document *document);

// Sends what is left and waits for all. Fails likewise.
MUST_CHECK enum status load_sender_finish(struct load_sender *sender);

// Documents that are certainly stored, and the version of the last of them.
uint64_t load_sender_stored(const struct load_sender *sender);
uint64_t load_sender_version(const struct load_sender *sender);

#endif
