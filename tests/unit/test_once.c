/*
 * What may be said of a transaction that was sent more than once.
 */
#include "cluster/once.h"

#include <criterion/criterion.h>

static enum once_verdict outcome(struct once *once, enum status status)
{
    struct message message = {.kind = MESSAGE_outcome, .outcome = {.status = status}};
    return once_judge(once, &message);
}

static enum once_verdict refusal(struct once *once, enum status status)
{
    struct message message = {.kind = MESSAGE_refusal, .refusal = {.status = status}};
    return once_judge(once, &message);
}

static enum once_verdict claim(struct once *once, enum status status)
{
    struct message message = {.kind = MESSAGE_transact_status_reply,
                              .transact_status_reply = {.status = status}};
    return once_judge(once, &message);
}

static struct once sent(int copies)
{
    struct once once = {0};
    for (int i = 0; i < copies; i++) {
        once_sent(&once);
    }
    return once;
}

Test(once, believes_success_however_many_copies_there_are)
{
    struct once once = sent(3);
    cr_assert_eq(outcome(&once, STATUS_ok), ONCE_ANSWER);
}

Test(once, believes_the_failure_of_a_single_copy)
{
    struct once once = sent(1);
    cr_assert_eq(outcome(&once, STATUS_conflict), ONCE_ANSWER);
}

Test(once, claims_before_it_believes_the_failure_of_one_of_two)
{
    struct once once = sent(2);
    cr_assert_eq(outcome(&once, STATUS_conflict), ONCE_CLAIM);
    once_sent(&once);
    cr_assert_eq(once.open, 2);
    cr_assert_eq(outcome(&once, STATUS_conflict), ONCE_IGNORE);
    cr_assert_eq(claim(&once, STATUS_absent), ONCE_SAVED);
    once_release(&once);
}

Test(once, repeats_when_the_claim_finds_that_it_ran)
{
    struct once once = sent(2);
    cr_assert_eq(outcome(&once, STATUS_conflict), ONCE_CLAIM);
    cr_assert_eq(claim(&once, STATUS_ok), ONCE_REPEAT);
    cr_assert_not(once.is_claiming);
    once_release(&once);
}

Test(once, asks_again_when_the_claim_was_not_answered)
{
    struct once once = sent(2);
    cr_assert_eq(outcome(&once, STATUS_absent), ONCE_CLAIM);
    cr_assert_eq(claim(&once, STATUS_unavailable), ONCE_RETRY);
    cr_assert_eq(refusal(&once, STATUS_not_primary), ONCE_RETRY);
    cr_assert(once.is_claiming);
    once_release(&once);
}

Test(once, believes_a_late_success_while_it_claims)
{
    struct once once = sent(2);
    cr_assert_eq(outcome(&once, STATUS_absent), ONCE_CLAIM);
    cr_assert_eq(outcome(&once, STATUS_ok), ONCE_ANSWER);
    once_release(&once);
}

Test(once, believes_a_fault_of_form_at_once)
{
    struct once once = sent(2);
    cr_assert_eq(outcome(&once, STATUS_bad_request), ONCE_ANSWER);
}

Test(once, claims_before_it_believes_what_depends_on_the_documents)
{
    static const enum status FAILURES[] = {STATUS_too_large, STATUS_too_deep, STATUS_type};
    for (size_t i = 0; i < sizeof FAILURES / sizeof FAILURES[0]; i++) {
        struct once once = sent(2);
        cr_assert_eq(outcome(&once, FAILURES[i]), ONCE_CLAIM);
        cr_assert_eq(claim(&once, STATUS_absent), ONCE_SAVED);
        once_release(&once);
    }
}

Test(once, is_refused_only_when_no_copy_is_left)
{
    struct once once = sent(2);
    cr_assert_eq(refusal(&once, STATUS_busy), ONCE_RETRY);
    cr_assert_eq(once_expiry(&once), STATUS_unknown_outcome);
    cr_assert_eq(refusal(&once, STATUS_busy), ONCE_REFUSED);
    cr_assert_eq(once_expiry(&once), STATUS_deadline);
}

Test(once, knows_nothing_after_unknown_outcome)
{
    struct once once = sent(1);
    cr_assert_eq(outcome(&once, STATUS_unknown_outcome), ONCE_RETRY);
    cr_assert_eq(once_expiry(&once), STATUS_unknown_outcome);
}

Test(once, is_certainly_not_done_if_never_sent)
{
    struct once once = sent(0);
    cr_assert_eq(once_expiry(&once), STATUS_deadline);
}

Test(once, ignores_a_claim_that_it_did_not_make)
{
    struct once once = sent(2);
    cr_assert_eq(claim(&once, STATUS_absent), ONCE_IGNORE);
}
