/*
 * Whether the operations on one register are linearizable: whether there is an order of them that
 * agrees with time and in which each sees what those before it leave.
 */
#ifndef SKEIN_TESTS_CHECK_LINEARIZE_H
#define SKEIN_TESTS_CHECK_LINEARIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REGISTER_NONE = 0 }; // the value of a register that was never written

enum register_kind {
    REGISTER_read,    // the value is `expected`
    REGISTER_write,   // makes it `value`
    REGISTER_swap,    // it is `expected`, and becomes `value`
    REGISTER_no_swap, // it isn't `expected`
};

// An operation that was done, or may have been.
struct register_operation {
    enum register_kind kind;
    bool is_unknown;   // it may have been done at any time from invoke_ns on, or never
    uint32_t expected; // number of a value
    uint32_t value;    // number of a value
    uint32_t record;   // for the caller
    uint64_t invoke_ns;
    uint64_t complete_ns; // UINT64_MAX if it is unknown
};

enum linearize_verdict { LINEARIZE_good, LINEARIZE_bad, LINEARIZE_undecided };

// Why there is no order: the longest one that was found, and what it ended at.
struct linearize_dead_end {
    size_t ordered; // so many operations could be put in an order
    uint32_t value; // that they leave
    size_t last;    // number of the last operation in that order; `count` if there is none
    size_t blocked; // number of one that had to come next, and can't
};

// Searches for an order of the operations on a register that begins with REGISTER_NONE. Looks at
// `configurations_max` configurations at most, beyond it is undecided. `ret_dead_end` is set when
// the verdict is bad.
enum linearize_verdict linearize(const struct register_operation *operations, size_t count,
                                 size_t configurations_max,
                                 struct linearize_dead_end *ret_dead_end);

#endif
