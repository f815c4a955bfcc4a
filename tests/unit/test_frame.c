/*
 * Heads of frames: what is taken and what is refused, and in which way.
 */
#include "wire/frame.h"

#include "tests/unit/fixture_value.h"
#include "wire/pack.h"

#include <criterion/criterion.h>

enum { CLUSTER = 77 };

// A frame of process "s1" with one echo in it.
static void frame_init(struct buffer *frame, uint64_t cluster_id)
{
    buffer_init(frame);
    frame_begin(frame, cluster_id, bytes_from_text("s1"), 5);
    message_encode(&(struct message){.kind = MESSAGE_echo, .echo = {.request = 1}}, frame);
}

static enum status open_frame(struct bytes frame, uint64_t own_cluster_id)
{
    struct message_frame head;
    struct bytes rest;
    return frame_open(frame, own_cluster_id, &head, &rest);
}

Test(frame, opens_what_was_begun)
{
    AUTO(buffer_release) struct buffer frame;
    frame_init(&frame, CLUSTER);
    struct message_frame head;
    struct bytes rest;
    cr_assert_eq(frame_open(buffer_bytes(&frame), CLUSTER, &head, &rest), STATUS_ok);
    cr_assert(bytes_equal(head.from, bytes_from_text("s1")));
    cr_assert_eq(head.cluster_id, CLUSTER);
    cr_assert_eq(head.incarnation, 5);
    cr_assert_eq(head.group_id, GROUP_ID);
    struct message message;
    cr_assert_eq(message_decode(&rest, &message), STATUS_ok);
    cr_assert_eq(message.kind, MESSAGE_echo);
    cr_assert_eq(rest.size, 0);
}

Test(frame, beginning_empties_the_buffer)
{
    AUTO(buffer_release) struct buffer frame;
    frame_init(&frame, CLUSTER);
    size_t size = frame.size;
    frame_begin(&frame, CLUSTER, bytes_from_text("s1"), 5);
    cr_assert_lt(frame.size, size);
}

Test(frame, without_a_message_is_refused)
{
    AUTO(buffer_release) struct buffer frame = {0};
    frame_begin(&frame, CLUSTER, bytes_from_text("s1"), 5);
    cr_assert_eq(open_frame(buffer_bytes(&frame), CLUSTER), STATUS_bad_request);
}

Test(frame, without_a_head_is_refused)
{
    AUTO(buffer_release) struct buffer frame = {0};
    message_encode(&(struct message){.kind = MESSAGE_echo}, &frame);
    message_encode(&(struct message){.kind = MESSAGE_echo}, &frame);
    cr_assert_eq(open_frame(buffer_bytes(&frame), CLUSTER), STATUS_bad_request);
    cr_assert_eq(open_frame(bytes_of(NULL, 0), CLUSTER), STATUS_bad_request);
}

Test(frame, of_another_cluster_is_refused_and_says_whose_it_was)
{
    AUTO(buffer_release) struct buffer frame;
    frame_init(&frame, CLUSTER);
    struct message_frame head;
    struct bytes rest;
    cr_assert_eq(frame_open(buffer_bytes(&frame), 78, &head, &rest), STATUS_wrong_cluster);
    cr_assert_eq(head.cluster_id, CLUSTER);
}

Test(frame, passes_while_one_side_knows_no_cluster)
{
    AUTO(buffer_release) struct buffer ours;
    frame_init(&ours, CLUSTER);
    cr_assert_eq(open_frame(buffer_bytes(&ours), 0), STATUS_ok);
    AUTO(buffer_release) struct buffer blank;
    frame_init(&blank, 0);
    cr_assert_eq(open_frame(buffer_bytes(&blank), CLUSTER), STATUS_ok);
}

Test(frame, of_another_format_is_refused_before_its_cluster_is_looked_at)
{
    AUTO(buffer_release) struct buffer frame = {0};
    struct message head = {.kind = MESSAGE_frame, .frame = {.format = 2, .cluster_id = 78}};
    message_encode(&head, &frame);
    message_encode(&(struct message){.kind = MESSAGE_echo}, &frame);
    cr_assert_eq(open_frame(buffer_bytes(&frame), CLUSTER), STATUS_version_mismatch);
}

Test(frame, survives_damage)
{
    struct random random;
    random_init(&random, 1);
    unsigned opened = 0;
    for (unsigned i = 0; i < 200000; i++) {
        AUTO(buffer_release) struct buffer frame;
        frame_init(&frame, CLUSTER);
        bytes_damage(&random, &frame);
        opened += open_frame(buffer_bytes(&frame), CLUSTER) == STATUS_ok;
    }
    cr_assert_gt(opened, 1000);
}
