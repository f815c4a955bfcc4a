/*
 * Finds on a small collection: what is found, in which order, through which index, and page by
 * page. tests/unit/test_find_random.c compares them with a plain walk over all documents.
 */
#include "storage/find.h"

#include "storage/state_memory.h"
#include "tests/unit/fixture_find.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct shelf shelf;

static void setup(void)
{
    shelf_init(&shelf);
}

static void teardown(void)
{
    shelf_release(&shelf);
}

TestSuite(find, .init = setup, .fini = teardown);

// Some birds, a part of them in the state, with numbers in all encodings.
static void add_birds(void)
{
    shelf_put(&shelf, "gull", "{\"size\": 60, \"home\": {\"sea\": \"north\"}}");
    shelf_put(&shelf, "crane", "{\"size\": 120.0, \"home\": {\"land\": \"moor\"}}");
    shelf_put(&shelf, "wren", "{\"size\": 9.5, \"home\": {\"land\": \"hedge\"}}");
    shelf_put(&shelf, "auk", "{\"size\": 41, \"home\": {\"sea\": \"north\"}}");
    shelf_settle(&shelf);
    shelf_put(&shelf, "tern", "{\"size\": 41.0, \"home\": {\"sea\": \"baltic\"}}");
    shelf_put(&shelf, "roc", "{\"home\": {\"sea\": \"none\"}}");
    shelf_put(&shelf, "dodo", "{\"size\": \"gone\", \"home\": {}}");
    shelf_put(&shelf, "wren", "{\"size\": 10, \"home\": {\"land\": \"hedge\"}}");
}

static void expect_plan(const struct shelf_find *wanted, const char *index, bool is_sorted)
{
    AUTO(shelf_found_release) struct shelf_found found = shelf_find(&shelf, wanted);
    cr_assert_eq(found.status, STATUS_ok, "%s", found.sentence);
    cr_assert_eq(found.statistics.index != NULL, index != NULL);
    cr_assert(index == NULL || bytes_equal(found.statistics.index->name, bytes_from_text(index)));
    cr_assert_eq(found.statistics.is_sorted, is_sorted);
}

static void expect_failure(const struct shelf_find *wanted, enum status status, const char *words)
{
    AUTO(shelf_found_release) struct shelf_found found = shelf_find(&shelf, wanted);
    cr_assert_eq(found.status, status);
    cr_assert_not_null(strstr(found.sentence, words), "\"%s\" doesn't say \"%s\"", found.sentence,
                       words);
}

Test(find, without_anything_gives_all_in_the_order_of_ids)
{
    add_birds();
    shelf_put(&shelf, "i:7", "{}");
    struct shelf_find all = {.rows_max = 100};
    shelf_expect(&shelf, &all, "i:7 auk crane dodo gull roc tern wren");
    all.order = "-$id";
    shelf_expect(&shelf, &all, "wren tern roc gull dodo crane auk i:7");
}

static void filter_and_order(void)
{
    struct shelf_find north = {.where = "{\"home.sea\": \"north\"}", .rows_max = 100};
    shelf_expect(&shelf, &north, "auk gull");
    struct shelf_find size = {.order = "size", .rows_max = 100};
    shelf_expect(&shelf, &size, "roc wren auk tern gull crane dodo");
    size.order = "-size";
    shelf_expect(&shelf, &size, "dodo crane gull tern auk wren roc");
    size.where = "{\"size\": {\"$gte\": 10, \"$lt\": 60}}";
    shelf_expect(&shelf, &size, "tern auk wren");
    size.where = "{\"size\": {\"$gt\": 10.0}}";
    shelf_expect(&shelf, &size, "crane gull tern auk");
    size.where = "{\"size\": 41}";
    shelf_expect(&shelf, &size, "tern auk");
    size.where = "{\"size\": {\"$prefix\": \"go\"}}";
    shelf_expect(&shelf, &size, "dodo");
    size.where = "{\"size\": null}";
    shelf_expect(&shelf, &size, "");
}

Test(find, filters_and_orders_by_sorting)
{
    add_birds();
    filter_and_order();
}

Test(find, filters_and_orders_by_index)
{
    shelf_index(&shelf, "by_size", "size", false);
    shelf_index(&shelf, "by_sea", "home.sea", false);
    add_birds();
    filter_and_order();
}

