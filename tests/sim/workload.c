/*
 * The life of questions. A transaction whose outcome is unknown is asked about later, or left
 * alone.
 *
 * A client that names its session begins a new one when it is told that this one has expired: a
 * session may also end before it has begun, with its first 256 transactions that all failed.
 *
 * While a client wants service it asks nothing but operations on registers and linearizable reads,
 * with room for several of them under way, until one of each was answered.
 */
#include "tests/sim/workload.h"

#include "base/assert.h"
#include "tests/sim/draw.h"

#include <stdio.h>

enum { SERVICE_TIMEOUT_MS = 1000 };

// An unknown outcome is wanted no longer after so many transactions: a session's outcomes are
// bound.
enum { OUTCOME_WANTED_MAX = SESSION_OUTCOMES_MAX / 2 };

static void begin_session(struct workload *workload)
{
    if (workload->session_count++ == 0) {
        snprintf(workload->session_name, sizeof workload->session_name, "%s", workload->life_name);
    } else {
        snprintf(workload->session_name, sizeof workload->session_name, "%s-%u",
                 workload->life_name, workload->session_count);
    }
    workload->session = model_session(workload->model, bytes_from_text(workload->session_name));
    workload->next_sequence = 1;
}

void workload_begin(struct workload *workload, const char *name, uint32_t life)
{
    snprintf(workload->life_name, sizeof workload->life_name, "%s-%u", name, life);
    workload->session_count = 0;
    begin_session(workload);
    workload->is_named = draw_percent(workload, 50);
    workload->version = 0;
    workload->marked = 0;
    memset(workload->known, 0, sizeof workload->known);
    memset(workload->unknown, 0, sizeof workload->unknown);
    workload->known_find = (struct step){0};
    workload->knows_fading = false;
    workload->paging.cursor_size = 0;
    for (size_t i = 0; i < WORKLOAD_OPEN_MAX; i++) {
        workload->open[i].is_taken = false;
    }
}

void workload_release(struct workload *workload)
{
    for (size_t i = 0; i < WORKLOAD_OPEN_MAX; i++) {
        buffer_release(&workload->open[i].operations);
    }
}

static bool draw_status(struct workload *workload, struct question *question)
{
    unsigned slot = (unsigned)random_below(&workload->random, WORKLOAD_UNKNOWN_MAX);
    question->kind = QUESTION_STATUS;
    question->session = workload->unknown[slot].session;
    question->sequence = workload->unknown[slot].sequence;
    workload->unknown[slot].sequence = 0;
    return question->sequence != 0;
}

static void forget_old_outcomes(struct workload *workload)
{
    for (size_t i = 0; i < WORKLOAD_UNKNOWN_MAX; i++) {
        struct ruined *unknown = &workload->unknown[i];
        if (unknown->sequence + OUTCOME_WANTED_MAX < workload->next_sequence) {
            *unknown = (struct ruined){0};
        }
    }
}

struct open_question *workload_open(struct workload *workload, const struct question *question)
{
    struct open_question *open = workload->open;
    while (open < workload->open + WORKLOAD_OPEN_MAX && open->is_taken) {
        open++;
    }
    if (open == workload->open + WORKLOAD_OPEN_MAX) {
        return NULL;
    }
    open->is_taken = true;
    open->is_service = workload->wants_service;
    open->timeout_ms = workload->wants_service
                           ? SERVICE_TIMEOUT_MS
                           : (uint32_t)random_wait(&workload->random,
                                                   workload->options->timeout_ms);
    open->question = *question;
    if (question->kind == QUESTION_TRANSACTION) {
        open->question.session = workload->session;
        open->question.sequence = workload->is_named ? workload->next_sequence++ : 0;
        open->question.token = workload->next_token++;
        forget_old_outcomes(workload);
    }
    history_ask(workload->history, &open->question);
    buffer_clear(&open->operations);
    question_encode(&open->question, &open->operations);
    return open;
}

static bool has_room(const struct workload *workload)
{
    unsigned limit = workload->wants_service ? WORKLOAD_OPEN_MAX : workload->options->outstanding;
    unsigned taken = 0;
    for (size_t i = 0; i < WORKLOAD_OPEN_MAX; i++) {
        taken += workload->open[i].is_taken;
    }
    return taken < limit;
}

