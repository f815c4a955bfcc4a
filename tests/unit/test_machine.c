/*
 * The outbox: effects keep their order and what they carry.
 */
#include "cluster/machine.h"

#include <criterion/criterion.h>

static void check_carries(const struct outbox *outbox, size_t number, const char *expected)
{
    struct bytes bytes = outbox_effect_bytes(outbox, &outbox->effects[number]);
    cr_assert(bytes_equal(bytes, bytes_from_text(expected)), "%.*s", (int)bytes.size,
              (const char *)bytes.data);
}

static struct message decode_effect(const struct outbox *outbox, size_t number)
{
    struct bytes rest = outbox_effect_bytes(outbox, &outbox->effects[number]);
    struct message message;
    cr_assert_eq(message_decode(&rest, &message), STATUS_ok);
    cr_assert_eq(rest.size, 0);
    return message;
}

Test(machine, addresses_of_endpoints_are_stable_and_leave_the_top_bit_to_shells)
{
    uint64_t address = address_of_endpoint(bytes_from_text("tcp://127.0.0.1:7310"));
    cr_assert_eq(address, address_of_endpoint(bytes_from_text("tcp://127.0.0.1:7310")));
    cr_assert_neq(address, address_of_endpoint(bytes_from_text("tcp://127.0.0.1:7311")));
    cr_assert_neq(address, 0);
    for (unsigned i = 0; i < 1000; i++) {
        cr_assert_eq(address_of_endpoint(bytes_of(&i, sizeof i)) >> 63, 0);
    }
}

Test(machine, effects_keep_their_order_and_bytes_while_the_outbox_grows)
{
    AUTO(outbox_release) struct outbox outbox;
    outbox_init(&outbox);
    for (uint64_t i = 0; i < 1000; i++) {
        struct message mark = {.kind = MESSAGE_mark, .mark = {.request = i + 1}};
        outbox_send(&outbox, i, &mark);
        outbox_timer(&outbox, (uint32_t)i, i * 10);
    }
    cr_assert_eq(outbox.count, 2000);
    for (uint64_t i = 0; i < 1000; i++) {
        cr_assert_eq(outbox.effects[2 * i].kind, EFFECT_SEND);
        cr_assert_eq(outbox.effects[2 * i].to, i);
        cr_assert_eq(decode_effect(&outbox, 2 * i).mark.request, i + 1);
        cr_assert_eq(outbox.effects[2 * i + 1].kind, EFFECT_TIMER);
        cr_assert_eq(outbox.effects[2 * i + 1].at_us, i * 10);
        cr_assert_eq(outbox.effects[2 * i + 1].size, 0);
    }
}

Test(machine, disk_requests_are_copied)
{
    AUTO(outbox_release) struct outbox outbox;
    outbox_init(&outbox);
    char entries[] = "entries";
    struct disk_request request = {
        .kind = DISK_APPEND, .sequence = 3, .bytes = bytes_from_text(entries)};
    outbox_disk(&outbox, &request);
    memset(entries, 0, sizeof entries);
    cr_assert_eq(outbox.effects[0].kind, EFFECT_DISK);
    cr_assert_eq(outbox.effects[0].disk.sequence, 3);
    cr_assert_null(outbox.effects[0].disk.bytes.data);
    check_carries(&outbox, 0, "entries");
}

Test(machine, connecting_gives_the_address_that_messages_go_to)
{
    AUTO(outbox_release) struct outbox outbox;
    outbox_init(&outbox);
    struct bytes endpoint = bytes_from_text("tcp://10.0.0.1:7310");
    uint64_t address = outbox_connect(&outbox, endpoint);
    outbox_disconnect(&outbox, address);
    cr_assert_eq(address, address_of_endpoint(endpoint));
    cr_assert_eq(outbox.effects[0].to, address);
    check_carries(&outbox, 0, "tcp://10.0.0.1:7310");
    cr_assert_eq(outbox.effects[1].kind, EFFECT_DISCONNECT);
    cr_assert_eq(outbox.effects[1].to, address);
}

Test(machine, encoded_messages_pass_as_they_are)
{
    AUTO(outbox_release) struct outbox outbox;
    outbox_init(&outbox);
    outbox_send_encoded(&outbox, 5, bytes_from_text("encoded"));
    outbox_query(&outbox, 6, bytes_from_text("query"));
    cr_assert_eq(outbox.effects[0].to, 5);
    check_carries(&outbox, 0, "encoded");
    cr_assert_eq(outbox.effects[1].kind, EFFECT_QUERY);
    cr_assert_eq(outbox.effects[1].to, 6);
    check_carries(&outbox, 1, "query");
}

Test(machine, logs_and_stops_carry_their_line_and_level)
{
    AUTO(outbox_release) struct outbox outbox;
    outbox_init(&outbox);
    outbox_log(&outbox, LOG_WARNING, "event=%s epoch=%d", "sealed", 4);
    outbox_stop(&outbox, 3, "event=damaged");
    outbox_cluster(&outbox, 77);
    cr_assert_eq(outbox.effects[0].timer, LOG_WARNING);
    check_carries(&outbox, 0, "event=sealed epoch=4");
    cr_assert_eq(outbox.effects[1].kind, EFFECT_STOP);
    cr_assert_eq(outbox.effects[1].timer, 3);
    check_carries(&outbox, 1, "event=damaged");
    cr_assert_eq(outbox.effects[2].at_us, 77);
}

Test(machine, a_line_that_is_too_long_is_cut)
{
    AUTO(outbox_release) struct outbox outbox;
    outbox_init(&outbox);
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    outbox_log(&outbox, LOG_INFO, "%s", text);
    cr_assert_lt(outbox.effects[0].size, 2000);
}

Test(machine, refusals_name_the_request_and_cut_their_sentence_between_characters)
{
    AUTO(outbox_release) struct outbox outbox;
    outbox_init(&outbox);
    char text[ERROR_MESSAGE_SIZE_MAX + 10];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    memcpy(text + ERROR_MESSAGE_SIZE_MAX - 1, "ä", 2);
    outbox_refuse(&outbox, 8, 9, STATUS_busy, text);
    struct message_refusal refusal = decode_effect(&outbox, 0).refusal;
    cr_assert_eq(outbox.effects[0].to, 8);
    cr_assert_eq(refusal.request, 9);
    cr_assert_eq(refusal.status, STATUS_busy);
    cr_assert_eq(refusal.message.size, ERROR_MESSAGE_SIZE_MAX - 1);
}

Test(machine, clearing_keeps_the_memory)
{
    AUTO(outbox_release) struct outbox outbox;
    outbox_init(&outbox);
    outbox_log(&outbox, LOG_INFO, "event=x");
    const struct effect *effects = outbox.effects;
    outbox_clear(&outbox);
    cr_assert_eq(outbox.count, 0);
    outbox_send_encoded(&outbox, 5, bytes_from_text("next"));
    cr_assert_eq(outbox.effects, effects);
    check_carries(&outbox, 0, "next");
}
