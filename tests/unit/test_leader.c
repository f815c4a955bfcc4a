/*
 * Who leads, by the reports of storage nodes.
 */
#include "actors/coordinator/leader.h"

#include <criterion/criterion.h>
#include <stdio.h>

// What the report of node `number` says, at time 100 * epoch.
static enum leader_news hear(struct leader *leader, unsigned number, enum member_state state,
                             uint64_t epoch)
{
    struct topology_member record = {.role = ROLE_replica,
                                     .state = state,
                                     .incarnation = 1,
                                     .directory_id = 100 + number,
                                     .epoch = epoch,
                                     .address = 10 + number};
    snprintf(record.name, sizeof record.name, "s%u", number);
    return leader_hear(leader, &record, 100 * epoch);
}

Test(leader, is_the_primary_of_the_highest_epoch)
{
    struct leader leader = {0};
    cr_assert_eq(hear(&leader, 1, MEMBER_primary, 4), LEADER_CHANGED);
    cr_assert_eq(hear(&leader, 1, MEMBER_primary, 4), LEADER_HEARD);
    cr_assert_eq(hear(&leader, 2, MEMBER_primary, 3), LEADER_NOTHING);
    cr_assert_str_eq(leader.name, "s1");
    cr_assert_eq(hear(&leader, 2, MEMBER_primary, 5), LEADER_CHANGED);
    cr_assert_str_eq(leader.name, "s2");
    cr_assert_eq(leader.address, 12);
    cr_assert_eq(leader.heard_us, 500);
}

Test(leader, is_unknown_while_only_its_followers_are_heard)
{
    struct leader leader = {0};
    hear(&leader, 1, MEMBER_primary, 4);
    cr_assert_eq(hear(&leader, 3, MEMBER_replica, 4), LEADER_NOTHING);
    cr_assert_eq(hear(&leader, 3, MEMBER_replica, 6), LEADER_CHANGED);
    cr_assert_str_eq(leader.name, "");
    cr_assert_str_eq(leader.last, "s1");
    cr_assert_eq(leader.epoch, 6);
    cr_assert_eq(hear(&leader, 1, MEMBER_primary, 4), LEADER_NOTHING);
    cr_assert_eq(hear(&leader, 2, MEMBER_primary, 6), LEADER_CHANGED);
    cr_assert_str_eq(leader.name, "s2");
}

Test(leader, ends_with_its_own_report_only)
{
    struct leader leader = {0};
    hear(&leader, 1, MEMBER_primary, 4);
    cr_assert_eq(hear(&leader, 2, MEMBER_unreachable, 4), LEADER_NOTHING);
    cr_assert_eq(hear(&leader, 1, MEMBER_replica, 4), LEADER_RESIGNED);
    cr_assert_str_eq(leader.name, "");
    cr_assert_eq(hear(&leader, 1, MEMBER_replica, 4), LEADER_NOTHING);
}

Test(leader, of_an_epoch_is_one_directory)
{
    struct leader leader = {0};
    hear(&leader, 1, MEMBER_primary, 4);
    cr_assert_eq(hear(&leader, 2, MEMBER_primary, 4), LEADER_DOUBLE);
    cr_assert_str_eq(leader.name, "s1");
}

Test(leader, nobody_leads_epoch_zero)
{
    struct leader leader = {0};
    cr_assert_eq(hear(&leader, 1, MEMBER_primary, 0), LEADER_NOTHING);
    cr_assert_str_eq(leader.name, "");
}