struct open_question *workload_next(struct workload *workload)
{
    if (workload->is_stopped || !has_room(workload)) {
        return NULL;
    }
    struct question question = {0};
    bool reads = workload->wants_service ? !workload->is_read_served && draw_percent(workload, 50)
                                         : draw_percent(workload, workload->options->read_percent);
    bool asks = !workload->wants_service && draw_percent(workload, 20) &&
                draw_status(workload, &question);
    if (!asks) {
        question = (struct question){0};
        if (reads) {
            draw_read(workload, &question);
        } else {
            draw_transaction(workload, &question);
        }
    }
    return workload_open(workload, &question);
}

bool workload_awaits_page(const struct workload *workload)
{
    for (size_t i = 0; i < WORKLOAD_OPEN_MAX; i++) {
        if (workload->open[i].is_taken && workload->open[i].question.paging != NULL) {
            return true;
        }
    }
    return false;
}

static void remember_unknown(struct workload *workload, const struct question *question)
{
    size_t slot = random_below(&workload->random, WORKLOAD_UNKNOWN_MAX);
    for (size_t i = 0; i < WORKLOAD_UNKNOWN_MAX; i++) {
        slot = workload->unknown[i].sequence == 0 ? i : slot;
    }
    workload->unknown[slot] = (struct ruined){.session = question->session,
                                              .sequence = question->sequence};
}

// Whether it is a transaction of the session that the client names now.
static bool has_named(const struct workload *workload, const struct question *question)
{
    return workload->is_named && question->kind == QUESTION_TRANSACTION &&
           question->session == workload->session;
}

static void know(struct workload *workload, const struct step *step, const struct seen *seen,
                 uint64_t version)
{
    struct known_document *known = &workload->known[step->collection][step->document];
    if (version >= known->version) {
        *known = (struct known_document){.seen = *seen, .version = version};
    }
}

static void learn_get(struct workload *workload, const struct step *step, const struct seen *seen,
                      uint64_t version)
{
    know(workload, step, seen, version);
    workload->last_number = seen->is_present ? seen->number : 0;
}

// What a find in order gave can be guarded by `unchanged`.
static void learn_find(struct workload *workload, const struct step *step,
                       const struct seen_page *page, uint64_t version)
{
    for (unsigned i = 0; i < page->count; i++) {
        struct step row = {.collection = step->collection, .document = page->rows[i].document};
        know(workload, &row, &page->rows[i].seen, version);
    }
    if (step->find.order != FIND_unordered && step->find.cursor.size == 0) {
        workload->known_find = *step;
        workload->known_find.kind = OPERATION_unchanged;
        workload->known_find.is_find = true;
        workload->known_find.find.names_index = false;
        workload->known_find.digest = rows_digest(page->rows, page->count);
    }
}

// What accounts were seen to hold in one answer.
struct balance {
    int64_t sum;
    uint32_t accounts; // as bits
};

static void add_up(struct balance *balance, const struct step *step, const struct seen *seen)
{
    if (step->collection == COLLECTION_ACCOUNTS && seen->is_present) {
        balance->sum += seen->number;
        balance->accounts |= 1U << step->document;
    }
}

// Takes the next result off the cursor; false if it can't be read.
static bool learn_result(struct workload *workload, const struct step *step, struct cursor *results,
                         uint64_t version, struct balance *balance)
{
    struct seen seen;
    struct seen_page page;
    switch (step->kind) {
    case OPERATION_get:
        if (!answer_take_get(results, &seen)) {
            return false;
        }
        learn_get(workload, step, &seen, version);
        add_up(balance, step, &seen);
        return true;
    case OPERATION_find:
        if (!answer_take_find(results, &page)) {
            return false;
        }
        learn_find(workload, step, &page, version);
        return true;
    default: return cursor_skip(results, NULL) == STATUS_ok;
    }
}

static void learn_results(struct workload *workload, const struct question *question,
                          const struct answer *answer)
{
    struct cursor results = cursor_of(answer->results);
    struct balance balance = {0};
    uint32_t count;
    if (answer->replayed || cursor_array(&results, &count) != STATUS_ok ||
        count != question->step_count) {
        return;
    }
    for (unsigned i = 0; i < question->step_count; i++) {
        if (!learn_result(workload, &question->steps[i], &results, answer->version, &balance)) {
            return;
        }
    }
    bool is_all = balance.accounts == (1U << ACCOUNTS_COUNT) - 1 &&
                  question->step_count == ACCOUNTS_COUNT;
    if (is_all && balance.sum != ACCOUNTS_COUNT * ACCOUNT_BEGIN) {
        world_violate(workload->history->world, "the accounts add up to %lld at version %llu",
                      (long long)balance.sum, (unsigned long long)answer->version);
    }
}

