/*
 * The results of operations, one msgpack map each, in transactions and in reads alike:
 *
 *   get                 {"document": map, "document_version": integer, "time": us since 1970},
 *                       all three null when there is no such document
 *   insert              {"id": text or integer}
 *   find                {"documents": [{"id", "document", "document_version", "time"}, ...],
 *                       "stats": {"index": text or null, "examined": integer, "sorted": boolean}};
 *                       in reads also "cursor": text, or null at the end
 *   count               {"count": integer, "stats": as above}
 *   history             {"versions": [{"document_version", "document" or null if it was deleted,
 *                       "time"}, ...]}, newest first
 *   collections         {"collections": [{"name", "documents": integer, "bytes": integer,
 *                       "settings": map, "indexes": [{"name", "fields": [text, ...], "unique":
 *                       boolean, "state": "building", "ready" or "failed", "done": integer of
 *                       documents that it has}, ...]}, ...]}
 *   all others          {}
 */
#ifndef SKEIN_STORAGE_RESULTS_H
#define SKEIN_STORAGE_RESULTS_H

#include "base/limits.h"
#include "storage/cells.h"

enum { RESULTS_SIZE_MAX = 6 * MIB }; // what an outcome or a read_reply holds

// Whether a result with a document of `document_size` bytes still fits behind `results`.
bool results_have_room(const struct buffer *results, size_t document_size);

// Appends the result of a get; NULL: there is no such document.
void results_pack_get(struct buffer *results, const struct stored_document *stored);

// Appends the result of an insert.
void results_pack_insert(struct buffer *results, const struct document_id *id);

// Appends the result of an operation that has nothing to say.
void results_pack_empty(struct buffer *results);

#endif
