/*
 * Rules for answers. `floor` is the highest version that anybody had been told when the question
 * was asked; the log is the committed one when the answer comes.
 *
 * 1. A version in an answer is committed. Of a linearizable read and of a transaction it is not
 *    below the floor; of one that wrote, above it. Of a session read not below the session's. Of
 *    one with a bound on its lag not below what anybody had been told so long before it was asked.
 * 2. A read sees everything exactly as the log has it at the version of the reply, which is the end
 *    of an entry. Pages of a find are all of one version.
 * 3. A transaction that wrote has this version in the log, once. Done on the model right before it,
 *    it gives the same results and leaves the same documents.
 * 4. A transaction that failed does so on the model, too, at some version between floor and now,
 *    and is not in the log, nor is one that certainly wasn't done.
 */
#include "tests/sim/history.h"

#include "base/assert.h"
#include "tests/sim/history_past.h"
#include "wire/cursor.h"

#include <stdlib.h>

// A reader counts a lag on its own clock, which goes at least half as fast as the world's.
enum { LAG_SLOWNESS = 2 };

void history_init(struct history *history, const struct model *model)
{
    *history = (struct history){.world = model->world, .ledger = model->ledger, .model = model};
}

void history_release(struct history *history)
{
    free(history->ruined);
    free(history->told);
    *history = (struct history){0};
}

// The highest version that anybody had been told at `time_us`.
static uint64_t floor_at(const struct history *history, uint64_t time_us)
{
    size_t count = history->told_count;
    while (count > 0 && history->told[count - 1].time_us > time_us) {
        count--;
    }
    return count == 0 ? 0 : history->told[count - 1].version;
}

// What a read with a bound on its lag, asked now, must have seen. One that counts versions does so
// from a point that is not older than a primary that is suspected.
static uint64_t lag_version(const struct history *history, const struct question *question)
{
    bool is_timed = question->lag_ms_max != 0;
    if (!is_timed && question->lag_versions_max == 0) {
        return 0;
    }
    uint64_t lag_ms = is_timed ? question->lag_ms_max : SUSPECT_AFTER_MS;
    uint64_t lag_us = lag_ms * 1000 * LAG_SLOWNESS;
    uint64_t now_us = history->world->now_us;
    uint64_t floor = now_us > lag_us ? floor_at(history, now_us - lag_us) : 0;
    uint64_t slack = is_timed ? 0 : question->lag_versions_max;
    return floor > slack ? floor - slack : 0;
}

void history_ask(const struct history *history, struct question *question)
{
    question->floor_version = history->floor_version;
    question->lag_version = lag_version(history, question);
}

static void check_get(struct history *history, const struct rehearsal *state,
                      const struct step *step, struct cursor *results)
{
    struct seen seen = {0};
    struct seen there = rehearsal_see(state, step->collection, step->document);
    if (!answer_take_get(results, &seen) || !seen_equal(&there, &seen)) {
        world_violate(history->world,
                      "a read at version %llu saw c%u/d%u at %llu, the log has it at %llu",
                      (unsigned long long)state->version, step->collection, step->document,
                      (unsigned long long)seen.version, (unsigned long long)there.version);
    }
}

// A find in a transaction has one page, which may be cut by its limit; in a read a page is the last
// when it has no cursor.
static void check_find(struct history *history, const struct rehearsal *state,
                       const struct step *step, struct paging *paging, struct cursor *results)
{
    struct paging alone;
    struct seen_page page;
    const char *wrong = "it can't be read";
    if (answer_take_find(results, &page)) {
        bool is_cut = step->find.limit > 0 && page.count == step->find.limit;
        bool is_end = paging == NULL ? !is_cut : page.cursor.size == 0;
        if (paging == NULL) {
            paging_init(&alone, step);
        }
        wrong = paging_take(paging == NULL ? &alone : paging, state, &page, is_end);
    }
    if (wrong != NULL) {
        world_violate(history->world, "a find in c%u at version %llu: %s", step->collection,
                      (unsigned long long)state->version, wrong);
    }
}

static void check_count(struct history *history, const struct rehearsal *state,
                        const struct step *step, struct cursor *results)
{
    uint64_t counted = 0;
    unsigned there = 0;
    for (unsigned i = 0; i < DOCUMENT_COUNT_MAX; i++) {
        struct seen seen = rehearsal_see(state, step->collection, i);
        there += find_matches(&step->find, &seen);
    }
    if (!answer_take_count(results, &counted) || counted != there) {
        world_violate(history->world, "c%u at version %llu counts %llu documents, the log has %u",
                      step->collection, (unsigned long long)state->version,
                      (unsigned long long)counted, there);
    }
}

