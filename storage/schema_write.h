/*
 * Writing what there is besides documents: collections, indexes and the jobs that build and clear
 * them. Changes the catalog and puts the cells into the open entry, both of which the transaction
 * can undo. Whoever calls has checked that it may be.
 */
#ifndef SKEIN_STORAGE_SCHEMA_WRITE_H
#define SKEIN_STORAGE_SCHEMA_WRITE_H

#include "storage/document_write.h"

// Makes a collection with the settings of `record`, NULL for none. There is none of that name, and
// there are fewer than COLLECTION_COUNT_MAX.
struct collection *schema_add_collection(struct documents *documents, struct bytes name,
                                         const struct collection_record *record);

// Drops a collection; its cells are left to a job. Fails as states do, with a sentence.
MUST_CHECK enum status schema_drop_collection(struct documents *documents,
                                              struct collection *collection);

// Adds an index, whose id and state are given here: it serves at once if there are no documents,
// else it is left to a job. There is none of that name, and there are fewer than INDEX_COUNT_MAX.
void schema_add_index(struct documents *documents, struct collection *collection,
                      const struct index_record *index);

// Drops the index of this id, which the collection has; its entries are left to a job. Fails as
// states do, with a sentence.
MUST_CHECK enum status schema_drop_index(struct documents *documents, struct collection *collection,
                                         uint32_t index_id);

// Gives the index of this id, which the collection has, another state.
void schema_set_index_state(struct documents *documents, struct collection *collection,
                            uint32_t index_id, enum index_state state);

#endif
