/*
 * Paths: what is one, and where it leads, judged by trees that are walked name by name.
 */
#include "wire/document/path.h"

#include "tests/unit/fixture_tree.h"

#include <criterion/criterion.h>

static bool is_valid(const char *path)
{
    return path_is_valid(bytes_from_text(path));
}

Test(path, is_names_with_dots_between)
{
    cr_assert(is_valid("a"));
    cr_assert(is_valid("address.city"));
    cr_assert(is_valid("items.0.price"));
    cr_assert(is_valid("ä.ö"));
    cr_assert(is_valid(" "));
    cr_assert(is_valid("a.$b"));
    cr_assert_not(is_valid(""));
    cr_assert_not(is_valid("."));
    cr_assert_not(is_valid(".a"));
    cr_assert_not(is_valid("a."));
    cr_assert_not(is_valid("a..b"));
    cr_assert_not(is_valid("$a"));
    cr_assert_not(is_valid("a\xff"));
    cr_assert_not(path_is_valid(bytes_of("a\0b", 3)));
    cr_assert_not(path_is_valid(bytes_of(NULL, 0)));
}

Test(path, has_at_most_so_many_bytes)
{
    char path[PATH_SIZE_MAX + 1];
    memset(path, 'x', sizeof path);
    cr_assert(path_is_valid(bytes_of(path, PATH_SIZE_MAX)));
    cr_assert_not(path_is_valid(bytes_of(path, PATH_SIZE_MAX + 1)));
}

Test(path, has_at_most_so_many_names)
{
    char path[2 * DOCUMENT_DEPTH_MAX + 1];
    for (size_t i = 0; i < sizeof path; i++) {
        path[i] = i % 2 == 0 ? 'x' : '.';
    }
    cr_assert(path_is_valid(bytes_of(path, 2 * DOCUMENT_DEPTH_MAX - 1)));
    cr_assert_not(path_is_valid(bytes_of(path, 2 * DOCUMENT_DEPTH_MAX + 1)));
}

static void expect_name(struct bytes *path, const char *name)
{
    cr_assert(bytes_equal(path_take_name(path), bytes_from_text(name)));
}

Test(path, gives_its_names_one_by_one)
{
    struct bytes path = bytes_from_text("items.0.price");
    expect_name(&path, "items");
    expect_name(&path, "0");
    expect_name(&path, "price");
    cr_assert_eq(path.size, 0);
}

// The element that a name counts; -1 for none.
static int64_t element_of(const char *name)
{
    uint32_t element;
    return path_name_is_element(bytes_from_text(name), &element) ? (int64_t)element : -1;
}

Test(path, counts_elements_without_leading_zeros)
{
    cr_assert_eq(element_of("0"), 0);
    cr_assert_eq(element_of("9"), 9);
    cr_assert_eq(element_of("10"), 10);
    cr_assert_eq(element_of("999999999"), 999999999);
    cr_assert_eq(element_of("4294967296"), -1);
    cr_assert_eq(element_of("00"), -1);
    cr_assert_eq(element_of("01"), -1);
    cr_assert_eq(element_of(""), -1);
    cr_assert_eq(element_of("-1"), -1);
    cr_assert_eq(element_of("1a"), -1);
    cr_assert_eq(element_of("/"), -1);
    cr_assert_eq(element_of(":"), -1);
}

static void expect_found(struct bytes document, struct tree *tree, const char *path)
{
    AUTO(buffer_release) struct buffer expected = {0};
    struct bytes found;
    bool is_there = path_find(document, bytes_from_text(path), &found);
    struct tree *value = tree_find(tree, bytes_from_text(path));
    cr_assert_eq(is_there, value != NULL, "%s", path);
    if (is_there) {
        tree_write(value, &expected);
        cr_assert(bytes_equal(found, buffer_bytes(&expected)), "%s", path);
        cr_assert(found.data >= document.data);
        cr_assert(found.data + found.size <= document.data + document.size);
    }
}

Test(path, leads_where_it_leads_in_a_tree)
{
    AUTO(buffer_release) struct buffer document = {0};
    struct random random;
    random_init(&random, 1);
    for (unsigned i = 0; i < 100000; i++) {
        AUTO(grove_release) struct grove grove = {0};
        struct tree *tree = tree_random_map(&grove, &random, 4);
        buffer_clear(&document);
        tree_write(tree, &document);
        for (unsigned k = 0; k < 8; k++) {
            expect_found(buffer_bytes(&document), tree, path_random(&random));
        }
    }
}

Test(path, finds_nothing_in_an_empty_document)
{
    struct bytes value;
    cr_assert_not(path_find(bytes_of("\x80", 1), bytes_from_text("a.b"), &value));
}
