/*
 * The reader's pages and marks: a find that has more is read again at a marked version, a cursor
 * says where it is read, and clients get marks that see all that was acknowledged before.
 */
#include "tests/unit/fixture_reader.h"

#include "wire/document/find_cursor.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char FIND[] = "[{\"op\": \"find\", \"collection\": \"c\"}]";
static const char MORE[] = "[{\"documents\": [], \"more\": true}]";
static const char PAGE[] = "[{\"documents\": [], \"cursor\": \"abc\"}]";
static const char WHOLE[] = "[{\"documents\": [], \"cursor\": null}]";

// A reader whose client asks for a find.
static void init(struct reader_stage *stage, enum read_level level)
{
    reader_stage_init(stage);
    reader_pack_operations(stage, FIND);
    reader_read(stage, 5, level);
}

// The find is answered by some node, at this version, as one with more rows.
static void answer_more(struct reader_stage *stage, uint64_t version)
{
    const char *name;
    struct message_read sent = reader_expect_sent(stage, &name);
    reader_answer_results(stage, name, sent.request, version, MORE);
}

// A find with a cursor of this version.
static void pack_find_with_cursor(struct reader_stage *stage, uint64_t version)
{
    AUTO(buffer_release) struct buffer text = {0};
    struct find_cursor cursor = {.version = version, .position = bytes_from_text("here")};
    char json[256];
    find_cursor_encode(&cursor, &text);
    snprintf(json, sizeof json, "[{\"op\": \"find\", \"collection\": \"c\", \"cursor\": \"%.*s\"}]",
             (int)text.size, (const char *)text.data);
    reader_pack_operations(stage, json);
}

static struct message_mark_reply expect_mark_reply(struct reader_stage *stage)
{
    return script_expect(&stage->script, READER_CLIENT, MESSAGE_mark_reply).mark_reply;
}

static enum status expect_refusal(struct reader_stage *stage)
{
    struct message message = script_expect(&stage->script, READER_CLIENT, MESSAGE_refusal);
    return (enum status)message.refusal.status;
}

Test(reader_pages, passes_a_whole_find_on)
{
    struct reader_stage stage;
    init(&stage, READ_session);
    const char *name;
    struct message_read sent = reader_expect_sent(&stage, &name);
    reader_answer_results(&stage, name, sent.request, 40, WHOLE);
    cr_assert_eq(reader_expect_reply(&stage, STATUS_ok).version, 40);
    reader_expect_no_mark(&stage);
    reader_stage_release(&stage);
}

Test(reader_pages, reads_a_find_that_has_more_again_at_a_mark)
{
    struct reader_stage stage;
    init(&stage, READ_linearizable);
    reader_give_point(&stage, 40);
    answer_more(&stage, 41);
    reader_expect_no_reply(&stage);
    reader_answer_mark(&stage, "s1", reader_expect_mark(&stage, "s1"), 42);
    const char *name;
    struct message_read sent = reader_expect_sent(&stage, &name);
    cr_assert_eq(sent.level, READ_snapshot);
    cr_assert_eq(sent.at_version, 42);
    cr_assert_eq(sent.at_position, 420);
    reader_answer_results(&stage, name, sent.request, 42, PAGE);
    struct message_read_reply reply = reader_expect_reply(&stage, STATUS_ok);
    cr_assert_eq(reply.request, 5);
    cr_assert_eq(reply.version, 42);
    reader_stage_release(&stage);
}

Test(reader_pages, takes_no_mark_older_than_its_read_point)
{
    struct reader_stage stage;
    init(&stage, READ_linearizable);
    reader_give_point(&stage, 40);
    answer_more(&stage, 41);
    reader_answer_mark(&stage, "s1", reader_expect_mark(&stage, "s1"), 39);
    reader_expect_none_sent(&stage);
    reader_answer_mark(&stage, "s1", reader_expect_mark(&stage, "s1"), 40);
    const char *name;
    cr_assert_eq(reader_expect_sent(&stage, &name).at_version, 40);
    reader_stage_release(&stage);
}

Test(reader_pages, drops_late_answers_of_the_time_before_the_mark)
{
    struct reader_stage stage;
    init(&stage, READ_any);
    const char *first;
    struct message_read sent = reader_expect_sent(&stage, &first);
    script_pass(&stage.script, 3000 * 1000);
    answer_more(&stage, 41);
    reader_answer_results(&stage, first, sent.request, 40, WHOLE);
    reader_expect_no_reply(&stage);
    reader_answer_mark(&stage, "s1", reader_expect_mark(&stage, "s1"), 42);
    const char *name;
    reader_expect_sent(&stage, &name);
    const char *other = strcmp(name, "s1") == 0 ? "s2" : "s1";
    reader_answer_results(&stage, other, sent.request, 40, WHOLE);
    reader_answer_results(&stage, other, sent.request, 42, MORE);
    reader_refuse(&stage, other, sent.request, STATUS_bad_request);
    reader_expect_no_reply(&stage);
    reader_answer_results(&stage, other, sent.request, 42, PAGE);
    reader_expect_reply(&stage, STATUS_ok);
    reader_stage_release(&stage);
}

