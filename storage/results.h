/*
 * The results of operations, one msgpack map each, in transactions and in reads alike:
 *
 *   get                 {"document": map, "document_version": integer, "time": us since 1970},
 *                       all three null when there is no such document
 *   insert              {"id": text or integer}
 *   find                {"documents": [{"id", "document", "document_version", "time"}, ...],
 *                       "stats": {"index": text or null, "examined": integer, "sorted": boolean}};
 *                       in reads also "cursor": text, or null at the end; or "more": true if there
 *                       are more documents, and the version read at is none that a cursor can name
 *   count               {"count": integer, "stats": as above}
 *   history             {"versions": [{"document_version", "document" or null if it was deleted,
 *                       "time"}, ...], newest first, "complete": boolean, whether these are all}
 *   collections         {"collections": [{"name", "documents": integer, "bytes": integer,
 *                       "settings": map, "indexes": [{"name", "fields": [text, ...], "unique":
 *                       boolean, "state": "building", "ready" or "failed", "done": integer of
 *                       documents that it has}, ...]}, ...]}
 *   all others          {}
 */
#ifndef SKEIN_STORAGE_RESULTS_H
#define SKEIN_STORAGE_RESULTS_H

#include "base/limits.h"
#include "storage/find.h"

enum { RESULTS_SIZE_MAX = 6 * MIB }; // what an outcome or a read_reply holds

// Whether a result with a document of `document_size` bytes still fits behind `results`.
bool results_have_room(const struct buffer *results, size_t document_size);

// Appends the result of a get; NULL: there is no such document.
void results_pack_get(struct buffer *results, const struct stored_document *stored);

// Appends the result of an insert.
void results_pack_insert(struct buffer *results, const struct document_id *id);

// Appends the result of an operation that has nothing to say.
void results_pack_empty(struct buffer *results);

// A result with a list whose length is not known beforehand, on its way.
struct results_list {
    size_t map_at;   // where its map begins in the results
    size_t array_at; // where the list begins
    uint32_t count;  // elements so far
};

// Begin the result of a find; append a document of it, false and nothing done if there is no room
// for it and the end; end it.
void results_find_begin(struct buffer *results, struct results_list *ret_list);
MUST_CHECK bool results_find_row(struct buffer *results, struct results_list *list,
                                 const struct find_row *row);
void results_find_end(struct buffer *results, const struct results_list *list,
                      const struct find_statistics *statistics);

// Add to the result that was ended last, in reads: the cursor, null if it has no bytes; that there
// are more.
void results_find_cursor(struct buffer *results, const struct results_list *list,
                         struct bytes cursor);
void results_find_more(struct buffer *results, const struct results_list *list);

// Appends the result of a count; all zero statistics if nothing had to be looked at.
void results_pack_count(struct buffer *results, uint64_t count,
                        const struct find_statistics *statistics);

// The same three steps for a history, from the newest version to the oldest. A document of no bytes
// stands for a deletion.
void results_history_begin(struct buffer *results, struct results_list *ret_list);
MUST_CHECK bool results_history_version(struct buffer *results, struct results_list *list,
                                        const struct stored_document *stored);
void results_history_end(struct buffer *results, const struct results_list *list, bool is_complete);

// What is told about a collection.
struct results_collection {
    struct bytes name;
    const struct collection_record *record;
    struct collection_statistics statistics;
    const uint64_t *done; // one for each index: documents that have entries in it
};

// The same three steps for collections.
void results_collections_begin(struct buffer *results, struct results_list *ret_list);
MUST_CHECK bool results_collection(struct buffer *results, struct results_list *list,
                                   const struct results_collection *collection);
void results_collections_end(struct buffer *results, const struct results_list *list);

#endif
