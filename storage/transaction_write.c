/*
 * Operations that write: insert, put, update and delete. Each reads the document first, since what
 * depends on it (indexes, statistics, history) is brought from what was there to what will be.
 *
 * 1. Documents are stored in canonical form. Writers send them so; what isn't is rewritten, and
 *    what a patch makes of a canonical document is canonical.
 * 2. A collection that isn't there is made by the first write into it, with default settings.
 */
#include "storage/results.h"
#include "storage/transaction_internal.h"
#include "wire/document/document.h"
#include "wire/document/patch.h"
#include "wire/document/predicate.h"

static enum status canonical_document(struct transaction *self, const struct step *step,
                                      struct bytes *ret_document)
{
    struct bytes raw = step->operation.document;
    if (document_is_canonical(raw)) {
        *ret_document = raw;
        return STATUS_ok;
    }
    const char *reason = "is malformed";
    buffer_clear(&self->document);
    enum status status = document_canonicalize(raw, &self->document, &reason);
    if (status != STATUS_ok) {
        return transaction_fail(self, step, status, "has a document that %s", reason);
    }
    *ret_document = buffer_bytes(&self->document);
    return STATUS_ok;
}

// Writes a canonical document to a place that was read.
static enum status write_document(struct transaction *self, const struct step *step,
                                  struct document_place *place, struct bytes document)
{
    if (place->collection == NULL) {
        TRY(transaction_make_collection(self, step, &place->collection));
    }
    return transaction_check_written(self, step, documents_put(self->documents, place, document));
}

enum status transaction_insert(struct transaction *transaction, struct step *step)
{
    struct document_place place;
    struct bytes document = {0};
    transaction_choose_id(transaction, step);
    TRY(transaction_read_document(transaction, step, &place));
    if (place.is_there) {
        return transaction_fail_document(transaction, step, STATUS_exists,
                                         "it exists already; put would replace it");
    }
    TRY(canonical_document(transaction, step, &document));
    TRY(write_document(transaction, step, &place, document));
    results_pack_insert(&transaction->results, &step->operation.id);
    return STATUS_ok;
}

enum status transaction_put(struct transaction *transaction, const struct step *step)
{
    struct document_place place;
    struct bytes document = {0};
    TRY(canonical_document(transaction, step, &document));
    TRY(transaction_read_document(transaction, step, &place));
    TRY(write_document(transaction, step, &place, document));
    results_pack_empty(&transaction->results);
    return STATUS_ok;
}

static enum status check_where(struct transaction *self, const struct step *step,
                               const struct document_place *place)
{
    return predicate_holds(step->operation.where, place->stored.document)
               ? STATUS_ok
               : transaction_fail_document(self, step, STATUS_refused, "\"where\" doesn't hold");
}

enum status transaction_update(struct transaction *transaction, const struct step *step)
{
    static const uint8_t empty_map = 0x80;
    struct document_place place;
    char reason[ERROR_MESSAGE_SIZE_MAX];
    TRY(transaction_read_document(transaction, step, &place));
    if (place.is_there) {
        TRY(check_where(transaction, step, &place));
    } else if (!step->operation.upsert) {
        return transaction_fail_document(transaction, step, STATUS_absent,
                                         "there is no such document; upsert would make it");
    }
    struct bytes before = place.is_there ? place.stored.document : bytes_of(&empty_map, 1);
    buffer_clear(&transaction->document);
    enum status status = patch_apply(step->operation.patch, before, transaction->documents->time_us,
                                     &transaction->document, reason);
    if (status != STATUS_ok) {
        return transaction_fail_document(transaction, step, status, reason);
    }
    TRY(write_document(transaction, step, &place, buffer_bytes(&transaction->document)));
    results_pack_empty(&transaction->results);
    return STATUS_ok;
}

enum status transaction_delete(struct transaction *transaction, const struct step *step)
{
    struct document_place place;
    TRY(transaction_read_document(transaction, step, &place));
    if (!place.is_there) {
        return transaction_fail_document(transaction, step, STATUS_absent,
                                         "there is no such document");
    }
    TRY(check_where(transaction, step, &place));
    TRY(transaction_check_written(transaction, step,
                                  documents_remove(transaction->documents, &place)));
    results_pack_empty(&transaction->results);
    return STATUS_ok;
}
