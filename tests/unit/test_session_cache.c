/*
 * The cache of sessions: a small one, so that it is full at once. What the open entry has touched
 * must stay, everything else gives way in the order of its last use.
 */
#include "storage/session_cache.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct session_cache *cache;

static void setup(void)
{
    cache = session_cache_new(3);
}

static void teardown(void)
{
    session_cache_destroy(&cache);
}

TestSuite(session_cache, .init = setup, .fini = teardown);

static struct session *find(const char *name)
{
    return session_cache_find(cache, bytes_from_text(name));
}

static struct session *add(const char *name)
{
    return session_cache_add(cache, bytes_from_text(name));
}

Test(session_cache, finds_what_was_added)
{
    cr_assert_null(find("a"));
    struct session *session = add("a");
    cr_assert_eq(session->record.state, SESSION_UNKNOWN);
    cr_assert_eq(find("a"), session);
    cr_assert_null(find("aa"));
    session_cache_remove(cache, &session);
    cr_assert_null(session);
    cr_assert_null(find("a"));
}

Test(session_cache, the_one_not_used_for_longest_gives_way)
{
    add("a");
    add("b");
    add("c");
    session_cache_use(cache, find("a"));
    add("d");
    cr_assert_null(find("b"));
    cr_assert_not_null(find("a"));
    cr_assert_not_null(find("c"));
    add("e");
    cr_assert_null(find("c"));
    add("f");
    cr_assert_null(find("a"));
}

Test(session_cache, touched_ones_stay_until_they_are_settled)
{
    cr_assert(session_cache_touch(cache, add("a")));
    cr_assert(session_cache_touch(cache, add("b")));
    cr_assert_not(session_cache_touch(cache, find("a")));
    cr_assert(session_cache_touch(cache, add("c")));
    add("d");
    add("e");
    cr_assert(find("a") != NULL && find("b") != NULL && find("c") != NULL);
    cr_assert_null(find("d"));
    size_t count;
    struct session *const *touched = session_cache_touched(cache, &count);
    cr_assert_eq(count, 3);
    cr_assert(bytes_equal(session_name(touched[0]), bytes_from_text("a")));
    cr_assert(bytes_equal(session_name(touched[2]), bytes_from_text("c")));
    session_cache_settle(cache);
    session_cache_touched(cache, &count);
    cr_assert_eq(count, 0);
    add("f");
    cr_assert(find("a") == NULL && find("b") == NULL, "it shrinks back to its limit");
    cr_assert(find("c") != NULL || find("e") != NULL);
}

Test(session_cache, clear_forgets_touched_ones_too)
{
    session_cache_touch(cache, add("a"));
    add("b");
    session_cache_clear(cache);
    cr_assert(find("a") == NULL && find("b") == NULL);
    size_t count;
    session_cache_touched(cache, &count);
    cr_assert_eq(count, 0);
    cr_assert_not(add("a")->touched);
}

Test(session_cache, many_names_are_told_apart)
{
    session_cache_destroy(&cache);
    cache = session_cache_new(1000);
    for (unsigned i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        add(name)->record.done_below = i;
    }
    for (unsigned i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        cr_assert_eq(find(name)->record.done_below, i);
    }
}
