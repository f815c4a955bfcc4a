/*
 * Candidates in an array, looked through from the one whose turn it is: the first that is up, or
 * the first with the smallest number outstanding. Looking at each is cheap: there are few.
 *
 * Only the caller knows what is outstanding and who is down; what it forgets to say makes a pick
 * worse, never wrong. A candidate that leaves and comes back begins anew.
 */
#include "cluster/balance.h"

#include "base/assert.h"

static struct balance_candidate *balance_find(struct balance *balance, uint64_t address)
{
    for (size_t i = 0; i < balance->count; i++) {
        if (balance->candidates[i].address == address) {
            return &balance->candidates[i];
        }
    }
    return NULL;
}

void balance_set(struct balance *balance, const uint64_t *addresses, size_t count)
{
    ASSERT(count <= MEMBER_COUNT_MAX);
    struct balance renewed = {.count = count};
    for (size_t i = 0; i < count; i++) {
        const struct balance_candidate *known = balance_find(balance, addresses[i]);
        renewed.candidates[i] = known != NULL ? *known
                                              : (struct balance_candidate){.address = addresses[i]};
    }
    renewed.next = count == 0 ? 0 : balance->next % count;
    *balance = renewed;
}

// Whether `candidate` is to be picked rather than `best`, which comes earlier or is NULL.
static bool candidate_is_better(const struct balance_candidate *candidate,
                                const struct balance_candidate *best, enum balance_policy policy)
{
    if (candidate->is_down || best == NULL) {
        return !candidate->is_down;
    }
    return policy == BALANCE_LEAST_OUTSTANDING && candidate->outstanding < best->outstanding;
}

uint64_t balance_pick(struct balance *balance, enum balance_policy policy)
{
    const struct balance_candidate *best = NULL;
    for (size_t i = 0; i < balance->count; i++) {
        size_t at = (balance->next + i) % balance->count;
        if (candidate_is_better(&balance->candidates[at], best, policy)) {
            best = &balance->candidates[at];
        }
    }
    if (best == NULL) {
        return 0;
    }
    balance->next = ((size_t)(best - balance->candidates) + 1) % balance->count;
    return best->address;
}

void balance_sent(struct balance *balance, uint64_t address)
{
    struct balance_candidate *candidate = balance_find(balance, address);
    if (candidate != NULL) {
        candidate->outstanding++;
    }
}

void balance_done(struct balance *balance, uint64_t address)
{
    struct balance_candidate *candidate = balance_find(balance, address);
    if (candidate != NULL && candidate->outstanding > 0) {
        candidate->outstanding--;
    }
}

void balance_mark(struct balance *balance, uint64_t address, bool is_down)
{
    struct balance_candidate *candidate = balance_find(balance, address);
    if (candidate != NULL) {
        candidate->is_down = is_down;
        candidate->outstanding = is_down ? 0 : candidate->outstanding;
    }
}
