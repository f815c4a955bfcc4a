/*
 * Histories: what clients asked of a database, and what they were told, as lines of JSON.
 *
 *   {"process": 3, "kind": "list", "invoke": 1200, "complete": 3400, "outcome": "ok",
 *    "operations": [["append", "x", 7], ["read", "y"]], "results": [null, [1, 2]]}
 *
 *   process     number of the client; for people
 *   kind        what checks it: list, bank, register, set, counter or session
 *   invoke      when it was sent, in ns; all times of a history are of one clock
 *   complete    when it was answered, in ns; not needed when the outcome is unknown
 *   outcome     ok: it was done. fail: it was not done, and never will be. unknown: it may have
 *               been done, or may be done later, or never
 *   operations  an array for each, a word and what belongs to it
 *   results     one for each operation, null where there is none; only with outcome ok
 *   version     the version that the database gave; may be left out (list, session)
 *
 *   kind      operation             result
 *   list      append KEY NUMBER     null; a number is appended to a key once in all the history
 *             read KEY              an array of the numbers in the list, [] for none; null if what
 *                                   was read isn't known
 *   bank      open {ACCOUNT: N}     null; the first balances; alone, and before all others
 *             transfer FROM TO N    null; alone
 *             read                  {ACCOUNT: balance, ...} of all accounts; alone
 *   register  write KEY VALUE       null; alone, as all of this kind
 *             read KEY              the value, null for none
 *             compare_and_set KEY EXPECTED VALUE
 *                                   true, or false if the value was another than EXPECTED
 *   set       add KEY VALUE         null; alone, as all of this kind, and once in all the history
 *             read KEY              an array of the values in the set
 *   counter   increment KEY AMOUNT  null; alone, as all of this kind; the amount is above zero
 *             read KEY              the sum, 0 for none
 *   session   write KEY NUMBER      null; alone, as all of this kind; by one process for each key,
 *                                   with growing numbers above zero
 *             read KEY              the number, null for none
 *
 * KEY and ACCOUNT are texts, VALUE is any JSON value. Other fields are skipped.
 */
#ifndef SKEIN_TESTS_CHECK_HISTORY_H
#define SKEIN_TESTS_CHECK_HISTORY_H

#include "base/buffer.h"
#include "base/limits.h"
#include "wire/cursor.h"

enum record_kind {
    RECORD_list,
    RECORD_bank,
    RECORD_register,
    RECORD_set,
    RECORD_counter,
    RECORD_session,
};

enum outcome { OUTCOME_ok, OUTCOME_fail, OUTCOME_unknown };

// One line of a history. Offsets are into the history's bytes, which hold whole msgpack values.
struct record {
    uint32_t line; // from 1
    enum record_kind kind;
    enum outcome outcome;
    uint64_t process;
    uint64_t invoke_ns;
    uint64_t complete_ns;     // UINT64_MAX when the outcome is unknown
    uint64_t version;         // 0 when none was given
    size_t operations_offset; // of an array of arrays that begin with a word
    size_t operations_size;
    size_t results_offset; // of an array as long as that of the operations
    size_t results_size;   // 0 unless the outcome is ok
};

struct history {
    struct buffer bytes;
    struct record *records; // owned
    size_t count;
    size_t capacity;
};

// What is wrong with a history.
struct history_fault {
    uint32_t line;                         // from 1
    char sentence[ERROR_MESSAGE_SIZE_MAX]; // for a person
};

// An operation of a record.
struct record_step {
    struct bytes word;       // "append"
    struct cursor arguments; // what follows it
    uint32_t argument_count; // how many values that is
    struct cursor result;    // one value
    bool has_result;         // false unless the outcome is ok
};

// A walk over the operations of a record.
struct record_steps {
    struct cursor operations; // at the next one
    struct cursor results;    // at its result
    bool has_results;
    uint32_t count; // of all
    uint32_t taken; // how many have been taken
};

void history_init(struct history *history);
void history_release(struct history *history);

// Takes in a text of lines, behind those that are there. Fails with bad_request, or too_deep, and
// says where and why in `ret_fault`.
MUST_CHECK enum status history_read(struct history *history, struct bytes text,
                                    struct history_fault *ret_fault);

// Writes the fault and returns bad_request, so that a caller can return both at once.
__attribute__((format(printf, 3, 4))) enum status
history_fault_set(struct history_fault *fault, uint32_t line, const char *format, ...);

// Begins a walk over the operations of a record.
void record_steps_open(const struct history *history, const struct record *record,
                       struct record_steps *ret_steps);

// Takes the next operation; false when there is none.
bool record_steps_next(struct record_steps *steps, struct record_step *ret_step);

// Whether the step is `word` with so many arguments.
bool record_step_is(const struct record_step *step, const char *word, uint32_t argument_count);

#endif
