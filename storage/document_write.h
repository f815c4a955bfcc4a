/*
 * Writing documents: the one place through which every document is put or removed, by transactions
 * and by the primary itself, with all that goes with it: the collection's checks, its indexes, what
 * must be unique, its statistics, when it expires, what stays of it in history.
 */
#ifndef SKEIN_STORAGE_DOCUMENT_WRITE_H
#define SKEIN_STORAGE_DOCUMENT_WRITE_H

#include "storage/catalog.h"
#include "storage/view.h"

#define TIME_NEVER UINT64_MAX

// What is known of the cells of one kind that are in the order of time.
struct timed_cells {
    enum cell_kind kind; // CELL_EXPIRY or CELL_TRIMMING
    uint64_t due_us;     // none is earlier; 0: unknown, TIME_NEVER: there is none
    struct buffer from;  // owned; no key of them comes before; of no bytes: unknown
};

// The documents as the transaction at hand sees and changes them.
struct documents {
    struct view view;                      // state and overlay; both borrowed
    struct overlay *overlay;               // borrowed; one entry is open
    struct catalog *catalog;               // borrowed; loaded
    uint64_t version;                      // of the transaction
    uint64_t time_us;                      // of the transaction, since 1970
    uint64_t examined_size;                // of the documents that it has looked at
    struct timed_cells expiry;             // of documents
    struct timed_cells trimming;           // of history
    struct buffer stored;                  // owned; cell of the document read last
    struct buffer key;                     // owned; of the cell at hand
    struct buffer value;                   // owned; of the cell at hand
    struct buffer id;                      // owned; key of the id of the document at hand
    struct buffer entry_before;            // owned; key of its entry in the index at hand
    struct buffer entry_after;             // owned; the same as it will be
    char sentence[ERROR_MESSAGE_SIZE_MAX]; // end of a sentence about the last failure
};

// A document that was read and may be written: where it is, and what is there.
struct document_place {
    struct collection *collection; // NULL: there is no such collection
    struct document_id id;         // borrowed
    bool is_there;                 // there is such a document
    struct stored_document stored; // is_there; borrowed until the next one is read
};

// `state`, `overlay` and `catalog` are borrowed and outlive it.
void documents_init(struct documents *documents, struct state *state, struct overlay *overlay,
                    struct catalog *catalog);
void documents_release(struct documents *documents);

// Forgets what is known of timed cells: the state is no longer the one that it was.
void documents_reset(struct documents *documents);

// Reads a document; `collection` may be NULL. Fails as states do; an absent document is no failure.
MUST_CHECK enum status documents_read(struct documents *documents, struct collection *collection,
                                      const struct document_id *id,
                                      struct document_place *ret_place);

// Takes into account that the transaction looks at a document, and with conditions at this number
// of its fields. too_large: that makes more than TRANSACTION_EXAMINED_SIZE_MAX, with a sentence.
MUST_CHECK enum status documents_examine(struct documents *documents, struct bytes document,
                                         uint32_t field_count);

// Puts the entry of the document `id` into an index. unique: another document has the same values.
MUST_CHECK enum status documents_put_entry(struct documents *documents, struct bytes entry_key,
                                           bool is_shared, struct bytes id);

// When a document expires, since 1970; TIME_NEVER if it doesn't.
uint64_t document_expires_us(const struct collection_record *record,
                             const struct stored_document *stored);

// Gives the document that was read last, in a collection that exists, another content, in canonical
// form. Fails with refused (a check of the collection), unique, too_large (a value that is too
// large for an index, or the collection's checks look at too much) or as states do, with a
// sentence; the transaction then has to be undone.
MUST_CHECK enum status documents_put(struct documents *documents,
                                     const struct document_place *place, struct bytes document);

// Removes the document that was read last and is there. Fails as states do.
MUST_CHECK enum status documents_remove(struct documents *documents,
                                        const struct document_place *place);

#endif
