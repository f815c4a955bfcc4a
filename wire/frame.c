/*
 * Head of a frame. What is wrong with a frame is found in the order in which the sender can be
 * told about it: is it a frame at all, is it of our format, is it of our cluster.
 *
 * The messages behind the head aren't looked at: the first one that is malformed ends the frame for
 * whoever takes them out.
 */
#include "wire/frame.h"

void frame_begin(struct buffer *out, uint64_t cluster_id, struct bytes from, uint64_t incarnation)
{
    buffer_clear(out);
    struct message head = {.kind = MESSAGE_frame,
                           .frame = {.format = FRAME_FORMAT,
                                     .cluster_id = cluster_id,
                                     .group_id = GROUP_ID,
                                     .from = from,
                                     .incarnation = incarnation}};
    message_encode(&head, out);
}

enum status frame_open(struct bytes frame, uint64_t own_cluster_id, struct message_frame *ret_head,
                       struct bytes *ret_rest)
{
    struct bytes rest = frame;
    struct message head;
    TRY(message_decode(&rest, &head));
    if (head.kind != MESSAGE_frame || rest.size == 0) {
        return STATUS_bad_request;
    }
    *ret_head = head.frame;
    if (head.frame.format != FRAME_FORMAT) {
        return STATUS_version_mismatch;
    }
    uint64_t cluster_id = head.frame.cluster_id;
    if (cluster_id != 0 && own_cluster_id != 0 && cluster_id != own_cluster_id) {
        return STATUS_wrong_cluster;
    }
    *ret_rest = rest;
    return STATUS_ok;
}
