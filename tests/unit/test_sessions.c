/*
 * The sessions of a client: windows, ends in any order, unknown outcomes.
 */
#include "client/sessions.h"

#include "base/random.h"

#include <criterion/criterion.h>

static struct session_place take(struct sessions *sessions)
{
    struct session_place place;
    sessions_take(sessions, &place);
    return place;
}

Test(sessions, number_transactions_from_one)
{
    struct sessions sessions;
    sessions_init(&sessions, bytes_from_text("me"));
    struct session_place first = take(&sessions);
    struct session_place second = take(&sessions);
    cr_assert_eq(first.sequence, 1);
    cr_assert_eq(first.done_below, 1);
    cr_assert_eq(second.sequence, 2);
    cr_assert_eq(second.number, first.number);
    sessions_release(&sessions);
}

Test(sessions, move_done_below_over_what_has_ended_in_a_row)
{
    struct sessions sessions;
    sessions_init(&sessions, bytes_from_text("me"));
    struct session_place places[4];
    for (size_t i = 0; i < 4; i++) {
        places[i] = take(&sessions);
    }
    sessions_end(&sessions, &places[1], SESSION_END_recorded);
    cr_assert_eq(take(&sessions).done_below, 1);
    sessions_end(&sessions, &places[0], SESSION_END_recorded);
    cr_assert_eq(take(&sessions).done_below, 3);
    sessions_release(&sessions);
}

Test(sessions, begin_another_one_when_the_window_is_used_up)
{
    struct sessions sessions;
    sessions_init(&sessions, bytes_from_text("me"));
    struct session_place first = take(&sessions);
    for (int i = 1; i < SESSION_OUTCOMES_MAX; i++) {
        cr_assert_eq(take(&sessions).number, first.number);
    }
    struct session_place other = take(&sessions);
    cr_assert_neq(other.number, first.number);
    cr_assert_eq(other.sequence, 1);
    sessions_end(&sessions, &first, SESSION_END_recorded);
    cr_assert_eq(take(&sessions).number, first.number);
    sessions_release(&sessions);
}

Test(sessions, never_pass_a_sequence_whose_outcome_is_unknown)
{
    struct sessions sessions;
    sessions_init(&sessions, bytes_from_text("me"));
    struct session_place unknown = take(&sessions);
    struct session_place other = take(&sessions);
    sessions_end(&sessions, &unknown, SESSION_END_unknown);
    cr_assert_eq(take(&sessions).done_below, unknown.sequence);
    sessions_end(&sessions, &other, SESSION_END_recorded);
    cr_assert_eq(take(&sessions).done_below, unknown.sequence);
    sessions_release(&sessions);
}

Test(sessions, leave_a_session_with_an_unknown_outcome_when_it_is_idle)
{
    struct sessions sessions;
    sessions_init(&sessions, bytes_from_text("me"));
    struct session_place unknown = take(&sessions);
    sessions_end(&sessions, &unknown, SESSION_END_unknown);
    cr_assert_neq(take(&sessions).number, unknown.number);
    sessions_release(&sessions);
}

Test(sessions, leave_an_expired_session_and_ignore_its_late_ends)
{
    struct sessions sessions;
    sessions_init(&sessions, bytes_from_text("me"));
    struct session_place expired = take(&sessions);
    struct session_place late = take(&sessions);
    sessions_expire(&sessions, &expired);
    struct session_place fresh = take(&sessions);
    cr_assert_neq(fresh.number, expired.number);
    sessions_end(&sessions, &late, SESSION_END_recorded);
    cr_assert_eq(take(&sessions).done_below, 1);
    sessions_release(&sessions);
}

Test(sessions, leave_a_session_without_a_record_before_it_is_too_late_for_one)
{
    struct sessions sessions;
    sessions_init(&sessions, bytes_from_text("me"));
    for (int i = 0; i < 1000; i++) {
        struct session_place place = take(&sessions);
        cr_assert_leq(place.sequence, SESSION_OUTCOMES_MAX);
        sessions_end(&sessions, &place, SESSION_END_traceless);
    }
    cr_assert_eq(sessions.count, 1);
    sessions_release(&sessions);
}

Test(sessions, stay_in_a_session_with_a_record)
{
    struct sessions sessions;
    sessions_init(&sessions, bytes_from_text("me"));
    struct session_place first = take(&sessions);
    sessions_end(&sessions, &first, SESSION_END_recorded);
    struct session_place last = first;
    for (int i = 0; i < 1000; i++) {
        last = take(&sessions);
        sessions_end(&sessions, &last, SESSION_END_traceless);
    }
    cr_assert_eq(last.number, first.number);
    cr_assert_eq(last.sequence, 1001);
    sessions_release(&sessions);
}

Test(sessions, have_names_that_fit_and_differ)
{
    struct sessions sessions;
    char first[SESSION_NAME_SIZE_MAX + 1];
    char second[SESSION_NAME_SIZE_MAX + 1];
    char base[200];
    memset(base, 'x', sizeof base);
    sessions_init(&sessions, bytes_of(base, sizeof base));
    size_t size = sessions_name(&sessions, 0, first);
    cr_assert_eq(size, strlen(first));
    cr_assert_leq(sessions_name(&sessions, UINT64_MAX, second), SESSION_NAME_SIZE_MAX);
    cr_assert_str_neq(first, second);
    sessions_release(&sessions);
}

enum { OUTSTANDING = 2000 };

Test(sessions, keep_every_window_within_its_bound_under_random_ends)
{
    struct sessions sessions;
    struct random random;
    struct session_place places[OUTSTANDING];
    random_init(&random, 5);
    sessions_init(&sessions, bytes_from_text("me"));
    for (size_t i = 0; i < OUTSTANDING; i++) {
        places[i] = take(&sessions);
    }
    for (int i = 0; i < 50000; i++) {
        size_t at = random_below(&random, OUTSTANDING);
        sessions_end(&sessions, &places[at], (enum session_end)random_below(&random, 3));
        places[at] = take(&sessions);
        cr_assert_lt(places[at].sequence - places[at].done_below, SESSION_OUTCOMES_MAX);
    }
    cr_assert_lt(sessions.count, 200);
    sessions_release(&sessions);
}
