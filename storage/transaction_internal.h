/*
 * What the files of the transaction share: an operation under way, and how it fails.
 */
#ifndef SKEIN_STORAGE_TRANSACTION_INTERNAL_H
#define SKEIN_STORAGE_TRANSACTION_INTERNAL_H

#include "storage/generated_id.h"
#include "storage/transaction.h"

// An operation under way.
struct step {
    struct operation operation;
    uint32_t number;                      // of the operation, from 1
    uint8_t generated[GENERATED_ID_SIZE]; // room for the id of an insert that has none
};

// Fails the operation; `format` goes on after "operation 1 (put) ".
__attribute__((format(printf, 4, 5))) enum status transaction_fail(struct transaction *transaction,
                                                                   const struct step *step,
                                                                   enum status status,
                                                                   const char *format, ...);

// The same for a failure that is about a document: `reason` goes on after its name.
enum status transaction_fail_document(struct transaction *transaction, const struct step *step,
                                      enum status status, const char *reason);

// Fails the operation because the answer has no room for its result.
enum status transaction_fail_room(struct transaction *transaction, const struct step *step);

// Fails it with the sentence that the documents left; ok stays ok.
enum status transaction_check_written(struct transaction *transaction, const struct step *step,
                                      enum status status);

// Reads the operation's document.
MUST_CHECK enum status transaction_read_document(struct transaction *transaction,
                                                 const struct step *step,
                                                 struct document_place *ret_place);

// Gives an insert without an id a generated one.
void transaction_choose_id(const struct transaction *transaction, struct step *step);

// transaction_write.c
MUST_CHECK enum status transaction_insert(struct transaction *transaction, struct step *step);
MUST_CHECK enum status transaction_put(struct transaction *transaction, const struct step *step);
MUST_CHECK enum status transaction_update(struct transaction *transaction, const struct step *step);
MUST_CHECK enum status transaction_delete(struct transaction *transaction, const struct step *step);

// transaction_read.c
MUST_CHECK enum status transaction_get(struct transaction *transaction, const struct step *step);
MUST_CHECK enum status transaction_check(struct transaction *transaction, const struct step *step);
MUST_CHECK enum status transaction_find(struct transaction *transaction, const struct step *step);
MUST_CHECK enum status transaction_count(struct transaction *transaction, const struct step *step);
MUST_CHECK enum status transaction_unchanged(struct transaction *transaction,
                                             const struct step *step);

// transaction_schema.c
MUST_CHECK enum status transaction_create_collection(struct transaction *transaction,
                                                     const struct step *step);
MUST_CHECK enum status transaction_drop_collection(struct transaction *transaction,
                                                   const struct step *step);
MUST_CHECK enum status transaction_create_index(struct transaction *transaction,
                                                const struct step *step);
MUST_CHECK enum status transaction_drop_index(struct transaction *transaction,
                                              const struct step *step);

// The operation's collection, which is made if need be. too_large: there are too many.
MUST_CHECK enum status transaction_make_collection(struct transaction *transaction,
                                                   const struct step *step,
                                                   struct collection **ret_collection);

#endif
