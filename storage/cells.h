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
 *   +----+-----------+----+
 *   | 10 | collection | id |                        +-----------+-----------+------------------+
 *   +----+------------+----+                        | version   | time_us   | document         |
 *        0   u32 BE                                 +-----------+-----------+------------------+
 *                                                   0   u64 LE  8   u64 LE  16       canonical
 *
 * Kinds 04..0f are for what there is one of a name, 11..1f for what belongs to a collection (index
 * entries, history). A number is never used again.
 */
#ifndef SKEIN_STORAGE_CELLS_H
#define SKEIN_STORAGE_CELLS_H

#include "base/buffer.h"
#include "base/status.h"
#include "wire/document/id.h"

enum cell_kind {
    CELL_APPLIED = 0x01,
    CELL_COLLECTION = 0x02,
    CELL_SESSION = 0x03,
    CELL_DOCUMENT = 0x10,
};

// Whether this version of the program knows cells of such a kind.
bool cell_kind_is_known(uint8_t kind);

// Append the key of a cell.
void cell_key_applied(struct buffer *key);
void cell_key_collection(struct buffer *key, struct bytes name);
void cell_key_session(struct buffer *key, struct bytes name);
void cell_key_document(struct buffer *key, uint32_t collection, const struct document_id *id);

// Append the first key of a kind, and the first one behind it.
void cell_range(enum cell_kind kind, struct buffer *from, struct buffer *to);

// Appends the name in the key of a collection or a session. damaged: it is none.
MUST_CHECK enum status cell_key_name(struct bytes key, struct buffer *out);

// What is known about a collection.
struct collection_record {
    uint32_t id; // in the keys of its documents; from 1
};

// A record with fields of a later version of the program decodes: they are skipped. damaged: it is
// no such record.
void collection_record_encode(const struct collection_record *record, struct buffer *out);
MUST_CHECK enum status collection_record_decode(struct bytes value,
                                                struct collection_record *ret_record);

// A document as it is stored.
struct stored_document {
    uint64_t version;      // of the transaction that wrote it
    uint64_t time_us;      // of that transaction, since 1970
    struct bytes document; // canonical; borrowed
};

void stored_document_encode(const struct stored_document *stored, struct buffer *out);

// Borrows from `value`. damaged: it is too short.
MUST_CHECK enum status stored_document_decode(struct bytes value,
                                              struct stored_document *ret_stored);

#endif
