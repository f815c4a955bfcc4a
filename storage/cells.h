/*
 * What the cells of a state look like. The first byte of a key is its kind; the rest are ordered
 * keys (wire/key.h), so that the cells of a kind, and the documents of a collection, are neighbours
 * in the order of what they are named by.
 *
 *   key                                            value
 *   +----+
 *   | 01 |                                         applied_record message: where the state stands
 *   +----+-----------+
 *   | 02 | name      |                             collection: msgpack map {"id": u32, ...}
 *   +----+-----------+
 *   | 03 | name      |                             session record (storage/session_record.h)
 *   +----+-----------+
 *   | 04 | number    |                             job: what is built or cleared bit by bit
 *   +----+-----------+
 *   | 05 |                                         counters: the highest ids that were given
 *   +----+------------+----+
 *   | 10 | collection | id |                        +-----------+-----------+------------------+
 *   +----+------------+----+                        | version   | time_us   | document         |
 *        0   u32 BE                                 +-----------+-----------+------------------+
 *                                                   0   u64 LE  8   u64 LE  16       canonical
 *   +----+-------+------------+------+
 *   | 11 | index | value ...  | [id] |              key of the document's id
 *   +----+-------+------------+------+
 *   | 12 | collection | id | version |              superseded document, as above, its own version
 *   +----+------------+----+---------+              complemented in the key: newest first; an empty
 *                                                   document says that it was deleted then
 *   | 13 | collection |                            statistics: {"documents": u64, "bytes": u64}
 *   +----+---------+------------+----+
 *   | 14 | time_us | collection | id |              empty: the document expires then
 *   +----+---------+------------+----+
 *   | 15 | time_us | version | collection | id |    empty: this version in history is too old then
 *   +----+---------+---------+------------+----+
 *
 * An index has an entry for every document of its collection: the keys of its fields' values, null
 * for a field that isn't there, and then the document's id. An entry of a unique index, all of
 * whose fields are there, has no id in its key, so that a second document would need the same cell.
 *
 * Kinds 05..0f are for what there is one of a name, 15..1f for what belongs to a collection. A
 * number is never used again.
 */
#ifndef SKEIN_STORAGE_CELLS_H
#define SKEIN_STORAGE_CELLS_H

#include "base/buffer.h"
#include "base/limits.h"
#include "base/status.h"
#include "wire/document/id.h"

enum cell_kind {
    CELL_APPLIED = 0x01,
    CELL_COLLECTION = 0x02,
    CELL_SESSION = 0x03,
    CELL_JOB = 0x04,
    CELL_COUNTERS = 0x05,
    CELL_DOCUMENT = 0x10,
    CELL_INDEX = 0x11,
    CELL_HISTORY = 0x12,
    CELL_STATISTICS = 0x13,
    CELL_EXPIRY = 0x14,
    CELL_TRIMMING = 0x15,
};

// Whether this version of the program knows cells of such a kind.
bool cell_kind_is_known(uint8_t kind);

// Append the key of a cell.
void cell_key_applied(struct buffer *key);
void cell_key_collection(struct buffer *key, struct bytes name);
void cell_key_session(struct buffer *key, struct bytes name);
void cell_key_job(struct buffer *key, uint64_t number);
void cell_key_counters(struct buffer *key);
void cell_key_document(struct buffer *key, uint32_t collection, const struct document_id *id);
void cell_key_history(struct buffer *key, uint32_t collection, const struct document_id *id,
                      uint64_t version);
void cell_key_statistics(struct buffer *key, uint32_t collection);
void cell_key_expiry(struct buffer *key, uint64_t time_us, uint32_t collection,
                     const struct document_id *id);
void cell_key_expiry_at(struct buffer *key, uint64_t time_us, struct bytes at);
void cell_key_trimming(struct buffer *key, uint64_t time_us, uint64_t version, struct bytes at);

// What the key of an expiry or a trimming cell says behind its kind.
struct timed_key {
    uint64_t time_us; // since 1970
    uint64_t version; // CELL_TRIMMING
    struct bytes at;  // collection and id of the document, as in its key
};

// Takes the key of an expiry or a trimming cell apart; borrows. damaged: it is none.
MUST_CHECK enum status cell_key_timed(struct bytes key, struct timed_key *ret_timed);

// Takes collection and id, as in a document's key behind its kind, apart; the id is appended to
// `out` as msgpack. damaged: it isn't that.
MUST_CHECK enum status cell_key_place(struct bytes at, uint32_t *ret_collection,
                                      struct buffer *out);

// Takes the id, as its key's bytes, out of the key of a document's cell; borrows. damaged: it is
// none.
MUST_CHECK enum status cell_key_document_id(struct bytes key, struct bytes *ret_id);

// Appends the key of a history cell; `at` as above.
void cell_key_history_at(struct buffer *key, struct bytes at, uint64_t version);

// Append what the keys of all history of the document begin with whose id's key has these bytes,
// and the first key behind.
void cell_range_history(uint32_t collection, struct bytes id, struct buffer *from,
                        struct buffer *to);

