/*
 * A frame is what travels in one ZeroMQ message part: the `frame` message as its head, then one or
 * more messages. Whatever is going to the same peer at the same moment shares a frame, at every
 * hop.
 */
#ifndef SKEIN_WIRE_FRAME_H
#define SKEIN_WIRE_FRAME_H

#include "wire/message.h"

enum { FRAME_FORMAT = 1, GROUP_ID = 1 };

// Begins a frame in `out` (emptied first); messages are appended with message_encode().
void frame_begin(struct buffer *out, uint64_t cluster_id, struct bytes from, uint64_t incarnation);

// Reads the head. `*ret_rest` holds the messages, to be taken with message_decode() until it is
// empty. Fails with bad_request for anything that is no frame (also one without a message), with
// version_mismatch for another format, with wrong_cluster when both sides know their cluster and
// they differ (own_cluster_id 0: we know none); ret_head is set in these two cases, too.
MUST_CHECK enum status frame_open(struct bytes frame, uint64_t own_cluster_id,
                                  struct message_frame *ret_head, struct bytes *ret_rest);

#endif