// Holds the next result against the state.
static void check_result(struct history *history, const struct rehearsal *state,
                         const struct step *step, struct paging *paging, struct cursor *results)
{
    switch (step->kind) {
    case OPERATION_get: check_get(history, state, step, results); break;
    case OPERATION_find: check_find(history, state, step, paging, results); break;
    case OPERATION_count: check_count(history, state, step, results); break;
    case OPERATION_history: history_check_versions(history, step, state->version, results); break;
    default:
        if (cursor_skip(results, NULL) != STATUS_ok) {
            world_violate(history->world, "an answer has results that can't be read");
        }
    }
}

// Opens the results of an answer; false if they aren't one for each step.
static bool open_results(struct history *history, const struct question *question,
                         const struct answer *answer, struct cursor *ret_results)
{
    uint32_t count;
    *ret_results = cursor_of(answer->results);
    if (cursor_array(ret_results, &count) != STATUS_ok || count != question->step_count) {
        world_violate(history->world, "an answer has not one result for each operation");
        return false;
    }
    return true;
}

// Rule 1; true if the version may be looked at.
static bool check_version(struct history *history, uint64_t version, uint64_t least,
                          const char *what)
{
    if (version > ledger_version(history->ledger)) {
        world_violate(history->world, "%s was answered at version %llu, only %llu is committed",
                      what, (unsigned long long)version,
                      (unsigned long long)ledger_version(history->ledger));
        return false;
    }
    if (version < least) {
        world_violate(history->world,
                      "%s was answered at version %llu, after version %llu was seen", what,
                      (unsigned long long)version, (unsigned long long)least);
        return false;
    }
    return true;
}

static void raise_floor(struct history *history, uint64_t version)
{
    if (version <= history->floor_version) {
        return;
    }
    history->floor_version = version;
    if (history->told_count == history->told_capacity) {
        history->told_capacity = history->told_capacity == 0 ? 1024 : 2 * history->told_capacity;
        history->told = reallocarray(history->told, history->told_capacity, sizeof *history->told);
        ASSERT(history->told != NULL);
    }
    history->told[history->told_count++] = (struct told_version){.time_us = history->world->now_us,
                                                                 .version = version};
}

// The version that a read must have exactly; 0 for none.
static uint64_t exact_version(const struct question *question)
{
    if (question->paging != NULL && question->paging->version != 0) {
        return question->paging->version;
    }
    return question->level == READ_snapshot ? question->at_version : 0;
}

// The lowest version that it may have.
static uint64_t least_version(const struct question *question)
{
    if (exact_version(question) != 0 || question->at_time_us != 0) {
        return 0;
    }
    return question->level == READ_linearizable ? question->floor_version
           : question->level == READ_session    ? question->after_version
                                                : question->lag_version;
}

// Rule 2, of one version that everybody may read.
static void check_present(struct history *history, const struct question *question,
                          const struct answer *answer)
{
    uint64_t position = model_position_of(history->model, answer->version);
    if (position > 0 && ledger_committed(history->ledger, position)->version != answer->version) {
        world_violate(history->world, "a read at version %llu, which is within an entry",
                      (unsigned long long)answer->version);
        return;
    }
    struct rehearsal state;
    struct cursor results;
    rehearsal_init(&state, history->model, question, answer->version);
    if (!open_results(history, question, answer, &results)) {
        return;
    }
    for (unsigned i = 0; i < question->step_count; i++) {
        check_result(history, &state, &question->steps[i], question->paging, &results);
    }
    if (question->paging != NULL) {
        question->paging->version = answer->version;
    }
}

// Rule 2.
static void check_read(struct history *history, const struct question *question,
                       const struct answer *answer)
{
    uint64_t exact = exact_version(question);
    if (exact != 0 && answer->version != exact) {
        world_violate(history->world, "a read at version %llu was answered at %llu",
                      (unsigned long long)exact, (unsigned long long)answer->version);
    }
    if (question->is_past) {
        history_check_past(history, question, answer);
    } else {
        check_present(history, question, answer);
        raise_floor(history, answer->version);
    }
}

// Whether a find of the read may have failed because its index doesn't serve.
static bool may_lack_index(const struct history *history, const struct question *question)
{
    for (unsigned i = 0; i < question->step_count; i++) {
        const struct step *step = &question->steps[i];
        if (step->find.names_index &&
            !model_index_serves(history->model, step->collection, least_version(question))) {
            return true;
        }
    }
    return false;
}

