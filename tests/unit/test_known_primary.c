/*
 * Who leads, by the reports of storage nodes.
 */
#include "actors/coordinator/known_primary.h"

#include <criterion/criterion.h>
#include <stdio.h>

// What the report of node `number` says, at time 100 * epoch.
static enum primary_news hear(struct known_primary *primary, unsigned number,
                              enum member_state state, uint64_t epoch)
{
    struct topology_member record = {.role = ROLE_replica,
                                     .state = state,
                                     .incarnation = 1,
                                     .directory_id = 100 + number,
                                     .epoch = epoch,
                                     .address = 10 + number};
    snprintf(record.name, sizeof record.name, "s%u", number);
    return known_primary_hear(primary, &record, 100 * epoch);
}

Test(known_primary, is_the_primary_of_the_highest_epoch)
{
    struct known_primary primary = {0};
    cr_assert_eq(hear(&primary, 1, MEMBER_primary, 4), PRIMARY_CHANGED);
    cr_assert_eq(hear(&primary, 1, MEMBER_primary, 4), PRIMARY_HEARD);
    cr_assert_eq(hear(&primary, 2, MEMBER_primary, 3), PRIMARY_NOTHING);
    cr_assert_str_eq(primary.name, "s1");
    cr_assert_eq(hear(&primary, 2, MEMBER_primary, 5), PRIMARY_CHANGED);
    cr_assert_str_eq(primary.name, "s2");
    cr_assert_eq(primary.address, 12);
    cr_assert_eq(primary.heard_us, 500);
}

Test(known_primary, is_unknown_while_only_its_followers_are_heard)
{
    struct known_primary primary = {0};
    hear(&primary, 1, MEMBER_primary, 4);
    cr_assert_eq(hear(&primary, 3, MEMBER_replica, 4), PRIMARY_NOTHING);
    cr_assert_eq(hear(&primary, 3, MEMBER_replica, 6), PRIMARY_CHANGED);
    cr_assert_str_eq(primary.name, "");
    cr_assert_str_eq(primary.last, "s1");
    cr_assert_eq(primary.epoch, 6);
    cr_assert_eq(hear(&primary, 1, MEMBER_primary, 4), PRIMARY_NOTHING);
    cr_assert_eq(hear(&primary, 2, MEMBER_primary, 6), PRIMARY_CHANGED);
    cr_assert_str_eq(primary.name, "s2");
}

Test(known_primary, ends_with_its_own_report_only)
{
    struct known_primary primary = {0};
    hear(&primary, 1, MEMBER_primary, 4);
    cr_assert_eq(hear(&primary, 2, MEMBER_unreachable, 4), PRIMARY_NOTHING);
    cr_assert_eq(hear(&primary, 1, MEMBER_replica, 4), PRIMARY_RESIGNED);
    cr_assert_str_eq(primary.name, "");
    cr_assert_eq(hear(&primary, 1, MEMBER_replica, 4), PRIMARY_NOTHING);
}

Test(known_primary, of_an_epoch_is_one_directory)
{
    struct known_primary primary = {0};
    hear(&primary, 1, MEMBER_primary, 4);
    cr_assert_eq(hear(&primary, 2, MEMBER_primary, 4), PRIMARY_DOUBLE);
    cr_assert_str_eq(primary.name, "s1");
}

Test(known_primary, nobody_leads_epoch_zero)
{
    struct known_primary primary = {0};
    cr_assert_eq(hear(&primary, 1, MEMBER_primary, 0), PRIMARY_NOTHING);
    cr_assert_str_eq(primary.name, "");
}