Test(find, chooses_equality_before_ranges_before_order)
{
    shelf_index(&shelf, "a", "a", false);
    shelf_index(&shelf, "ab", "a,b", false);
    shelf_index(&shelf, "c", "c", false);
    struct shelf_find wanted = {.rows_max = 10};
    expect_plan(&wanted, NULL, false);
    wanted.where = "{\"d\": 1}";
    expect_plan(&wanted, NULL, false);
    wanted.where = "{\"c\": {\"$gt\": 1}}";
    expect_plan(&wanted, "c", false);
    wanted.where = "{\"c\": {\"$gt\": 1}, \"a\": 1}";
    expect_plan(&wanted, "a", false);
    wanted.where = "{\"b\": {\"$gt\": 1}, \"a\": 1}";
    expect_plan(&wanted, "ab", false);
    wanted.where = "{\"b\": 1}";
    expect_plan(&wanted, NULL, false);
    wanted.where = "{\"a\": {\"$gt\": 1}, \"c\": {\"$gt\": 1, \"$lt\": 5}}";
    expect_plan(&wanted, "c", false);
    wanted.where = "{\"a\": {\"$gt\": 1}, \"c\": {\"$prefix\": \"x\"}}";
    expect_plan(&wanted, "c", false);
}

Test(find, orders_by_index_where_it_can)
{
    shelf_index(&shelf, "a", "a", false);
    shelf_index(&shelf, "abc", "a,b,c", false);
    struct shelf_find wanted = {.rows_max = 10, .order = "a"};
    expect_plan(&wanted, "a", false);
    wanted.order = "-b";
    expect_plan(&wanted, NULL, true);
    wanted.where = "{\"a\": 1}";
    expect_plan(&wanted, "abc", false);
    wanted.order = "c";
    expect_plan(&wanted, "a", true);
    wanted.order = "$id";
    expect_plan(&wanted, "a", false);
    wanted.where = "{\"a\": {\"$gt\": 1}}";
    expect_plan(&wanted, "a", true);
    wanted.where = NULL;
    expect_plan(&wanted, NULL, false);
}

Test(find, prefers_an_index_that_leaves_one_document)
{
    shelf_index(&shelf, "many", "a,b", false);
    shelf_index(&shelf, "one", "c", true);
    struct shelf_find wanted = {.rows_max = 10, .where = "{\"a\": 1, \"b\": 1, \"c\": 1}"};
    expect_plan(&wanted, "one", false);
}

Test(find, uses_the_index_that_is_named)
{
    shelf_index(&shelf, "by_size", "size", false);
    shelf_index(&shelf, "by_sea", "home.sea", false);
    add_birds();
    struct shelf_find wanted = {.rows_max = 10, .index = "by_sea"};
    expect_plan(&wanted, "by_sea", false);
    shelf_expect(&shelf, &wanted, "crane dodo wren tern roc auk gull");
    wanted.where = "{\"size\": 41}";
    expect_plan(&wanted, "by_sea", false);
    shelf_expect(&shelf, &wanted, "tern auk");
}

Test(find, refuses_an_index_that_does_not_serve)
{
    struct index_record *index = shelf_index(&shelf, "by_size", "size", false);
    struct shelf_find wanted = {.rows_max = 10, .index = "by_age"};
    expect_failure(&wanted, STATUS_absent, "\"by_age\", which doesn't exist");
    wanted.index = "by_size";
    index->state = INDEX_BUILDING;
    expect_failure(&wanted, STATUS_absent, "still being built");
    index->state = INDEX_FAILED;
    expect_failure(&wanted, STATUS_absent, "could not be built");
    wanted.index = NULL;
    wanted.where = "{\"size\": 1}";
    expect_plan(&wanted, NULL, false);
}

Test(find, refuses_an_order_that_is_no_path)
{
    struct shelf_find wanted = {.rows_max = 10, .order = "a..b"};
    expect_failure(&wanted, STATUS_bad_request, "\"a..b\"");
    wanted.order = "-";
    expect_failure(&wanted, STATUS_bad_request, "no path");
    wanted.order = "$size";
    expect_failure(&wanted, STATUS_bad_request, "\"$size\"");
}