static void answer_read(struct history *history, const struct question *question,
                        const struct answer *answer)
{
    switch (answer->status) {
    case STATUS_ok:
        if (check_version(history, answer->version, least_version(question),
                          read_level_name(question->level))) {
            check_read(history, question, answer);
        }
        break;
    case STATUS_unavailable:
    case STATUS_busy:
    case STATUS_deadline:
    case STATUS_too_old: break;
    case STATUS_stale:
        if (question->lag_ms_max == 0 && question->lag_versions_max == 0) {
            world_violate(history->world, "a read without a bound on its lag was stale");
        }
        break;
    case STATUS_read_only:
        if (question->paging == NULL) { // a version to read pages at can't be marked
            world_violate(history->world, "a read without pages failed because disks are full");
        }
        break;
    default:
        if (answer->status != STATUS_absent || !may_lack_index(history, question)) {
            world_violate(history->world, "a %s read failed with %s",
                          read_level_name(question->level), status_name(answer->status));
        }
    }
}

// Rule 3: what the log has of the documents that the transaction wrote.
static void check_written(struct history *history, const struct rehearsal *state)
{
    for (unsigned i = 0; i < state->change_count; i++) {
        const struct rehearsed_change *change = &state->changes[i];
        struct seen wanted = rehearsal_see(state, change->collection, change->document);
        struct seen logged = model_see(history->model, change->collection, change->document,
                                       state->written);
        if (!seen_equal(&wanted, &logged)) {
            world_violate(history->world,
                          "version %llu was acknowledged, its c%u/d%u is not in the log",
                          (unsigned long long)state->written, change->collection, change->document);
        }
    }
}

static void check_steps(struct history *history, const struct question *question,
                        const struct answer *answer)
{
    bool writes = question_is_writing(question);
    struct rehearsal state;
    struct cursor results;
    rehearsal_init(&state, history->model, question, answer->version - (writes ? 1 : 0));
    if (!answer->replayed && !open_results(history, question, answer, &results)) {
        return;
    }
    for (unsigned i = 0; i < question->step_count; i++) {
        const struct step *step = &question->steps[i];
        enum status status = rehearsal_do(&state, step);
        if (status != STATUS_ok) {
            world_violate(history->world,
                          "version %llu: operation %u succeeded, on the log it is %s",
                          (unsigned long long)answer->version, i, status_name(status));
            return;
        }
        if (!answer->replayed) {
            check_result(history, &state, step, NULL, &results);
        }
    }
    check_written(history, &state);
}

static void answer_done(struct history *history, const struct question *question,
                        const struct answer *answer)
{
    bool writes = question_is_writing(question);
    uint64_t least = question->floor_version + (writes ? 1 : 0);
    if (!check_version(history, answer->version, least, "a transaction")) {
        return;
    }
    const struct model_outcome *outcome = model_outcome(history->model, question->session,
                                                        question->sequence);
    bool is_logged = outcome != NULL && !outcome->is_claimed && outcome->version == answer->version;
    if (writes && !is_logged) {
        world_violate(history->world,
                      "transaction %llu of session %u was acknowledged at %llu, "
                      "the log has not that",
                      (unsigned long long)question->sequence, question->session,
                      (unsigned long long)answer->version);
        return;
    }
    history->acknowledged++;
    check_steps(history, question, answer);
    raise_floor(history, answer->version);
}

// The transaction was not done and never will be.
static void ruin(struct history *history, unsigned session, uint64_t sequence)
{
    if (history->ruined_count == history->ruined_capacity) {
        history->ruined_capacity = history->ruined_capacity == 0 ? 256
                                                                 : 2 * history->ruined_capacity;
        history->ruined = reallocarray(history->ruined, history->ruined_capacity,
                                       sizeof *history->ruined);
        ASSERT(history->ruined != NULL);
    }
    history->ruined[history->ruined_count++] = (struct ruined){.session = session,
                                                               .sequence = sequence};
    const struct model_outcome *outcome = model_outcome(history->model, session, sequence);
    if (outcome != NULL && !outcome->is_claimed) {
        world_violate(history->world,
                      "transaction %llu of session %u was said not to be done, it is "
                      "version %llu",
                      (unsigned long long)sequence, session, (unsigned long long)outcome->version);
    }
}

