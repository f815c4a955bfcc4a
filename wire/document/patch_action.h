/*
 * What one pair of a patch does to one field. For patch.c.
 */
#ifndef SKEIN_WIRE_DOCUMENT_PATCH_ACTION_H
#define SKEIN_WIRE_DOCUMENT_PATCH_ACTION_H

#include "base/buffer.h"
#include "base/limits.h"
#include "base/status.h"

enum patch_operator {
    PATCH_set, // a value, without an operator
    PATCH_unset,
    PATCH_inc,
    PATCH_mul,
    PATCH_min,
    PATCH_max,
    PATCH_push,
    PATCH_pull,
    PATCH_now,
};

struct patch_action {
    enum patch_operator kind;
    struct bytes path;     // of the field
    struct bytes argument; // the value, or what follows the operator; whole, borrowed
    struct bytes low;      // PATCH_inc: the outcome is at least this number; no bytes: any
    struct bytes high;     // the same at the other end
};

// Where an action puts the new value, and what else it needs to know.
struct patch_scene {
    struct buffer *out; // the new value goes to its end
    uint64_t time_us;   // of the transaction
    char *sentence;     // for what goes wrong; room for ERROR_MESSAGE_SIZE_MAX bytes
};

// Reads one pair of a canonical patch. Fails with bad_request and a sentence's end.
MUST_CHECK enum status patch_action_read(struct bytes path, struct bytes operand,
                                         struct patch_action *ret_action,
                                         char ret_sentence[ERROR_MESSAGE_SIZE_MAX]);

// Whether it makes the field where there is none.
bool patch_action_makes_field(const struct patch_action *action);

// Appends the new value of the field whose value was `old`, of no bytes where there was none;
// ret_is_there is false, and nothing appended, if there is none now. Fails with type, refused or
// too_deep and a sentence's end; something may then have been appended.
MUST_CHECK enum status patch_action_apply(const struct patch_action *action, struct bytes old,
                                          const struct patch_scene *scene, bool *ret_is_there);

#endif
