/*
 * The list of collections, with what was asked for when they were made and how far their indexes
 * are.
 */
#include "storage/cells.h"
#include "tests/unit/fixture_query.h"

#include <criterion/criterion.h>

static struct asker a;

static void setup(void)
{
    asker_init(&a);
}

static void teardown(void)
{
    asker_release(&a);
}

TestSuite(query_collections, .init = setup, .fini = teardown);

static void expect_list(const char *wanted)
{
    asker_expect(&a, "{\"op\": \"collections\"}", wanted);
}

static void put(const char *collection, int id, int n)
{
    asker_write(&a,
                "{\"op\": \"put\", \"collection\": \"%s\", \"id\": %d, \"document\": {\"n\": %d}}",
                collection, id, n);
}

Test(query_collections, none_are_an_empty_list)
{
    expect_list("{\"collections\":[]}");
}

Test(query_collections, come_by_name_with_what_they_hold)
{
    put("b", 1, 1);
    put("a", 1, 1);
    put("a", 2, 100);
    expect_list("{\"collections\":["
                "{\"name\":\"a\",\"documents\":2,\"bytes\":8,\"settings\":{},\"indexes\":[]},"
                "{\"name\":\"b\",\"documents\":1,\"bytes\":4,\"settings\":{},\"indexes\":[]}]}");
}

Test(query_collections, show_their_settings)
{
    asker_write(&a, "{\"op\": \"create_collection\", \"collection\": \"a\", \"settings\": "
                    "{\"ttl\": 60, \"history\": 5, \"check\": [{\"n\": {\"$gte\": 0}}]}}");
    asker_write(&a, "{\"op\": \"create_collection\", \"collection\": \"b\", \"settings\": "
                    "{\"ttl\": \"until\"}}");
    expect_list("{\"collections\":["
                "{\"name\":\"a\",\"documents\":0,\"bytes\":0,\"settings\":{\"check\":[{\"n\":{"
                "\"$gte\":0}}],\"history\":5,\"ttl\":60},\"indexes\":[]},"
                "{\"name\":\"b\",\"documents\":0,\"bytes\":0,\"settings\":{\"ttl\":\"until\"},"
                "\"indexes\":[]}]}");
}

static void work(size_t cells)
{
    executor_work(a.engine.executor, cells);
    engine_settle(&a.engine);
}

Test(query_collections, show_how_far_an_index_is)
{
    put("a", 1, 1);
    put("a", 2, 2);
    put("a", 3, 2);
    asker_write(&a, "{\"op\": \"create_index\", \"collection\": \"a\", \"index\": \"n\", "
                    "\"fields\": [\"n\", \"m.x\"]}");
    expect_list("{\"collections\":[{\"name\":\"a\",\"documents\":3,\"bytes\":12,\"settings\":{},"
                "\"indexes\":[{\"name\":\"n\",\"fields\":[\"n\",\"m.x\"],\"unique\":false,"
                "\"state\":\"building\",\"done\":0}]}]}");
    work(2);
    expect_list("{\"collections\":[{\"name\":\"a\",\"documents\":3,\"bytes\":12,\"settings\":{},"
                "\"indexes\":[{\"name\":\"n\",\"fields\":[\"n\",\"m.x\"],\"unique\":false,"
                "\"state\":\"building\",\"done\":2}]}]}");
    work(2);
    expect_list("{\"collections\":[{\"name\":\"a\",\"documents\":3,\"bytes\":12,\"settings\":{},"
                "\"indexes\":[{\"name\":\"n\",\"fields\":[\"n\",\"m.x\"],\"unique\":false,"
                "\"state\":\"ready\",\"done\":3}]}]}");
}

Test(query_collections, show_an_index_that_could_not_be_built)
{
    put("a", 1, 2);
    put("a", 2, 2);
    asker_write(&a, "{\"op\": \"create_index\", \"collection\": \"a\", \"index\": \"n\", "
                    "\"fields\": [\"n\"], \"unique\": true}");
    work(10);
    expect_list("{\"collections\":[{\"name\":\"a\",\"documents\":2,\"bytes\":8,\"settings\":{},"
                "\"indexes\":[{\"name\":\"n\",\"fields\":[\"n\"],\"unique\":true,\"state\":"
                "\"failed\",\"done\":0}]}]}");
}

Test(query_collections, of_a_record_that_can_not_be_read_are_damage)
{
    struct state_batch batch = {0};
    AUTO(buffer_release) struct buffer key = {0};
    cell_key_collection(&key, bytes_from_text("a"));
    state_batch_put(&batch, buffer_bytes(&key), bytes_from_text("\xc1"));
    cr_assert_eq(state_write(a.engine.state, &batch), STATUS_ok);
    state_batch_release(&batch);
    struct message_read how = {.level = READ_any};
    asker_read(&a, &how, "[{\"op\": \"collections\"}]");
    asker_expect_failure(&a, STATUS_damaged, "damaged");
}