// Rule 4: whether the transaction fails so on the state right after `version`.
static bool fails_at(const struct history *history, const struct question *question,
                     const struct answer *answer, uint64_t version)
{
    struct rehearsal state;
    rehearsal_init(&state, history->model, question, version);
    for (unsigned i = 0; i < question->step_count; i++) {
        const struct step *step = &question->steps[i];
        bool is_meant = answer->operation == 0 || answer->operation == i + 1;
        bool clashes = answer->status == STATUS_unique && rehearsal_may_clash(&state, step);
        enum status status = rehearsal_do(&state, step);
        if (is_meant && (clashes || status == answer->status)) {
            return true;
        }
        if (status != STATUS_ok) {
            return false;
        }
    }
    return false;
}

// The next version at which the transaction may go another way.
static uint64_t next_version(const struct history *history, const struct question *question,
                             const struct answer *answer, uint64_t after)
{
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < question->step_count; i++) {
        const struct step *step = &question->steps[i];
        bool is_wide = step_is_wide(step) || answer->status == STATUS_unique ||
                       step->kind >= OPERATION_create_collection;
        uint64_t change = is_wide ? model_next_wide_change(history->model, step->collection, after)
                                  : model_next_change(history->model, step->collection,
                                                      step->document, after);
        next = change < next ? change : next;
    }
    return next;
}

static void answer_failed(struct history *history, const struct question *question,
                          const struct answer *answer)
{
    ruin(history, question->session, question->sequence);
    for (uint64_t version = question->floor_version; version != UINT64_MAX;
         version = next_version(history, question, answer, version)) {
        if (fails_at(history, question, answer, version)) {
            return;
        }
    }
    world_violate(history->world,
                  "transaction %llu of session %u failed with %s at operation %u, "
                  "for which there was no reason since version %llu",
                  (unsigned long long)question->sequence, question->session,
                  status_name(answer->status), answer->operation,
                  (unsigned long long)question->floor_version);
}

static void answer_transaction(struct history *history, const struct question *question,
                               const struct answer *answer)
{
    switch (answer->status) {
    case STATUS_ok: answer_done(history, question, answer); break;
    case STATUS_unknown_outcome: break;
    case STATUS_refused:
    case STATUS_exists:
    case STATUS_absent:
    case STATUS_unique:
    case STATUS_conflict: answer_failed(history, question, answer); break;
    case STATUS_unavailable:
    case STATUS_busy:
    case STATUS_deadline:
    case STATUS_expired:
    case STATUS_read_only: ruin(history, question->session, question->sequence); break;
    default:
        world_violate(history->world, "transaction %llu of session %u failed with %s",
                      (unsigned long long)question->sequence, question->session,
                      status_name(answer->status));
    }
}

static void answer_status(struct history *history, const struct question *question,
                          const struct answer *answer)
{
    const struct model_outcome *outcome = model_outcome(history->model, question->session,
                                                        question->sequence);
    if (answer->status == STATUS_absent) {
        ruin(history, question->session, question->sequence);
    } else if (answer->status == STATUS_ok &&
               (outcome == NULL || outcome->is_claimed || outcome->version != answer->version)) {
        world_violate(history->world,
                      "transaction %llu of session %u is said to be version %llu, "
                      "the log has not that",
                      (unsigned long long)question->sequence, question->session,
                      (unsigned long long)answer->version);
    }
}

static void cover(struct history *history, const struct answer *answer)
{
    struct coverage *coverage = &history->world->coverage;
    if (answer->status == STATUS_ok && answer->replayed) {
        coverage_take(coverage, BRANCH_replayed);
    } else if (answer->status == STATUS_unknown_outcome) {
        coverage_take(coverage, BRANCH_unknown_outcome);
    } else if (answer->status == STATUS_too_old) {
        coverage_take(coverage, BRANCH_too_old);
    }
}

void history_answer(struct history *history, const struct question *question,
                    const struct answer *answer)
{
    cover(history, answer);
    history->answered++;
    history->failed += answer->status != STATUS_ok;
    switch (question->kind) {
    case QUESTION_TRANSACTION: answer_transaction(history, question, answer); break;
    case QUESTION_READ: answer_read(history, question, answer); break;
    case QUESTION_STATUS: answer_status(history, question, answer); break;
    }
}

void history_check_end(struct history *history)
{
    for (size_t i = 0; i < history->ruined_count; i++) {
        unsigned session = history->ruined[i].session;
        uint64_t sequence = history->ruined[i].sequence;
        const struct model_outcome *outcome = model_outcome(history->model, session, sequence);
        if (outcome != NULL && !outcome->is_claimed) {
            world_violate(history->world,
                          "transaction %llu of session %u was said not to be done, "
                          "and became version %llu",
                          (unsigned long long)sequence, session,
                          (unsigned long long)outcome->version);
            return;
        }
    }
}