Test(find, unique_index_gives_documents_without_the_field_too)
{
    shelf_index(&shelf, "by_name", "name", true);
    shelf_put(&shelf, "a", "{\"name\": \"x\"}");
    shelf_put(&shelf, "b", "{}");
    shelf_put(&shelf, "c", "{}");
    shelf_put(&shelf, "d", "{\"name\": null}");
    struct shelf_find wanted = {.rows_max = 10, .order = "name"};
    expect_plan(&wanted, "by_name", false);
    shelf_expect(&shelf, &wanted, "d b c a");
    wanted.where = "{\"name\": null}";
    shelf_expect(&shelf, &wanted, "d");
    wanted.where = "{\"name\": \"x\"}";
    shelf_expect(&shelf, &wanted, "a");
}

// Goes through all pages of `wanted->rows_max` rows; the ids of a page end with a bar.
static void expect_pages(const struct shelf_find *wanted, const char *pages)
{
    AUTO(buffer_release) struct buffer all = {0};
    AUTO(buffer_release) struct buffer position = {0};
    bool has_more = true;
    while (has_more) {
        struct shelf_find page = *wanted;
        page.after = buffer_bytes(&position);
        AUTO(shelf_found_release) struct shelf_found found = shelf_find(&shelf, &page);
        cr_assert_eq(found.status, STATUS_ok, "%s", found.sentence);
        buffer_append(&all, buffer_bytes(&found.ids));
        buffer_append(&all, bytes_from_text("|"));
        has_more = found.has_more;
        buffer_clear(&position);
        buffer_append(&position, buffer_bytes(&found.position));
    }
    cr_assert(bytes_equal(buffer_bytes(&all), bytes_from_text(pages)), "%.*s is not %s",
              (int)all.size, (const char *)all.data, pages);
}

Test(find, pages_follow_each_other_in_every_plan)
{
    shelf_index(&shelf, "by_sea", "home.sea", false);
    add_birds();
    struct shelf_find wanted = {.rows_max = 3};
    expect_pages(&wanted, "auk crane dodo|gull roc tern|wren|");
    wanted.order = "-$id";
    expect_pages(&wanted, "wren tern roc|gull dodo crane|auk|");
    wanted.order = "size";
    expect_pages(&wanted, "roc wren auk|tern gull crane|dodo|");
    wanted.order = "-size";
    expect_pages(&wanted, "dodo crane gull|tern auk wren|roc|");
    wanted.order = "home.sea";
    expect_pages(&wanted, "crane dodo wren|tern roc auk|gull|");
    wanted.order = "-home.sea";
    expect_pages(&wanted, "gull auk roc|tern wren dodo|crane|");
}

Test(find, last_page_that_is_full_says_that_there_is_no_more)
{
    add_birds();
    struct shelf_find wanted = {.where = "{\"size\": 41}", .rows_max = 2};
    expect_pages(&wanted, "auk tern|");
    wanted.order = "-size";
    expect_pages(&wanted, "tern auk|");
}

Test(find, page_that_looked_at_too_many_rows_ends_early)
{
    add_birds();
    struct shelf_find wanted = {.where = "{\"size\": 10}", .rows_max = 2, .examined_max = 3};
    expect_pages(&wanted, "||wren|");
    wanted.examined_max = 7;
    expect_pages(&wanted, "wren|");
}

Test(find, page_that_looked_at_too_many_bytes_ends_early)
{
    add_birds();
    struct shelf_find wanted = {
        .where = "{\"size\": 10}", .rows_max = 2, .examined_size_max = 3 * EXAMINED_SIZE_MIN};
    expect_pages(&wanted, "||wren|");
    wanted.examined_size_max = 7 * EXAMINED_SIZE_MIN;
    expect_pages(&wanted, "wren|");
    wanted.examined_size_max = 7 * EXAMINED_SIZE_MIN - 1;
    expect_pages(&wanted, "|wren|");
}

Test(find, sorting_too_many_rows_is_refused)
{
    add_birds();
    struct shelf_find wanted = {.order = "size", .rows_max = 2, .examined_max = 6};
    expect_failure(&wanted, STATUS_too_large,
                   "more than 6 documents: an index on \"size\" would help");
    wanted.examined_max = 7;
    shelf_expect(&shelf, &wanted, "roc wren");
    wanted.examined_size_max = 7 * EXAMINED_SIZE_MIN - 1;
    expect_failure(&wanted, STATUS_too_large,
                   "more bytes of documents than it may look at: an index on \"size\"");
    wanted.examined_size_max = 7 * EXAMINED_SIZE_MIN;
    shelf_expect(&shelf, &wanted, "roc wren");
}