// Appends the key of the document whose id's key has these bytes.
void cell_key_document_at(struct buffer *key, uint32_t collection, struct bytes id);

// Append what all keys of an index, or of one kind of a collection, begin with.
void cell_key_index(struct buffer *key, uint32_t index);
void cell_key_collection_kind(struct buffer *key, enum cell_kind kind, uint32_t collection);

// Append the first key of a kind, and the first one behind it.
void cell_range(enum cell_kind kind, struct buffer *from, struct buffer *to);

// Appends the name in the key of a collection or a session. damaged: it is none.
MUST_CHECK enum status cell_key_name(struct bytes key, struct buffer *out);

enum index_state {
    INDEX_BUILDING, // kept true by every write, but entries of older documents are missing
    INDEX_READY,    // serves
    INDEX_FAILED,   // unique, and two documents have the same value; dropped by hand
};

// An index of a collection. Bytes are borrowed from the collection's record.
struct index_record {
    uint32_t id;                           // in the keys of its entries; from 1, never used twice
    struct bytes name;                     // 1 to INDEX_NAME_SIZE_MAX bytes
    struct bytes fields[INDEX_FIELDS_MAX]; // valid paths
    size_t field_count;                    // at least 1
    bool is_unique;
    enum index_state state;
};

// What is known about a collection.
struct collection_record {
    uint32_t id;                  // in the keys of its documents; from 1
    uint32_t ttl_s;               // documents expire so long after their last write; 0: never
    struct bytes ttl_field;       // or at the timestamp in this field; of no bytes: never
    uint32_t history_s;           // superseded documents are kept so long; 0: not at all
    struct bytes check;           // array of predicates that every document satisfies; or no bytes
    struct index_record *indexes; // owned, INDEX_COUNT_MAX at most
    size_t index_count;
    struct buffer encoded; // owned; what the bytes above are borrowed from
};

void collection_record_release(struct collection_record *record);

// A record with fields of a later version of the program decodes: they are skipped. damaged: it is
// no such record. `ret_record` owns a copy of what it needs.
void collection_record_encode(const struct collection_record *record, struct buffer *out);
MUST_CHECK enum status collection_record_decode(struct bytes value,
                                                struct collection_record *ret_record);

// The index called `name`; NULL for none.
const struct index_record *collection_record_index(const struct collection_record *record,
                                                   struct bytes name);

// Appends the key of a document's entry in an index. ret_is_shared: it has no id in it, because the
// index is unique and all fields are there. too_large: beyond INDEX_KEY_SIZE_MAX. damaged: the
// document is none.
MUST_CHECK enum status index_entry_key(const struct index_record *index, struct bytes document,
                                       const struct document_id *id, struct buffer *key,
                                       bool *ret_is_shared);

// The same for the document whose id's key has these bytes.
MUST_CHECK enum status index_entry_key_at(const struct index_record *index, struct bytes document,
                                          struct bytes id, struct buffer *key, bool *ret_is_shared);

enum job_kind {
    JOB_BUILD = 1,            // an index gets entries of older documents
    JOB_CLEAR_INDEX = 2,      // a dropped index loses its entries
    JOB_CLEAR_COLLECTION = 3, // a dropped collection loses all its cells
};

// What is built or cleared bit by bit. Bytes are borrowed.
struct job_record {
    enum job_kind kind;
    uint32_t collection; // id of the collection
    uint32_t index;      // id of the index; CLEAR_COLLECTION: 0
    uint64_t done;       // documents that have entries, or cells that are cleared
    struct bytes next;   // key of the cell to go on from; of no bytes: the first one
    struct bytes record; // CLEAR_COLLECTION: the collection's record as it was; else of no bytes
};

void job_record_encode(const struct job_record *record, struct buffer *out);

// Borrows from `value`. damaged: it is no such record. version_mismatch: a job of an unknown kind.
MUST_CHECK enum status job_record_decode(struct bytes value, struct job_record *ret_record);

// The highest ids that were ever given.
struct id_counters {
    uint32_t collection;
    uint32_t index;
    uint64_t job;
};

void id_counters_encode(const struct id_counters *counters, struct buffer *out);
MUST_CHECK enum status id_counters_decode(struct bytes value, struct id_counters *ret_counters);

// How much a collection holds.
struct collection_statistics {
    uint64_t documents;
    uint64_t bytes; // of their canonical forms
};

void collection_statistics_encode(const struct collection_statistics *statistics,
                                  struct buffer *out);
MUST_CHECK enum status collection_statistics_decode(struct bytes value,
                                                    struct collection_statistics *ret_statistics);

// A document as it is stored.
struct stored_document {
    uint64_t version;      // of the transaction that wrote it
    uint64_t time_us;      // of that transaction, since 1970
    struct bytes document; // canonical; borrowed; of no bytes in history: it was deleted then
};

void stored_document_encode(const struct stored_document *stored, struct buffer *out);

// Borrows from `value`. damaged: it is too short.
MUST_CHECK enum status stored_document_decode(struct bytes value,
                                              struct stored_document *ret_stored);

#endif
