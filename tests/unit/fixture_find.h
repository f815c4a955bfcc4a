/*
 * One collection with its indexes, written cell by cell: into an overlay, and from there into a
 * state in memory when the test says so. Conditions and documents are JSON texts.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_FIND_H
#define SKEIN_TESTS_UNIT_FIXTURE_FIND_H

#include "storage/find.h"

struct shelf {
    struct state *state;
    struct overlay *overlay;
    struct view view; // of both; finds read through it, so a test may change it
    struct collection_record record;
    uint64_t version; // of the last write
};

// What is asked of a shelf.
struct shelf_find {
    const char *where; // JSON; NULL for none
    const char *order; // NULL for none
    const char *index; // NULL for none
    uint64_t rows_max;
    uint64_t examined_max;      // 0: any number
    uint64_t examined_size_max; // 0: any size
    struct bytes after;
};

// What came of it.
struct shelf_found {
    enum status status;
    char sentence[ERROR_MESSAGE_SIZE_MAX]; // of find_new(), when it failed
    struct buffer ids;      // owned; as text, one behind the other with a space between
    size_t count;           // of ids
    bool has_more;          // more rows, or maybe
    struct buffer position; // owned; has_more: to go on from
    struct find_statistics statistics;
};

void shelf_init(struct shelf *shelf);
void shelf_release(struct shelf *shelf);

// Adds an index that serves; `fields` are paths with a comma between. There are no documents yet.
struct index_record *shelf_index(struct shelf *shelf, const char *name, const char *fields,
                                 bool is_unique);

// Write a document and its entries in the indexes, in place of an older one; or nothing.
void shelf_put(struct shelf *shelf, const char *id, const char *json);
void shelf_put_canonical(struct shelf *shelf, const struct document_id *id, struct bytes document);
void shelf_delete(struct shelf *shelf, const char *id);

// Writes what the overlay holds into the state.
void shelf_settle(struct shelf *shelf);

// Appends what the JSON text stands for, in canonical form.
void canonical_from_json(const char *json, struct buffer *out);

// Finds to the end of the page.
struct shelf_found shelf_find(struct shelf *shelf, const struct shelf_find *wanted);
void shelf_found_release(struct shelf_found *found);

// Fails the test unless the ids found are these, "a b c".
void shelf_expect(struct shelf *shelf, const struct shelf_find *wanted, const char *ids);

#endif