Test(reader_pages, never_passes_on_a_page_without_a_cursor)
{
    struct reader_stage stage;
    init(&stage, READ_any);
    answer_more(&stage, 41);
    reader_answer_mark(&stage, "s1", reader_expect_mark(&stage, "s1"), 42);
    answer_more(&stage, 42);
    reader_expect_no_reply(&stage);
    const char *name;
    cr_assert_eq(reader_expect_sent(&stage, &name).at_version, 42);
    reader_expect_no_mark(&stage);
    reader_stage_release(&stage);
}

Test(reader_pages, asks_another_replica_when_one_does_not_keep_the_mark)
{
    struct reader_stage stage;
    init(&stage, READ_any);
    answer_more(&stage, 41);
    reader_answer_mark(&stage, "s1", reader_expect_mark(&stage, "s1"), 42);
    const char *first;
    const char *second;
    struct message_read sent = reader_expect_sent(&stage, &first);
    reader_answer_read(&stage, first, sent.request, STATUS_too_old, 0);
    cr_assert_eq(reader_expect_sent(&stage, &second).at_version, 42);
    cr_assert_neq(first, second);
    reader_stage_release(&stage);
}

Test(reader_pages, asks_for_the_mark_also_those_that_failed_before_it)
{
    struct reader_stage stage;
    init(&stage, READ_any);
    const char *name;
    for (int i = 0; i < 2; i++) {
        struct message_read sent = reader_expect_sent(&stage, &name);
        reader_answer_read(&stage, name, sent.request, STATUS_deadline, 0);
    }
    answer_more(&stage, 41);
    reader_answer_mark(&stage, "s1", reader_expect_mark(&stage, "s1"), 42);
    for (int i = 0; i < 3; i++) {
        struct message_read sent = reader_expect_sent(&stage, &name);
        reader_expect_no_reply(&stage);
        reader_answer_read(&stage, name, sent.request, STATUS_too_old, 0);
    }
    reader_expect_reply(&stage, STATUS_too_old);
    reader_stage_release(&stage);
}

Test(reader_pages, reads_a_find_with_a_cursor_at_its_version_whatever_the_level)
{
    for (enum read_level level = READ_linearizable; level <= READ_any; level++) {
        struct reader_stage stage;
        reader_stage_init(&stage);
        pack_find_with_cursor(&stage, 33);
        struct message message = reader_read_message(&stage, 5, level);
        message.read.at_version = 12;
        message.read.after_version = 90;
        message.read.lag_versions_max = 1;
        script_message(&stage.script, READER_CLIENT, &message);
        const char *name;
        struct message_read sent = reader_expect_sent(&stage, &name);
        cr_assert_eq(sent.level, READ_snapshot);
        cr_assert_eq(sent.at_version, 33);
        reader_answer_results(&stage, name, sent.request, 33, PAGE);
        reader_expect_reply(&stage, STATUS_ok);
        reader_stage_release(&stage);
    }
}

Test(reader_pages, refuses_a_damaged_cursor_at_once)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_pack_operations(&stage,
                           "[{\"op\": \"find\", \"collection\": \"c\", \"cursor\": \"AAAA\"}]");
    reader_read(&stage, 5, READ_any);
    reader_expect_reply(&stage, STATUS_bad_request);
    reader_expect_none_sent(&stage);
    reader_stage_release(&stage);
}

Test(reader_pages, says_that_no_version_could_be_marked_in_time)
{
    struct reader_stage stage;
    init(&stage, READ_any);
    answer_more(&stage, 41);
    script_pass(&stage.script, 5000 * 1000);
    reader_expect_reply(&stage, STATUS_deadline);
    reader_stage_release(&stage);
}

Test(reader_pages, reads_at_a_time_once_all_of_it_is_known)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    struct message message = reader_read_message(&stage, 5, READ_snapshot);
    message.read.at_time_us = 777;
    script_message(&stage.script, READER_CLIENT, &message);
    reader_expect_none_sent(&stage);
    reader_give_point(&stage, 40);
    const char *name;
    struct message_read sent = reader_expect_sent(&stage, &name);
    cr_assert_eq(sent.level, READ_snapshot);
    cr_assert_eq(sent.at_time_us, 777);
    cr_assert_eq(sent.after_version, 40);
    cr_assert_eq(sent.at_version, 0);
    reader_answer_read(&stage, name, sent.request, STATUS_ok, 31);
    cr_assert_eq(reader_expect_reply(&stage, STATUS_ok).version, 31);
    reader_stage_release(&stage);
}

