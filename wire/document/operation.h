/*
 * Operations of transactions and reads. On the wire they are an array of maps:
 *
 *   [{"op": "put", "collection": "c", "id": "x", "document": {...}}, ...]
 *
 *   op         fields (in brackets those that may be left out)
 *   get        collection id
 *   insert     collection [id] document
 *   put        collection id document
 *   update     collection id patch [where] [upsert]
 *   delete     collection id [where]
 *   check      collection id, and one of: where, document_version, absent (true)
 *   find       collection [where] [index] [order] [limit]; in reads also [cursor] [explain]
 *   count      collection [where] [index]
 *   unchanged  collection, and either ids, an array of [id, document_version], 0 for absent,
 *              or find (a map of the fields of a find but its collection) and digest (a number)
 *
 *   In transactions only, one in a transaction of its own:
 *
 *   create_collection  collection [settings]
 *   drop_collection    collection
 *   create_index       collection index fields [unique]
 *   drop_index         collection index
 *
 *   settings is a map: [ttl] (seconds, or the path of a field that holds a timestamp), [history]
 *   (seconds), [check] (an array of predicates); fields is an array of 1 to INDEX_FIELDS_MAX paths.
 *
 *   In reads only:
 *
 *   history      collection id
 *   collections  nothing
 *
 * This is the one parser for all who look inside. It checks the shape: names, types, which fields
 * an operation needs and takes. It doesn't look into documents, patches, conditions and settings;
 * operations_canonicalize() does so for their form and what they mean.
 */
#ifndef SKEIN_WIRE_DOCUMENT_OPERATION_H
#define SKEIN_WIRE_DOCUMENT_OPERATION_H

#include "base/limits.h"
#include "wire/document/id.h"

enum operation_kind {
    OPERATION_get,
    OPERATION_insert,
    OPERATION_put,
    OPERATION_update,
    OPERATION_delete,
    OPERATION_check,
    OPERATION_find,
    OPERATION_count,
    OPERATION_unchanged,
    OPERATION_create_collection,
    OPERATION_drop_collection,
    OPERATION_create_index,
    OPERATION_drop_index,
    OPERATION_history,
    OPERATION_collections,
};

// One operation; what its kind doesn't have is zero. All bytes are borrowed from the blob; maps
// and arrays are the raw msgpack of the whole value, of size 0 when they were left out.
struct operation {
    enum operation_kind kind;
    struct bytes collection;   // a valid name
    bool has_id;               // only insert may do without
    struct document_id id;     // has_id
    struct bytes document;     // map
    struct bytes patch;        // map
    struct bytes where;        // map
    bool upsert;               // update: start from nothing if absent
    bool absent;               // check: the document must be absent
    bool has_document_version; // check
    uint64_t document_version; // has_document_version
    struct bytes index;        // text: name of the index to use
    struct bytes order;        // text: field to order by, "-" in front for backwards
    uint64_t limit;            // documents at most, from 1; 0 when it was left out
    struct bytes ids;          // unchanged: array of [id, document_version]
    bool has_find;             // unchanged: where, index, order and limit are those of its find
    uint64_t digest;           // has_find: of what the find returned
    struct bytes cursor;       // find: text that an earlier page ended with
    bool explain;              // find: say how, return no documents
    struct bytes settings;     // create_collection: map
    struct bytes fields;       // create_index: array of texts
    bool unique;               // create_index
};

// What is wrong with a blob of operations.
struct operation_fault {
    uint32_t operation;                    // 1 + its number; 0 when no single one is to blame
    char sentence[ERROR_MESSAGE_SIZE_MAX]; // for a person; UTF-8 that ends with a NUL
};

// A walk over a blob.
struct operations {
    struct cursor cursor; // at the next operation
    uint32_t count;       // of all
    uint32_t taken;       // how many have been taken
};

// The word of a kind, "put".
const char *operation_kind_name(enum operation_kind kind);

// Begins a walk. Fails with bad_request (no array, or an empty one) or too_large (more than
// TRANSACTION_OPERATIONS_MAX operations or TRANSACTION_SIZE_MAX bytes), and says why in
// `ret_fault`.
MUST_CHECK enum status operations_open(struct bytes blob, struct operations *ret_operations,
                                       struct operation_fault *ret_fault);

// Whether there is another one.
static inline bool operations_have_next(const struct operations *operations)
{
    return operations->taken < operations->count;
}

// Takes the next operation; there must be one. Behind the last one the blob must end. Fails with
// bad_request, type (a document, patch, condition or settings that are no map), too_large (limit)
// or too_deep, and says why in `ret_fault`; nothing may be taken afterwards.
MUST_CHECK enum status operations_next(struct operations *operations,
                                       struct operation *ret_operation,
                                       struct operation_fault *ret_fault);

// Whether an operation's condition, patch and settings are in canonical form and can be carried
// out. `number` is 1 + that of the operation. Fails with bad_request, type, too_large or too_deep
// and says why in `ret_fault`.
MUST_CHECK enum status operation_check_meaning(const struct operation *operation, uint32_t number,
                                               struct operation_fault *ret_fault);

// Appends the operation as a map, with its fields in the order of the table above.
void operation_pack(const struct operation *operation, struct buffer *out);

// Appends the blob with fields in the order of the table above, numbers in their shortest form and
// documents, patches, conditions and settings in canonical form (wire/document/document.h), checked
// for what they mean: a blob that has gone through stays the same. Fails as operations_next() and
// operation_check_meaning() do, and for documents as document_canonicalize() does, and says why in
// `ret_fault`; `out` is then as before.
MUST_CHECK enum status operations_canonicalize(struct bytes blob, struct buffer *out,
                                               struct operation_fault *ret_fault);

#endif
