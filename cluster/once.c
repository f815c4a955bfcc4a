/*
 *              outcome: failed, other copies may be on their way
 *   sent ────────────────────────────────────────────────────────► claiming
 *    │  ▲                                                           │     │
 *    │  └───────── transact_status_reply: ok (ONCE_REPEAT) ─────────┘     │ absent, expired
 *    │ outcome: done, or failed without other copies                      │ (ONCE_SAVED)
 *    ▼ (ONCE_ANSWER)                                                      ▼
 *   over                                                                 over
 *
 * 1. `open` falls only when somebody says that a copy was not done and won't be: busy, deadline,
 *    unavailable, read_only and not_primary promise that.
 * 2. A fault in the form of the request is the same for every copy and believed at once. Whether
 *    something is too large or too deep may depend on what is there: a find looks at fewer
 *    documents a moment later, a patch meets a smaller one.
 */
#include "cluster/once.h"

void once_reset(struct once *once)
{
    once->open = 0;
    once->is_claiming = false;
    buffer_clear(&once->failure);
}

void once_release(struct once *once)
{
    buffer_release(&once->failure);
}

void once_sent(struct once *once)
{
    if (!once->is_claiming) {
        once->open++;
    }
}

static bool is_not_done(enum status status)
{
    switch (status) {
    case STATUS_busy:
    case STATUS_deadline:
    case STATUS_unavailable:
    case STATUS_read_only:
    case STATUS_not_primary: return true;
    default: return false;
    }
}

static bool is_fault_of_form(enum status status)
{
    switch (status) {
    case STATUS_bad_request:
    case STATUS_unauthenticated:
    case STATUS_forbidden:
    case STATUS_wrong_cluster:
    case STATUS_version_mismatch: return true;
    default: return false;
    }
}

static enum once_verdict judge_claim(struct once *once, enum status status)
{
    if (!once->is_claiming) {
        return ONCE_IGNORE;
    }
    switch (status) {
    case STATUS_ok: once->is_claiming = false; return ONCE_REPEAT;
    case STATUS_absent:
    case STATUS_expired: return ONCE_SAVED;
    default: return ONCE_RETRY;
    }
}

// A refusal while claiming may be of the claim or of an earlier copy; either way we ask again.
static enum once_verdict judge_refusal(struct once *once)
{
    if (once->is_claiming) {
        return ONCE_RETRY;
    }
    once->open -= once->open > 0;
    return once->open == 0 ? ONCE_REFUSED : ONCE_RETRY;
}

static enum once_verdict judge_failure(struct once *once, enum status status,
                                       const struct message *answer)
{
    if (once->is_claiming) {
        return ONCE_IGNORE;
    }
    if (once->open <= 1 || is_fault_of_form(status) || answer->kind != MESSAGE_outcome) {
        return ONCE_ANSWER;
    }
    once->is_claiming = true;
    buffer_clear(&once->failure);
    message_encode(answer, &once->failure);
    return ONCE_CLAIM;
}

enum once_verdict once_judge(struct once *once, const struct message *answer)
{
    if (answer->kind == MESSAGE_transact_status_reply) {
        return judge_claim(once, (enum status)answer->transact_status_reply.status);
    }
    enum status status = (enum status)(answer->kind == MESSAGE_outcome ? answer->outcome.status
                                                                       : answer->refusal.status);
    if (status == STATUS_ok) {
        return answer->kind == MESSAGE_outcome ? ONCE_ANSWER : ONCE_IGNORE;
    }
    if (status == STATUS_unknown_outcome) {
        return ONCE_RETRY;
    }
    return is_not_done(status) ? judge_refusal(once) : judge_failure(once, status, answer);
}

enum status once_expiry(const struct once *once)
{
    return once->open == 0 ? STATUS_deadline : STATUS_unknown_outcome;
}
