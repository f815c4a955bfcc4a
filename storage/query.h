/*
 * The query machine: answers reads and digests from the state, at the applied version or at a
 * marked one. It never writes, so any number of threads may run it beside the node.
 */
#ifndef SKEIN_STORAGE_QUERY_H
#define SKEIN_STORAGE_QUERY_H

#include "base/buffer.h"
#include "storage/find.h"
#include "storage/marks.h"
#include "storage/state.h"
#include "wire/message.h"

// Answers `message` (read or digest; the node has seen to it that the wanted version is applied)
// and appends the encoded read_reply or digest_reply to `out`. All gets of one read see one
// version, which the reply names. Any failure becomes the status and the sentence of the reply.
void query_run(struct state *state, struct marks *marks, const struct message *message,
               struct buffer *out);

// The same, but what looks at many cells fails with `deadline` when `patience` is over.
void query_run_patiently(struct state *state, struct marks *marks, const struct message *message,
                         const struct patience *patience, struct buffer *out);

// Whether a message may look at many cells: a digest, or a read with anything but gets.
bool query_may_take_long(const struct message *message);

#endif
