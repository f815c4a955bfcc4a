/*
 * Lists of requests: they keep their order, and what has ended is swept out before they grow
 * without bound.
 */
#include "actors/reader/id_list.h"

#include "base/status.h"

#include <criterion/criterion.h>

Test(id_list, moves_all_behind_what_is_there)
{
    AUTO(id_list_release) struct id_list to = {0};
    AUTO(id_list_release) struct id_list from = {0};
    id_list_add(&to, 1);
    id_list_add(&from, 2);
    id_list_add(&from, 3);
    id_list_move(&to, &from);
    cr_assert_eq(from.count, 0);
    cr_assert_eq(to.count, 3);
    cr_assert_eq(to.ids[0], 1);
    cr_assert_eq(to.ids[2], 3);
}

Test(id_list, forgets_what_has_ended_when_it_is_long)
{
    AUTO(id_list_release) struct id_list list = {0};
    AUTO(pending_release) struct pending pending;
    pending_init(&pending, 4, 8, 1);
    uint32_t slot;
    cr_assert(pending_take(&pending, &slot));
    uint64_t kept = pending_id(&pending, slot);
    id_list_add(&list, kept);
    for (int i = 0; i < 7; i++) {
        id_list_sweep(&list, &pending);
        cr_assert_eq(list.count, (size_t)i + 1);
        cr_assert(pending_take(&pending, &slot));
        id_list_add(&list, pending_id(&pending, slot));
        pending_free(&pending, slot);
    }
    id_list_sweep(&list, &pending);
    cr_assert_eq(list.count, 1);
    cr_assert_eq(list.ids[0], kept);
}
