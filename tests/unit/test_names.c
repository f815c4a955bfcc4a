/*
 * The words that stand in configuration, on the command line and in replies.
 */
#include "wire/message.h"

#include <criterion/criterion.h>

Test(names, every_role_is_found_by_its_word)
{
    for (unsigned number = ROLE_primary; number <= ROLE_client; number++) {
        enum role role;
        cr_assert(role_from_name(bytes_from_text(role_name((enum role)number)), &role));
        cr_assert_eq(role, number);
    }
    cr_assert_str_eq(role_name(ROLE_coordinator), "coordinator");
}

Test(names, numbers_without_a_role_have_no_word)
{
    enum role role;
    cr_assert_null(role_name((enum role)0));
    cr_assert_null(role_name((enum role)(ROLE_client + 1)));
    cr_assert_not(role_from_name(bytes_from_text("leader"), &role));
    cr_assert_not(role_from_name(bytes_of(NULL, 0), &role));
}

Test(names, states_are_those_of_the_status_command)
{
    cr_assert_str_eq(member_state_name(MEMBER_catching_up), "catching_up");
    cr_assert_str_eq(member_state_name(MEMBER_unreachable), "unreachable");
    cr_assert_str_eq(member_state_name((enum member_state)0), "unknown");
    cr_assert_str_eq(member_state_name((enum member_state)(MEMBER_unreachable + 1)), "unknown");
}

Test(names, every_read_level_is_found_by_its_word)
{
    for (unsigned number = READ_linearizable; number <= READ_any; number++) {
        enum read_level level;
        const char *name = read_level_name((enum read_level)number);
        cr_assert(read_level_from_name(bytes_from_text(name), &level));
        cr_assert_eq(level, number);
    }
    enum read_level level;
    cr_assert_not(read_level_from_name(bytes_from_text("strong"), &level));
    cr_assert_null(read_level_name((enum read_level)0));
}
