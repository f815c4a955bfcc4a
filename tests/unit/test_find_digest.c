/*
 * The digest of a find: equal for equal results, different for whatever else a find could return,
 * and a part of the protocol, so that its values stay.
 */
#include "wire/document/find_digest.h"

#include "base/limits.h"
#include "base/random.h"
#include "tests/unit/fixture_value.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static uint64_t add_text(uint64_t digest, const char *text, uint64_t version)
{
    struct document_id id = {.is_text = true, .text = bytes_from_text(text)};
    return find_digest_add(digest, &id, version);
}

static uint64_t add_integer(uint64_t digest, int64_t integer, uint64_t version)
{
    struct document_id id = {.integer = integer};
    return find_digest_add(digest, &id, version);
}

Test(find_digest, is_the_same_for_the_same_rows)
{
    uint64_t once = add_integer(add_text(find_digest_empty(), "a", 1), 7, 2);
    uint64_t again = add_integer(add_text(find_digest_empty(), "a", 1), 7, 2);
    cr_assert_eq(once, again);
}

Test(find_digest, never_changes_since_clients_and_servers_of_two_versions_compare_it)
{
    cr_assert_eq(find_digest_empty(), 0);
    cr_assert_eq(add_text(find_digest_empty(), "a", 1), 0x40ee21ee7bc71aa5);
    cr_assert_eq(add_integer(find_digest_empty(), -1, 1), 0x600db1b816a31392);
}

Test(find_digest, tells_results_apart)
{
    uint64_t empty = find_digest_empty();
    uint64_t one = add_text(empty, "a", 1);
    cr_assert_neq(one, empty);
    cr_assert_neq(one, add_text(empty, "b", 1));
    cr_assert_neq(one, add_text(empty, "a", 2));
    cr_assert_neq(one, add_text(one, "a", 1));
    cr_assert_neq(add_text(one, "b", 1), add_text(add_text(empty, "b", 1), "a", 1));
    cr_assert_neq(add_text(one, "b", 2), add_text(add_text(empty, "a", 2), "b", 1));
}

Test(find_digest, tells_a_text_from_an_integer_of_the_same_bytes)
{
    static const char text[8] = {'1', '2', '3', '4', '5', '6', '7', '8'};
    struct document_id id = {.is_text = true, .text = bytes_of(text, 8)};
    cr_assert_neq(find_digest_add(0, &id, 5), add_integer(0, 0x3837363534333231, 5));
}

Test(find_digest, takes_the_longest_id)
{
    char text[DOCUMENT_ID_SIZE_MAX];
    memset(text, 'x', sizeof text);
    struct document_id whole = {.is_text = true, .text = bytes_of(text, sizeof text)};
    struct document_id cut = {.is_text = true, .text = bytes_of(text, sizeof text - 1)};
    cr_assert_neq(find_digest_add(0, &whole, 5), find_digest_add(0, &cut, 5));
}

static int compare_digests(const void *a, const void *b)
{
    uint64_t digest_a = *(const uint64_t *)a;
    uint64_t digest_b = *(const uint64_t *)b;
    return (digest_a > digest_b) - (digest_a < digest_b);
}

Test(find_digest, of_many_neighbours_are_all_different)
{
    enum { COUNT = 1 << 18 };
    uint64_t *digests = calloc(COUNT, sizeof *digests);
    cr_assert_not_null(digests);
    for (unsigned i = 0; i < COUNT; i++) {
        digests[i] = add_integer(add_integer(0, i % 512, 1), 1, i / 512);
    }
    qsort(digests, COUNT, sizeof *digests, compare_digests);
    for (unsigned i = 1; i < COUNT; i++) {
        cr_assert_neq(digests[i - 1], digests[i]);
    }
    free(digests);
}
