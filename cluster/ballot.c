/*
 * Counting the answers of an attempt.
 *
 * 1. The best answer is the one with the highest (epoch of last entry, position of last entry); the
 *    configuration in its log is the one that counts (rule 32), whatever older or newer ones the
 *    other answers hold. It must be a voter of that configuration itself.
 * 2. Only directories which that configuration names are counted, each once (rule 31).
 * 3. An answer above the best one, by a node that its own log does not call a voter, counts for
 *    nothing, as if it had been lost: so the best one is the best of all that are counted (rule 4).
 * 4. A log is never empty once it had an entry, so no configuration anywhere means that no answer
 *    ever belonged to a cluster. Then every voter of the file must have answered so (rule 31).
 */
#include "cluster/ballot.h"

#include "base/bug.h"

// Whether the log of `a` ends after that of `b`.
static bool answer_is_above(const struct ballot_answer *a, const struct ballot_answer *b)
{
    if (a->last_epoch != b->last_epoch) {
        return a->last_epoch > b->last_epoch;
    }
    return a->last_position > b->last_position;
}

static bool answer_may_lead(const struct ballot_answer *answer)
{
    return configuration_find(&answer->configuration, answer->directory_id) != NULL;
}

static bool answer_is_blank(const struct ballot_answer *answer)
{
    return answer->last_position == 0 && answer->configuration.voter_count == 0;
}

// The answer that may lead with the best log (rule 4); the target wins ties, then the first.
static const struct ballot_answer *ballot_best(const struct ballot *ballot)
{
    const struct ballot_answer *best = NULL;
    for (size_t i = 0; i < ballot->count; i++) {
        const struct ballot_answer *answer = ballot->answers[i];
        if (!answer_may_lead(answer)) {
            continue;
        }
        bool is_tie = best != NULL && !answer_is_above(answer, best) &&
                      !answer_is_above(best, answer);
        bool wins_tie = is_tie && answer->directory_id == ballot->target;
        if (best == NULL || answer_is_above(answer, best) || wins_tie) {
            best = answer;
        }
    }
    return best;
}

static enum ballot_verdict ballot_decide_birth(const struct ballot *ballot,
                                               const struct ballot_answer **ret_best)
{
    const struct ballot_answer *best = NULL;
    size_t blank_count = 0;
    for (size_t i = 0; i < ballot->count; i++) {
        const struct ballot_answer *answer = ballot->answers[i];
        if (!answer_is_blank(answer)) {
            return BALLOT_OPEN;
        }
        blank_count += answer->is_named;
        if (answer->is_named && (best == NULL || answer->is_preferred)) {
            best = answer;
        }
    }
    size_t needed = BUG(15) ? majority_of(ballot->named_count) : ballot->named_count;
    if (best == NULL || blank_count < needed) {
        return BALLOT_OPEN;
    }
    *ret_best = best;
    return BALLOT_BIRTH;
}

enum ballot_verdict ballot_decide(const struct ballot *ballot,
                                  const struct ballot_answer **ret_best)
{
    const struct ballot_answer *best = ballot_best(ballot);
    *ret_best = best;
    if (best == NULL) {
        return ballot_decide_birth(ballot, ret_best);
    }
    uint64_t directory_ids[BALLOT_ANSWERS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < ballot->count; i++) {
        if (!answer_is_above(ballot->answers[i], best)) {
            directory_ids[count++] = ballot->answers[i]->directory_id;
        }
    }
    bool is_majority = configuration_has_majority(&best->configuration, directory_ids, count);
    return is_majority ? BALLOT_CHOSEN : BALLOT_OPEN;
}