Test(find, document_costs_its_size_for_each_field_looked_up_and_little_at_least)
{
    struct bytes large = bytes_of(NULL, EXAMINED_SIZE_MIN);
    struct bytes larger = bytes_of(NULL, EXAMINED_SIZE_MIN + 1);
    cr_assert_eq(examined_size(bytes_of(NULL, 0), 0, 0), EXAMINED_SIZE_MIN);
    cr_assert_eq(examined_size(large, 0, 0), EXAMINED_SIZE_MIN);
    cr_assert_eq(examined_size(larger, 0, 0), EXAMINED_SIZE_MIN + 1);
    cr_assert_eq(examined_size(larger, 1, 0), EXAMINED_SIZE_MIN + 1);
    cr_assert_eq(examined_size(larger, 3, 0), 3 * (EXAMINED_SIZE_MIN + 1));
    cr_assert_eq(examined_size(bytes_of(NULL, EXAMINED_SIZE_MIN / 2), 2, 0), EXAMINED_SIZE_MIN);
}

Test(find, document_costs_what_a_long_condition_costs_that_is_held_against_it)
{
    struct bytes small = bytes_of(NULL, 100);
    size_t size = EXAMINED_SIZE_MIN / EXAMINED_CONDITION_WEIGHT;
    cr_assert_eq(examined_size(small, 1, size), EXAMINED_SIZE_MIN);
    cr_assert_eq(examined_size(small, 1, 5 * size), 5 * EXAMINED_SIZE_MIN);
    cr_assert_eq(examined_size(bytes_of(NULL, 3 * EXAMINED_SIZE_MIN), 2, 5 * size),
                 6 * EXAMINED_SIZE_MIN);
}

Test(find, row_that_was_put_back_comes_first_on_the_next_page)
{
    add_birds();
    struct operation operation = {.kind = OPERATION_find};
    struct find_request request = {
        .view = &shelf.view,
        .collection = &shelf.record,
        .operation = &operation,
        .rows_max = 10,
        .examined_max = 10,
        .examined_size_max = MIB,
    };
    struct find *find;
    struct find_row row;
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    AUTO(buffer_release) struct buffer position = {0};
    cr_assert_eq(find_new(&request, &find, sentence), STATUS_ok);
    cr_assert(find_next(find, &row) && find_next(find, &row));
    find_put_back(find);
    cr_assert_not(find_next(find, &row));
    cr_assert(find_has_more(find, &position));
    cr_assert_eq(find_destroy(&find, NULL), STATUS_ok);
    struct shelf_find rest = {.rows_max = 2, .after = buffer_bytes(&position)};
    shelf_expect(&shelf, &rest, "crane dodo");
}

Test(find, position_of_another_find_is_refused)
{
    shelf_index(&shelf, "by_size", "size", false);
    add_birds();
    struct shelf_find wanted = {.rows_max = 2};
    AUTO(shelf_found_release) struct shelf_found found = shelf_find(&shelf, &wanted);
    struct shelf_find other = {.order = "size", .rows_max = 2};
    other.after = buffer_bytes(&found.position);
    expect_failure(&other, STATUS_bad_request, "isn't of this find");
    other.order = "home";
    expect_failure(&other, STATUS_bad_request, "isn't of this find");
    other.order = NULL;
    other.after = bytes_of(found.position.data, 5);
    expect_failure(&other, STATUS_bad_request, "isn't of this find");
    other.after = bytes_of(found.position.data, 2);
    expect_failure(&other, STATUS_bad_request, "isn't of this find");
}

Test(find, position_that_was_made_up_leads_nowhere_else)
{
    shelf_index(&shelf, "by_size", "size", false);
    add_birds();
    struct shelf_find wanted = {.where = "{\"size\": 41}", .rows_max = 9};
    static const uint8_t LOW[] = {0, 0, 0, 0, 11, 0x05};
    static const uint8_t HIGH[] = {0, 0, 0, 0, 11, 0xff};
    wanted.after = bytes_of(LOW, sizeof LOW);
    shelf_expect(&shelf, &wanted, "auk tern");
    wanted.after = bytes_of(HIGH, sizeof HIGH);
    shelf_expect(&shelf, &wanted, "");
    wanted.order = "-size";
    shelf_expect(&shelf, &wanted, "tern auk");
    wanted.after = bytes_of(LOW, sizeof LOW);
    shelf_expect(&shelf, &wanted, "");
}

