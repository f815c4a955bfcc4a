/*
 * Drawing questions.
 *
 * Conditions are put on what the client heard last, which is often stale: then the transaction is
 * refused, and the history checks that it was with right. A transaction whose outcome is unknown is
 * asked about later, or left alone.
 *
 * While a client wants service it asks nothing but plain puts and linearizable reads, with room for
 * several of them under way, until one of each was answered.
 */
#include "tests/sim/workload.h"

#include "base/assert.h"
#include "wire/pack.h"

#include <stdio.h>

enum { SERVICE_TIMEOUT_MS = 1000, READ_STEPS_MAX = 4 };

// An unknown outcome is wanted no longer after so many transactions: a session's outcomes are
// bound.
enum { OUTCOME_WANTED_MAX = SESSION_OUTCOMES_MAX / 2 };

static bool draw_percent(struct workload *workload, unsigned percent)
{
    return random_below(&workload->random, 100) < percent;
}

void workload_begin(struct workload *workload, const char *name, uint32_t life)
{
    snprintf(workload->session_name, sizeof workload->session_name, "%s-%u", name, life);
    workload->session = model_session(workload->model, bytes_from_text(workload->session_name));
    workload->is_named = draw_percent(workload, 50);
    workload->next_sequence = 1;
    workload->version = 0;
    workload->marked = 0;
    memset(workload->known, 0, sizeof workload->known);
    memset(workload->unknown, 0, sizeof workload->unknown);
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

static unsigned draw_document(struct workload *workload)
{
    return (unsigned)random_below(&workload->random, workload->options->keys);
}

static struct step *add_step(struct question *question, enum operation_kind kind,
                             unsigned collection, unsigned document)
{
    ASSERT(question->step_count < QUESTION_STEPS_MAX);
    struct step *step = &question->steps[question->step_count++];
    *step = (struct step){.kind = kind, .collection = collection, .document = document};
    return step;
}

// A check that the document is still what the client heard last.
static const struct seen *add_check(struct workload *workload, struct question *question,
                                    unsigned collection, unsigned document)
{
    const struct known_document *known = &workload->known[collection][document];
    struct step *step = add_step(question, OPERATION_check, collection, document);
    step->expected = known->seen.is_present ? known->seen.version : 0;
    return &known->seen;
}

static int64_t draw_number(struct workload *workload)
{
    return (int64_t)random_below(&workload->random, 1000000) - 500000;
}

static void draw_register(struct workload *workload, struct question *question)
{
    unsigned document = draw_document(workload);
    switch (random_below(&workload->random, 8)) {
    case 0:
        add_step(question, OPERATION_insert, COLLECTION_REGISTERS, document)->number = draw_number(
            workload);
        break;
    case 1: add_step(question, OPERATION_delete, COLLECTION_REGISTERS, document); break;
    case 2:
    case 3:
        add_check(workload, question, COLLECTION_REGISTERS, document);
        add_step(question, OPERATION_put, COLLECTION_REGISTERS, document)->number = draw_number(
            workload);
        break;
    case 4:
        add_step(question, OPERATION_get, COLLECTION_REGISTERS, draw_document(workload));
        add_step(question, OPERATION_put, COLLECTION_REGISTERS, document)->number = draw_number(
            workload);
        break;
    default:
        add_step(question, OPERATION_put, COLLECTION_REGISTERS, document)->number = draw_number(
            workload);
        break;
    }
}

static void draw_counter(struct workload *workload, struct question *question)
{
    unsigned document = draw_document(workload) % ACCOUNTS_COUNT;
    const struct seen *seen = add_check(workload, question, COLLECTION_COUNTERS, document);
    add_step(question, OPERATION_put, COLLECTION_COUNTERS, document)->number =
        seen->is_present ? seen->number + 1 : 1;
}

static void draw_transfer(struct workload *workload, struct question *question)
{
    bool is_open = workload->known[COLLECTION_ACCOUNTS][0].seen.is_present;
    if (!is_open) {
        for (unsigned i = 0; i < ACCOUNTS_COUNT; i++) {
            add_step(question, OPERATION_insert, COLLECTION_ACCOUNTS, i)->number = ACCOUNT_BEGIN;
        }
        return;
    }
    unsigned from = (unsigned)random_below(&workload->random, ACCOUNTS_COUNT);
    unsigned to = (from + 1 + (unsigned)random_below(&workload->random, ACCOUNTS_COUNT - 1)) %
                  ACCOUNTS_COUNT;
    int64_t amount = (int64_t)random_below(&workload->random, 20);
    const struct seen *source = add_check(workload, question, COLLECTION_ACCOUNTS, from);
    const struct seen *target = add_check(workload, question, COLLECTION_ACCOUNTS, to);
    add_step(question, OPERATION_put, COLLECTION_ACCOUNTS, from)->number = source->number - amount;
    add_step(question, OPERATION_put, COLLECTION_ACCOUNTS, to)->number = target->number + amount;
}

static void draw_transaction(struct workload *workload, struct question *question)
{
    question->kind = QUESTION_TRANSACTION;
    if (workload->wants_service || draw_percent(workload, 55)) {
        draw_register(workload, question);
    } else if (draw_percent(workload, 50)) {
        draw_counter(workload, question);
    } else if (draw_percent(workload, 80)) {
        draw_transfer(workload, question);
    } else {
        for (unsigned i = 0; i < ACCOUNTS_COUNT; i++) {
            add_step(question, OPERATION_get, COLLECTION_ACCOUNTS, i);
        }
    }
}

static void draw_read_steps(struct workload *workload, struct question *question)
{
    if (draw_percent(workload, 25)) {
        for (unsigned i = 0; i < ACCOUNTS_COUNT; i++) {
            add_step(question, OPERATION_get, COLLECTION_ACCOUNTS, i);
        }
        return;
    }
    unsigned count = 1 + (unsigned)random_below(&workload->random, READ_STEPS_MAX);
    for (unsigned i = 0; i < count; i++) {
        unsigned collection = (unsigned)random_below(&workload->random, 2);
        unsigned document = draw_document(workload);
        add_step(question, OPERATION_get, collection,
                 collection == COLLECTION_COUNTERS ? document % ACCOUNTS_COUNT : document);
    }
}

static enum read_level draw_level(struct workload *workload)
{
    uint64_t drawn = random_below(&workload->random, 20);
    if (workload->wants_service || drawn < 11) {
        return READ_linearizable;
    }
    if (drawn < 13 && workload->marked != 0) {
        return READ_snapshot;
    }
    return drawn < 17 ? READ_session : READ_any;
}

static void draw_read(struct workload *workload, struct question *question)
{
    question->kind = QUESTION_READ;
    question->level = draw_level(workload);
    question->after_version = question->level == READ_session ? workload->version : 0;
    question->at_version = question->level == READ_snapshot ? workload->marked : 0;
    draw_read_steps(workload, question);
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

static void remember_unknown(struct workload *workload, const struct question *question)
{
    size_t slot = random_below(&workload->random, WORKLOAD_UNKNOWN_MAX);
    for (size_t i = 0; i < WORKLOAD_UNKNOWN_MAX; i++) {
        slot = workload->unknown[i].sequence == 0 ? i : slot;
    }
    workload->unknown[slot] = (struct ruined){.session = question->session,
                                              .sequence = question->sequence};
}

static void know(struct workload *workload, const struct step *step, const struct seen *seen,
                 uint64_t version)
{
    struct known_document *known = &workload->known[step->collection][step->document];
    if (version >= known->version) {
        *known = (struct known_document){.seen = *seen, .version = version};
    }
}

// Learns what the gets among the steps saw.
static void learn_gets(struct workload *workload, const struct question *question,
                       const struct answer *answer)
{
    struct cursor cursor = cursor_of(answer->results);
    uint32_t count;
    if (answer->replayed || cursor_array(&cursor, &count) != STATUS_ok ||
        count != question->step_count) {
        return;
    }
    int64_t sum = 0;
    unsigned accounts = 0;
    for (unsigned i = 0; i < question->step_count; i++) {
        const struct step *step = &question->steps[i];
        struct seen seen;
        if (!history_read_result(&cursor, &seen)) {
            return;
        }
        if (step->kind != OPERATION_get) {
            continue;
        }
        know(workload, step, &seen, answer->version);
        workload->last_number = seen.is_present ? seen.number : 0;
        if (step->collection == COLLECTION_ACCOUNTS && seen.is_present) {
            sum += seen.number;
            accounts++;
        }
    }
    if (accounts == ACCOUNTS_COUNT && sum != ACCOUNTS_COUNT * ACCOUNT_BEGIN) {
        world_violate(workload->history->world, "the accounts add up to %lld at version %llu",
                      (long long)sum, (unsigned long long)answer->version);
    }
}

// Learns what a transaction of its own has written.
static void learn_writes(struct workload *workload, const struct question *question,
                         const struct answer *answer)
{
    for (unsigned i = 0; i < question->step_count; i++) {
        const struct step *step = &question->steps[i];
        struct seen seen = {0};
        if (step->kind == OPERATION_put || step->kind == OPERATION_insert) {
            seen = (struct seen){.is_present = true,
                                 .version = answer->version,
                                 .number = step->number,
                                 .token = question->token};
        }
        if (step->kind != OPERATION_get && step->kind != OPERATION_check) {
            know(workload, step, &seen, answer->version);
        }
    }
}

static void count_service(struct workload *workload, const struct open_question *open,
                          const struct answer *answer)
{
    bool is_served = open->is_service &&
                     (answer->status == STATUS_ok || answer->status == STATUS_exists ||
                      answer->status == STATUS_refused || answer->status == STATUS_absent);
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
    if (answer->status == STATUS_unknown_outcome && question->kind == QUESTION_TRANSACTION) {
        remember_unknown(workload, question);
    }
    if (answer->status != STATUS_ok || question->kind == QUESTION_STATUS) {
        return;
    }
    if (question->kind == QUESTION_TRANSACTION) {
        learn_writes(workload, question, answer);
    }
    learn_gets(workload, question, answer);
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

static void encode_document(const struct question *question, const struct step *step,
                            struct buffer *out)
{
    pack_map(out, step->padding > 0 ? 3 : 2);
    pack_text_literal(out, "n");
    if (step->number < 0) {
        pack_i64(out, step->number);
    } else {
        pack_u64(out, (uint64_t)step->number);
    }
    pack_text_literal(out, "t");
    pack_u64(out, question->token);
    if (step->padding > 0) {
        pack_text_literal(out, "z");
        AUTO(buffer_release) struct buffer zeros = {0};
        memset(buffer_extend(&zeros, step->padding), 0, step->padding);
        pack_binary(out, buffer_bytes(&zeros));
    }
}

static void encode_step(const struct question *question, const struct step *step,
                        struct buffer *out)
{
    char collection[16];
    char id[16];
    bool has_document = step->kind == OPERATION_put || step->kind == OPERATION_insert;
    bool has_more = has_document || step->kind == OPERATION_check;
    snprintf(collection, sizeof collection, "c%u", step->collection);
    snprintf(id, sizeof id, "d%u", step->document);
    pack_map(out, has_more ? 4 : 3);
    pack_text_literal(out, "op");
    pack_text_literal(out, operation_kind_name(step->kind));
    pack_text_literal(out, "collection");
    pack_text_literal(out, collection);
    pack_text_literal(out, "id");
    pack_text_literal(out, id);
    if (has_document) {
        pack_text_literal(out, "document");
        encode_document(question, step, out);
    } else if (step->kind == OPERATION_check && step->expected == 0) {
        pack_text_literal(out, "absent");
        pack_flag(out, true);
    } else if (step->kind == OPERATION_check) {
        pack_text_literal(out, "document_version");
        pack_u64(out, step->expected);
    }
}

void question_encode(const struct question *question, struct buffer *out)
{
    pack_array(out, question->step_count);
    for (unsigned i = 0; i < question->step_count; i++) {
        encode_step(question, &question->steps[i], out);
    }
}