Test(reader_pages, refuses_a_time_where_it_makes_no_sense)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    struct message message = reader_read_message(&stage, 5, READ_linearizable);
    message.read.at_time_us = 777;
    script_message(&stage.script, READER_CLIENT, &message);
    reader_expect_reply(&stage, STATUS_bad_request);
    message.read.level = READ_snapshot;
    message.read.at_version = 7;
    script_message(&stage.script, READER_CLIENT, &message);
    reader_expect_reply(&stage, STATUS_bad_request);
    reader_stage_release(&stage);
}

Test(reader_pages, passes_a_mark_on)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_ask_mark(&stage, 6);
    reader_answer_mark(&stage, "s1", reader_expect_mark(&stage, "s1"), 42);
    struct message_mark_reply reply = expect_mark_reply(&stage);
    cr_assert_eq(reply.request, 6);
    cr_assert_eq(reply.version, 42);
    cr_assert_eq(reply.position, 420);
    reader_stage_release(&stage);
}

Test(reader_pages, lets_a_mark_that_is_asked_later_wait_for_the_next_one)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_ask_mark(&stage, 6);
    uint64_t first = reader_expect_mark(&stage, "s1");
    reader_ask_mark(&stage, 7);
    reader_ask_mark(&stage, 8);
    reader_expect_no_mark(&stage);
    reader_answer_mark(&stage, "s1", first, 42);
    cr_assert_eq(expect_mark_reply(&stage).request, 6);
    uint64_t second = reader_expect_mark(&stage, "s1");
    cr_assert_neq(first, second);
    cr_assert_eq(script_count(&stage.script, READER_CLIENT, MESSAGE_mark_reply), 0);
    reader_answer_mark(&stage, "s1", second, 43);
    cr_assert_eq(expect_mark_reply(&stage).version, 43);
    cr_assert_eq(expect_mark_reply(&stage).request, 8);
    reader_expect_no_mark(&stage);
    reader_stage_release(&stage);
}

Test(reader_pages, asks_again_for_a_mark_that_got_lost)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_ask_mark(&stage, 6);
    uint64_t first = reader_expect_mark(&stage, "s1");
    script_pass(&stage.script, 299 * 1000);
    reader_expect_no_mark(&stage);
    script_pass(&stage.script, 1000);
    uint64_t second = reader_expect_mark(&stage, "s1");
    cr_assert_neq(first, second);
    reader_answer_mark(&stage, "s1", first, 41);
    cr_assert_eq(script_count(&stage.script, READER_CLIENT, MESSAGE_mark_reply), 0);
    reader_answer_mark(&stage, "s1", second, 42);
    cr_assert_eq(expect_mark_reply(&stage).version, 42);
    reader_stage_release(&stage);
}

Test(reader_pages, asks_the_new_primary_for_the_mark)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_ask_mark(&stage, 6);
    reader_refuse(&stage, "s1", reader_expect_mark(&stage, "s1"), STATUS_not_primary);
    reader_expect_no_mark(&stage);
    script_pass(&stage.script, 20 * 1000);
    uint64_t first = reader_expect_mark(&stage, "s1");
    reader_lead(&stage, 2, "s2");
    uint64_t second = reader_expect_mark(&stage, "s2");
    reader_answer_mark(&stage, "s1", first, 41);
    reader_answer_mark(&stage, "s2", second, 42);
    cr_assert_eq(expect_mark_reply(&stage).version, 42);
    reader_stage_release(&stage);
}

Test(reader_pages, marks_nothing_while_disks_are_full)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_ask_mark(&stage, 6);
    reader_refuse(&stage, "s1", reader_expect_mark(&stage, "s1"), STATUS_read_only);
    cr_assert_eq(expect_refusal(&stage), STATUS_read_only);
    reader_stage_release(&stage);
}

Test(reader_pages, refuses_a_mark_without_id_or_time)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    struct message ask = {.kind = MESSAGE_mark, .mark = {.request = 6}};
    script_message(&stage.script, READER_CLIENT, &ask);
    cr_assert_eq(expect_refusal(&stage), STATUS_bad_request);
    reader_ask_mark(&stage, 0);
    cr_assert_eq(expect_refusal(&stage), STATUS_bad_request);
    reader_expect_no_mark(&stage);
    reader_stage_release(&stage);
}

Test(reader_pages, ends_a_mark_at_its_deadline)
{
    struct reader_stage stage;
    reader_stage_init(&stage);
    reader_lead(&stage, 2, NULL);
    reader_ask_mark(&stage, 6);
    reader_expect_no_mark(&stage);
    script_pass(&stage.script, 5000 * 1000);
    cr_assert_eq(expect_refusal(&stage), STATUS_deadline);
    reader_stage_release(&stage);
}
