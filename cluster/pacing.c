/*
 * Pacing. All times are parts of the one step time that the configuration sets, but the jitter
 * after a failed attempt, which has to be long against the time that an attempt takes.
 *
 * Several coordinators see a primary die at the same moment. They begin in the order of the
 * configuration file, so far apart that the first is usually done before the second begins; if they
 * meet nevertheless, neither gets a majority, and jitter parts them.
 */
#include "cluster/pacing.h"

enum {
    US_PER_MS = 1000,
    TURN_PART = 5,          // a coordinator's turn to begin, as a part of a step
    BACK_OFF_PART = 8,      // the shortest back-off, as a part of a step
    POLL_PART = 3,          // how long a poll takes, as a part of a step
    RESEND_PART = 3,        // when the silent ones are asked again, as a part of a step
    RIVAL_PART = 2,         // how long a rival is made way for, as a part of a step
    BACK_OFF_DOUBLINGS = 3, // a back-off grows so often
    STEP_DOUBLINGS = 3,     // a step grows so often: a disk that needs more time is given up
    POLL_DOUBLINGS = 3,     // and a poll so often
    DEFERRALS_MAX = 2,      // how often a rival is made way for in a row
};

static uint64_t base_us(const struct pacing *pacing)
{
    return (uint64_t)pacing->process->timings.election_step_ms * US_PER_MS;
}

void pacing_init(struct pacing *pacing, const struct process *process)
{
    *pacing = (struct pacing){.process = process};
    random_init(&pacing->random, process->seed);
}

void pacing_reset(struct pacing *pacing)
{
    pacing->failures = 0;
    pacing->attempts_failed = 0;
    pacing->deferrals = 0;
}

uint64_t pacing_poll_us(const struct pacing *pacing)
{
    uint32_t failed = pacing->failures;
    return base_us(pacing) / POLL_PART << (failed < POLL_DOUBLINGS ? failed : POLL_DOUBLINGS);
}

uint64_t pacing_step_us(const struct pacing *pacing)
{
    uint32_t failed = pacing->attempts_failed;
    return base_us(pacing) << (failed < STEP_DOUBLINGS ? failed : STEP_DOUBLINGS);
}

uint64_t pacing_resend_us(const struct pacing *pacing)
{
    return base_us(pacing) / RESEND_PART;
}

// Where this coordinator stands in the file; behind all when it is not in it.
static size_t rank_of(const struct process *process)
{
    size_t rank = 0;
    while (rank < process->coordinator_count &&
           !bytes_equal(process->coordinators[rank], process->endpoint)) {
        rank++;
    }
    return rank;
}

uint64_t pacing_turn_us(const struct pacing *pacing)
{
    return rank_of(pacing->process) * (base_us(pacing) / TURN_PART);
}

uint64_t pacing_fail_us(struct pacing *pacing, bool had_epoch)
{
    uint32_t failed = pacing->failures++;
    uint64_t least_us = base_us(pacing) / BACK_OFF_PART;
    uint64_t most_us = 2 * least_us << (failed < BACK_OFF_DOUBLINGS ? failed : BACK_OFF_DOUBLINGS);
    if (had_epoch) {
        pacing->attempts_failed++;
        most_us += ELECTION_JITTER_MS * US_PER_MS;
    }
    return random_between(&pacing->random, least_us, most_us);
}

bool pacing_is_worth_telling(const struct pacing *pacing)
{
    return (pacing->failures & (pacing->failures - 1)) == 0;
}

void pacing_hear_rival(struct pacing *pacing, uint64_t now_us)
{
    pacing->rival_us = now_us;
}

bool pacing_defers(struct pacing *pacing, uint64_t now_us)
{
    bool is_trying = pacing->rival_us != 0 &&
                     now_us - pacing->rival_us < base_us(pacing) / RIVAL_PART;
    if (!is_trying || pacing->deferrals == DEFERRALS_MAX) {
        return false;
    }
    pacing->deferrals++;
    return true;
}