Test(find, entry_without_its_document_is_damage)
{
    shelf_index(&shelf, "by_size", "size", false);
    add_birds();
    struct buffer key = {0};
    struct document_id id = {.is_text = true, .text = bytes_from_text("auk")};
    cell_key_document(&key, shelf.record.id, &id);
    overlay_remove(shelf.overlay, buffer_bytes(&key));
    buffer_release(&key);
    struct shelf_find wanted = {.order = "size", .rows_max = 9};
    expect_failure(&wanted, STATUS_damaged, "");
    wanted.order = "home";
    shelf_expect(&shelf, &wanted, "dodo wren crane tern roc gull");
    wanted.where = "{\"size\": 41}";
    expect_failure(&wanted, STATUS_damaged, "damaged");
}

Test(find, failures_of_the_state_are_told)
{
    add_birds();
    shelf_settle(&shelf);
    state_memory_fail_reads(shelf.state, STATUS_damaged);
    struct shelf_find wanted = {.rows_max = 9};
    expect_failure(&wanted, STATUS_damaged, "can't be read: damaged");
}

Test(find, of_nothing_but_a_contradiction_looks_at_nothing)
{
    shelf_index(&shelf, "by_size", "size", false);
    add_birds();
    struct shelf_find wanted = {.where = "{\"size\": {\"$gt\": 60, \"$lt\": 50}}", .rows_max = 9};
    AUTO(shelf_found_release) struct shelf_found found = shelf_find(&shelf, &wanted);
    cr_assert_eq(found.status, STATUS_ok);
    cr_assert_eq(found.count, 0);
    cr_assert_eq(found.statistics.examined, 0);
}

static void expect_examined(const char *where, uint64_t examined)
{
    struct shelf_find wanted = {.where = where, .rows_max = 99};
    AUTO(shelf_found_release) struct shelf_found found = shelf_find(&shelf, &wanted);
    cr_assert_eq(found.status, STATUS_ok, "%s", found.sentence);
    cr_assert_not_null(found.statistics.index);
    cr_assert_eq(found.count, examined, "%s finds %zu", where, found.count);
    cr_assert_eq(found.statistics.examined, examined, "%s", where);
}

Test(find, range_examines_what_is_in_it_only)
{
    static const char *const VALUES[] = {"null",    "false",  "true",  "-1",     "0",
                                         "0.5",     "2",      "\"a\"", "\"ab\"", "\"ab\\u0000\"",
                                         "\"abc\"", "\"b\"",  "[1]",   "[1, 2]", "{\"x\": 1}",
                                         "{}",      "\"abd\""};
    shelf_index(&shelf, "a", "a", false);
    for (unsigned i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        char id[16];
        char json[64];
        snprintf(id, sizeof id, "%u", i);
        snprintf(json, sizeof json, "{\"a\": %s}", VALUES[i]);
        shelf_put(&shelf, id, json);
    }
    expect_examined("{\"a\": {\"$gt\": -1}}", 3);
    expect_examined("{\"a\": {\"$lt\": 2}}", 3);
    expect_examined("{\"a\": {\"$gte\": 0, \"$lte\": 2}}", 3);
    expect_examined("{\"a\": {\"$lte\": true}}", 2);
    expect_examined("{\"a\": {\"$gte\": false}}", 2);
    expect_examined("{\"a\": \"ab\"}", 1);
    expect_examined("{\"a\": {\"$gt\": \"ab\"}}", 4);
    expect_examined("{\"a\": {\"$lte\": \"ab\"}}", 2);
    expect_examined("{\"a\": {\"$prefix\": \"ab\"}}", 4);
    expect_examined("{\"a\": {\"$prefix\": \"ab\", \"$gt\": \"abc\"}}", 1);
    expect_examined("{\"a\": {\"$prefix\": \"ab\", \"$gt\": \"a\", \"$lt\": \"b\"}}", 4);
    expect_examined("{\"a\": {\"$prefix\": \"a\", \"$lt\": \"abc\"}}", 3);
    expect_examined("{\"a\": {\"$gt\": [1]}}", 1);
    expect_examined("{\"a\": {\"$gte\": {}}}", 2);
}
