/*
 * What predicates say about one field, read off example by example. That it is never too much is
 * tested with random predicates in test_predicate.c.
 */
#include "tests/unit/fixture_find.h"
#include "wire/document/predicate.h"
#include "wire/json.h"

#include <criterion/criterion.h>
#include <stdio.h>

// The bounds of "a" as a text: "= 1", "> 1", "<= 1", "^ x".
static void expect_bounds(const char *where, const char *expected)
{
    AUTO(buffer_release) struct buffer where_bytes = {0};
    AUTO(buffer_release) struct buffer text = {0};
    struct predicate_bounds bounds;
    canonical_from_json(where, &where_bytes);
    predicate_bounds(buffer_bytes(&where_bytes), bytes_from_text("a"), &bounds);
    if (bounds.is_equal || bounds.has_low) {
        const char *sign = bounds.is_equal ? "= " : bounds.includes_low ? ">= " : "> ";
        struct cursor low = cursor_of(bounds.low);
        buffer_append(&text, bytes_from_text(sign));
        cr_assert_eq(json_from_msgpack(&low, &text), STATUS_ok);
    }
    if (bounds.has_high) {
        struct cursor high = cursor_of(bounds.high);
        buffer_append(&text, bytes_from_text(bounds.includes_high ? "<= " : "< "));
        cr_assert_eq(json_from_msgpack(&high, &text), STATUS_ok);
    }
    if (bounds.has_prefix) {
        buffer_append(&text, bytes_from_text("^ "));
        buffer_append(&text, bounds.prefix);
    }
    cr_assert(bytes_equal(buffer_bytes(&text), bytes_from_text(expected)), "%s: %.*s", where,
              (int)text.size, (const char *)text.data);
}

Test(predicate_bounds, are_the_tightest_that_can_be_read_off)
{
    expect_bounds("{\"a\": 1}", "= 1");
    expect_bounds("{\"a\": {\"$eq\": \"x\"}}", "= \"x\"");
    expect_bounds("{\"a\": {\"$in\": [2]}}", "= 2");
    expect_bounds("{\"a\": {\"$in\": [2, 1, 3, 2]}}", ">= 1<= 3");
    expect_bounds("{\"a\": {\"$gt\": 1, \"$lt\": 5}}", "> 1< 5");
    expect_bounds("{\"a\": {\"$gte\": 1, \"$lte\": 5}}", ">= 1<= 5");
    expect_bounds("{\"a\": {\"$gt\": 1, \"$gte\": 2}}", ">= 2");
    expect_bounds("{\"a\": {\"$gt\": 2, \"$gte\": 2}}", "> 2");
    expect_bounds("{\"a\": {\"$lt\": 2, \"$lte\": 2}}", "< 2");
    expect_bounds("{\"a\": {\"$prefix\": \"x\"}}", "^ x");
    expect_bounds("{\"$and\": [{\"a\": {\"$gt\": 1}}, {\"a\": {\"$lt\": 9}}], \"a\": {\"$gt\": 3}}",
                  "> 3< 9");
}

// Both ways round: what two conditions on "a" together say.
static void expect_bounds_of_both(const char *one, const char *other, const char *expected)
{
    char where[256];
    snprintf(where, sizeof where, "{\"$and\": [{\"a\": %s}, {\"a\": %s}]}", one, other);
    expect_bounds(where, expected);
    snprintf(where, sizeof where, "{\"$and\": [{\"a\": %s}, {\"a\": %s}]}", other, one);
    expect_bounds(where, expected);
}

Test(predicate_bounds, are_the_tighter_of_two)
{
    expect_bounds_of_both("{\"$gt\": 2}", "{\"$gt\": 1.5}", "> 2");
    expect_bounds_of_both("{\"$gt\": 2}", "{\"$gte\": 2}", "> 2");
    expect_bounds_of_both("{\"$lt\": 2}", "{\"$lt\": 2.5}", "< 2");
    expect_bounds_of_both("{\"$lt\": 2}", "{\"$lte\": 2}", "< 2");
    expect_bounds_of_both("{\"$in\": [1, 5]}", "{\"$in\": [3, 9]}", ">= 3<= 5");
    expect_bounds_of_both("{\"$prefix\": \"x\"}", "{\"$prefix\": \"xy\"}", "^ xy");
    expect_bounds_of_both("{\"$gt\": 1}", "4", "= 4");
}

Test(predicate_bounds, know_nothing_of_what_need_not_hold)
{
    expect_bounds("{}", "");
    expect_bounds("{\"b\": 1, \"a.b\": 2}", "");
    expect_bounds("{\"$or\": [{\"a\": 1}]}", "");
    expect_bounds("{\"$not\": {\"a\": 1}}", "");
    expect_bounds("{\"a\": {\"$ne\": 1}}", "");
    expect_bounds("{\"a\": {\"$exists\": true}}", "");
    expect_bounds("{\"a\": {\"$type\": \"number\"}}", "");
    expect_bounds("{\"a\": {\"$in\": []}}", "");
    expect_bounds("{\"a\": {\"$in\": [1, \"x\"]}}", "");
}