// Learns what a transaction of its own has written, as far as it said so itself.
static void learn_writes(struct workload *workload, const struct question *question,
                         const struct answer *answer)
{
    for (unsigned i = 0; i < question->step_count; i++) {
        const struct step *step = &question->steps[i];
        struct seen seen = {.is_present = true,
                            .version = answer->version,
                            .number = step->number,
                            .token = question->token};
        switch (step->kind) {
        case OPERATION_insert:
        case OPERATION_put: know(workload, step, &seen, answer->version); break;
        case OPERATION_delete: know(workload, step, &(struct seen){0}, answer->version); break;
        case OPERATION_update:
            if (!step->adds) {
                know(workload, step, &seen, answer->version);
            }
            break;
        default: break;
        }
    }
}

// The collection for documents that expire is there, made by this client or by another.
static void learn_fading(struct workload *workload, const struct question *question,
                         enum status status)
{
    bool is_about = question->kind == QUESTION_TRANSACTION && question->step_count > 0 &&
                    question->steps[0].kind == OPERATION_create_collection;
    workload->knows_fading = workload->knows_fading ||
                             (is_about && (status == STATUS_ok || status == STATUS_exists));
}

static void count_service(struct workload *workload, const struct open_question *open,
                          const struct answer *answer)
{
    bool is_served = open->is_service &&
                     (answer->status == STATUS_ok || answer->status == STATUS_exists ||
                      answer->status == STATUS_refused || answer->status == STATUS_absent ||
                      answer->status == STATUS_conflict);
    if (is_served && open->question.kind == QUESTION_READ) {
        workload->is_read_served = true;
    } else if (is_served) {
        workload->is_write_served = true;
    }
}

void workload_answer(struct workload *workload, struct open_question *open,
                     const struct answer *answer)
{
    const struct question *question = &open->question;
    history_answer(workload->history, question, answer);
    count_service(workload, open, answer);
    open->is_taken = false;
    workload->last_status = answer->status;
    learn_fading(workload, question, answer->status);
    if (question->paging != NULL && answer->status == STATUS_too_old) {
        workload->paging.cursor_size = 0;
    }
    if (answer->status == STATUS_unknown_outcome && question->kind == QUESTION_TRANSACTION) {
        remember_unknown(workload, question);
    }
    if (answer->status == STATUS_expired && has_named(workload, question)) {
        begin_session(workload);
    }
    if (answer->status != STATUS_ok || question->kind == QUESTION_STATUS) {
        return;
    }
    if (question->kind == QUESTION_TRANSACTION) {
        learn_writes(workload, question, answer);
    }
    learn_results(workload, question, answer);
    if (answer->version > workload->version) {
        workload->version = answer->version;
    }
}

void workload_mark(struct workload *workload, uint64_t version)
{
    workload->marked = version;
    if (version > ledger_version(workload->history->ledger)) {
        world_violate(workload->history->world, "version %llu was marked and isn't committed",
                      (unsigned long long)version);
    }
}

uint64_t workload_done_below(const struct workload *workload)
{
    uint64_t lowest = workload->next_sequence;
    for (size_t i = 0; i < WORKLOAD_OPEN_MAX; i++) {
        const struct open_question *open = &workload->open[i];
        bool is_wanted = open->is_taken && open->question.kind != QUESTION_READ &&
                         open->question.session == workload->session;
        if (is_wanted && open->question.sequence < lowest) {
            lowest = open->question.sequence;
        }
    }
    for (size_t i = 0; i < WORKLOAD_UNKNOWN_MAX; i++) {
        const struct ruined *unknown = &workload->unknown[i];
        bool is_wanted = unknown->sequence != 0 && unknown->session == workload->session;
        if (is_wanted && unknown->sequence < lowest) {
            lowest = unknown->sequence;
        }
    }
    return lowest;
}

void workload_ask_for_service(struct workload *workload)
{
    workload->wants_service = true;
}

bool workload_is_served(const struct workload *workload)
{
    return workload->is_write_served && workload->is_read_served;
}

void workload_stop(struct workload *workload)
{
    workload->is_stopped = true;
}
