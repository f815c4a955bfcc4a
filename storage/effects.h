/*
 * The payload of an ENTRY_BATCH: what its transactions change, cell by cell.
 *
 *   0    1
 *   +----+------------------------------------------------+
 *   | 01 | cells of a state_batch (storage/state.c)       |
 *   +----+------------------------------------------------+
 *   format
 */
#ifndef SKEIN_STORAGE_EFFECTS_H
#define SKEIN_STORAGE_EFFECTS_H

#include "base/status.h"
#include "storage/state.h"

enum { EFFECTS_FORMAT = 1 };

// Appends the payload for the changes of `batch`.
void effects_encode(const struct state_batch *batch, struct buffer *payload);

// Appends the changes in a payload to `batch`. version_mismatch: another format, or a cell of an
// unknown kind (rule 38). bad_request: malformed, or a change of a cell that is not for entries to
// change. The batch is then as before.
MUST_CHECK enum status effects_decode(struct bytes payload, struct state_batch *batch);

#endif
