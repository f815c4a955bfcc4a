/*
 * The operations on lists in a history: appends and reads by key, and in which order the numbers of
 * each key were appended, as far as reads tell.
 */
#ifndef SKEIN_TESTS_CHECK_LISTS_H
#define SKEIN_TESTS_CHECK_LISTS_H

#include "tests/check/history.h"
#include "tests/check/report.h"

#define LIST_UNPLACED UINT32_MAX

// An append or a read.
struct list_operation {
    uint32_t record;   // number of its record
    uint32_t key;      // number of its key
    bool is_append;    // else a read
    int64_t number;    // append
    uint32_t place;    // append: in the order of its key, from 0; LIST_UNPLACED if nobody read it
    size_t offset;     // read: of its first number in the numbers of all
    uint32_t count;    // read: of its numbers
    uint32_t own;      // read: so many of them, at the end, its own record has appended
    bool is_first;     // read: the first one of its key in its record
    bool has_result;   // read: what it read is known
    bool is_malformed; // read: can't be right by itself, so it says nothing about anything else
};

// An entry of an index.
struct list_entry {
    uint32_t key;
    int64_t number;     // append; 0 for a read
    uint32_t operation; // number of it
};

struct list_key {
    struct bytes name;     // borrowed from the history
    size_t appends;        // its first entry among the appends
    size_t append_count;   // how many follow
    size_t reads;          // its first entry among the reads
    size_t read_count;     // how many follow
    uint32_t longest;      // read that the order is taken from; LIST_UNPLACED for none
    uint32_t placed_count; // how many numbers have a place
};

struct lists {
    const struct history *history;     // borrowed
    struct list_operation *operations; // owned; those of a record one behind the other
    size_t operation_count;
    size_t operation_capacity;
    size_t *starts;   // owned; [record] its first operation, one more at the end
    int64_t *numbers; // owned; of all reads
    size_t number_count;
    size_t number_capacity;
    struct list_entry *appends; // owned; by key and number
    size_t append_count;
    struct list_entry *reads; // owned; by key and operation
    size_t read_count;
    struct list_key *keys; // owned
    uint32_t key_count;
    bool *happened; // owned; [record] it was done: said so, or something of it was read
};

// Takes the records of the kind out of a history. Fails with bad_request when one of them can't be
// of that kind, or appends what another one has appended. To be released in any case.
MUST_CHECK enum status lists_init(struct lists *lists, const struct history *history,
                                  struct history_fault *ret_fault);
void lists_release(struct lists *lists);

// The number of the append of `number` to a key; LIST_UNPLACED if there is none.
uint32_t lists_find_append(const struct lists *lists, uint32_t key, int64_t number);

// The numbers that a read has read.
const int64_t *lists_numbers(const struct lists *lists, const struct list_operation *read);

// The append at a place in the order of its key; the place is below its placed_count.
const struct list_operation *lists_at_place(const struct lists *lists, uint32_t key,
                                            uint32_t place);

// The record of an operation.
const struct record *lists_record(const struct lists *lists,
                                  const struct list_operation *operation);

#endif
