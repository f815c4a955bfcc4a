/*
 * Conditions are put on what the client heard last, which is often stale: then the transaction is
 * refused, and the history checks that it was with right.
 *
 * Two things make the log readable for the model (tests/sim/model_log.c): deletions, and what is
 * asked about collections, are alone in their transactions; and documents of the fading collection
 * are written only, never deleted, and only once it was made with its settings.
 */
#include "tests/sim/draw.h"

enum {
    READ_STEPS_MAX = 4,
    PAGE_LIMIT_MAX = 4,
    NUMBER_MAX = 500000,
    PAST_US_MAX = 4000000,
    LAG_MS_MEAN = 300,
    LAG_VERSIONS_MAX = 100,
};

bool draw_percent(struct workload *workload, unsigned percent)
{
    return random_below(&workload->random, 100) < percent;
}

static unsigned draw_document(struct workload *workload)
{
    return (unsigned)random_below(&workload->random, workload->options->keys);
}

static int64_t draw_number(struct workload *workload)
{
    return (int64_t)random_below(&workload->random, 2 * NUMBER_MAX) - NUMBER_MAX;
}

// A number that is free as often as not, of those that a unique index keeps apart.
static int64_t draw_slot(struct workload *workload)
{
    return (int64_t)random_below(&workload->random, 2 * workload->options->keys);
}

// A check that the document is still what the client heard last.
static const struct seen *add_check(struct workload *workload, struct question *question,
                                    unsigned collection, unsigned document)
{
    const struct known_document *known = &workload->known[collection][document];
    struct step *step = question_add(question, OPERATION_check, collection, document);
    step->expected = known->seen.is_present ? known->seen.version : 0;
    return &known->seen;
}

static void add_write(struct workload *workload, struct question *question,
                      enum operation_kind kind, unsigned document)
{
    question_add(question, kind, COLLECTION_REGISTERS, document)->number = draw_number(workload);
}

// Makes half of the steps depend on the number, by a bound near the one that the client knows.
static void add_where(struct workload *workload, struct step *step)
{
    if (draw_percent(workload, 50)) {
        const struct seen *seen = &workload->known[step->collection][step->document].seen;
        step->has_where = true;
        step->least = seen->number + (int64_t)random_below(&workload->random, 3) - 1;
    }
}

static void add_update(struct workload *workload, struct question *question, unsigned document)
{
    struct step *step = question_add(question, OPERATION_update, COLLECTION_REGISTERS, document);
    step->adds = draw_percent(workload, 50);
    step->number = step->adds ? (int64_t)random_below(&workload->random, 100) - 50
                              : draw_number(workload);
    if (step->adds && draw_percent(workload, 30)) {
        step->has_floor = true;
        step->floor = draw_number(workload);
    }
    step->upserts = draw_percent(workload, 50);
    add_where(workload, step);
}

static void add_unchanged(struct workload *workload, struct question *question, unsigned collection,
                          unsigned document)
{
    const struct seen *seen = &workload->known[collection][document].seen;
    question_add(question, OPERATION_unchanged, collection, document)->expected =
        seen->is_present ? seen->version : 0;
}

static void draw_register(struct workload *workload, struct question *question)
{
    unsigned document = draw_document(workload);
    switch (random_below(&workload->random, 12)) {
    case 0: add_write(workload, question, OPERATION_insert, document); break;
    case 1:
        add_where(workload,
                  question_add(question, OPERATION_delete, COLLECTION_REGISTERS, document));
        break;
    case 2:
        add_check(workload, question, COLLECTION_REGISTERS, document);
        add_write(workload, question, OPERATION_put, document);
        break;
    case 3:
        question_add(question, OPERATION_get, COLLECTION_REGISTERS, draw_document(workload));
        add_write(workload, question, OPERATION_put, document);
        break;
    case 4:
        add_where(workload, question_add(question, OPERATION_check, COLLECTION_REGISTERS,
                                         draw_document(workload)));
        add_update(workload, question, document);
        break;
    case 5:
        add_unchanged(workload, question, COLLECTION_REGISTERS, draw_document(workload));
        add_write(workload, question, OPERATION_put, document);
        break;
    case 6:
    case 7:
    case 8:
        add_update(workload, question, document);
        question_add(question, OPERATION_get, COLLECTION_REGISTERS, document);
        break;
    default: add_write(workload, question, OPERATION_put, document); break;
    }
}

static void draw_counter(struct workload *workload, struct question *question)
{
    unsigned document = draw_document(workload) % ACCOUNTS_COUNT;
    if (draw_percent(workload, 50)) {
        struct step *step = question_add(question, OPERATION_update, COLLECTION_COUNTERS, document);
        step->adds = true;
        step->upserts = true;
        step->number = 1;
        return;
    }
    const struct seen *seen = add_check(workload, question, COLLECTION_COUNTERS, document);
    question_add(question, OPERATION_put, COLLECTION_COUNTERS, document)->number =
        seen->is_present ? seen->number + 1 : 1;
}

static void add_transfer_step(struct question *question, unsigned account, int64_t amount)
{
    struct step *step = question_add(question, OPERATION_update, COLLECTION_ACCOUNTS, account);
    step->adds = true;
    step->number = amount;
    step->has_floor = amount < 0;
}

static void draw_transfer(struct workload *workload, struct question *question)
{
    bool is_open = workload->known[COLLECTION_ACCOUNTS][0].seen.is_present;
    if (!is_open) {
        for (unsigned i = 0; i < ACCOUNTS_COUNT; i++) {
            question_add(question, OPERATION_insert, COLLECTION_ACCOUNTS, i)->number =
                ACCOUNT_BEGIN;
        }
        return;
    }
    unsigned from = (unsigned)random_below(&workload->random, ACCOUNTS_COUNT);
    unsigned to = (from + 1 + (unsigned)random_below(&workload->random, ACCOUNTS_COUNT - 1)) %
                  ACCOUNTS_COUNT;
    int64_t amount = (int64_t)random_below(&workload->random, 60);
    if (draw_percent(workload, 70)) {
        add_transfer_step(question, from, -amount);
        add_transfer_step(question, to, amount);
        return;
    }
    const struct seen *source = add_check(workload, question, COLLECTION_ACCOUNTS, from);
    const struct seen *target = add_check(workload, question, COLLECTION_ACCOUNTS, to);
    question_add(question, OPERATION_put, COLLECTION_ACCOUNTS, from)->number = source->number -
                                                                               amount;
    question_add(question, OPERATION_put, COLLECTION_ACCOUNTS, to)->number = target->number +
                                                                             amount;
}

static void add_accounts(struct question *question)
{
    for (unsigned i = 0; i < ACCOUNTS_COUNT; i++) {
        question_add(question, OPERATION_get, COLLECTION_ACCOUNTS, i);
    }
}

static void draw_slots(struct workload *workload, struct question *question)
{
    unsigned document = draw_document(workload);
    struct step *step;
    switch (random_below(&workload->random, 5)) {
    case 0: question_add(question, OPERATION_delete, COLLECTION_SLOTS, document); break;
    case 1:
        question_add(question, OPERATION_insert, COLLECTION_SLOTS, document)->number = draw_slot(
            workload);
        break;
    case 2:
        step = question_add(question, OPERATION_update, COLLECTION_SLOTS, document);
        step->number = draw_slot(workload);
        step->upserts = draw_percent(workload, 50);
        break;
    default:
        question_add(question, OPERATION_put, COLLECTION_SLOTS, document)->number = draw_slot(
            workload);
        question_add(question, OPERATION_put, COLLECTION_SLOTS, draw_document(workload))->number =
            draw_slot(workload);
        break;
    }
}

static void draw_fading(struct workload *workload, struct question *question)
{
    unsigned document = draw_document(workload);
    if (!workload->knows_fading) {
        question_add(question, OPERATION_create_collection, COLLECTION_FADING, 0);
        return;
    }
    bool updates = draw_percent(workload, 50);
    struct step *step = question_add(question, updates ? OPERATION_update : OPERATION_put,
                                     COLLECTION_FADING, document);
    step->upserts = updates;
    step->number = draw_number(workload);
}

static void draw_range(struct workload *workload, struct step *step)
{
    struct asked_find *find = &step->find;
    find->has_range = true;
    switch (step->collection) {
    case COLLECTION_COUNTERS:
        find->low = (int64_t)random_below(&workload->random, 20);
        find->high = find->low + 40;
        break;
    case COLLECTION_ACCOUNTS:
        find->low = (int64_t)random_below(&workload->random, ACCOUNT_BEGIN);
        find->high = find->low + ACCOUNT_BEGIN;
        break;
    case COLLECTION_SLOTS:
        find->low = draw_slot(workload);
        find->high = find->low + (int64_t)workload->options->keys;
        break;
    default: find->low = draw_number(workload); find->high = find->low + NUMBER_MAX;
    }
}

// What is counted or found: all, or a range of numbers.
static struct step *add_wide(struct workload *workload, struct question *question,
                             enum operation_kind kind)
{
    unsigned collection = (unsigned)random_below(&workload->random, COLLECTION_COUNT);
    struct step *step = question_add(question, kind, collection, 0);
    if (draw_percent(workload, 60)) {
        draw_range(workload, step);
    }
    return step;
}

static struct step *add_find(struct workload *workload, struct question *question)
{
    struct step *step = add_wide(workload, question, OPERATION_find);
    step->find.order = (enum find_order)random_below(&workload->random, 3);
    step->find.is_backwards = step->find.order != FIND_unordered && draw_percent(workload, 40);
    return step;
}

// Finds and counts between writes whose effects they have to see.
static void draw_wide(struct workload *workload, struct question *question)
{
    if (draw_percent(workload, 50)) {
        add_write(workload, question, OPERATION_put, draw_document(workload));
    }
    struct step *step = add_find(workload, question);
    if (step->find.order != FIND_unordered && draw_percent(workload, 30)) {
        step->find.limit = 1 + (uint32_t)random_below(&workload->random, PAGE_LIMIT_MAX);
    }
    if (draw_percent(workload, 30)) {
        add_write(workload, question, OPERATION_put, draw_document(workload));
    }
    add_wide(workload, question, OPERATION_count);
}

// What an interactive transaction sends in the end: all that it has read, and its writes.
static void draw_guarded(struct workload *workload, struct question *question)
{
    if (workload->known_find.is_find) {
        *question_add(question, OPERATION_unchanged, 0, 0) = workload->known_find;
    }
    add_unchanged(workload, question, COLLECTION_REGISTERS, draw_document(workload));
    add_write(workload, question, OPERATION_put, draw_document(workload));
}

// Indexes and collections come and go.
static void draw_schema(struct workload *workload, struct question *question)
{
    static const unsigned collections[] = {COLLECTION_REGISTERS, COLLECTION_COUNTERS,
                                           COLLECTION_ACCOUNTS, COLLECTION_SLOTS, COLLECTION_SLOTS};
    unsigned collection = collections[random_below(&workload->random, 5)];
    uint64_t drawn = random_below(&workload->random, 20);
    if (drawn == 0) {
        question_add(question, OPERATION_drop_collection, COLLECTION_SLOTS, 0);
    } else if (drawn < 8) {
        question_add(question, OPERATION_drop_index, collection, 0);
    } else {
        question_add(question, OPERATION_create_index, collection, 0)->is_unique = collection ==
                                                                                   COLLECTION_SLOTS;
    }
}

void draw_transaction(struct workload *workload, struct question *question)
{
    uint64_t drawn = random_below(&workload->random, 100);
    question->kind = QUESTION_TRANSACTION;
    if (workload->wants_service || drawn < 35) {
        draw_register(workload, question);
    } else if (drawn < 47) {
        draw_counter(workload, question);
    } else if (drawn < 62) {
        draw_transfer(workload, question);
    } else if (drawn < 66) {
        add_accounts(question);
    } else if (drawn < 76) {
        draw_slots(workload, question);
    } else if (drawn < 83) {
        draw_fading(workload, question);
    } else if (drawn < 90) {
        draw_wide(workload, question);
    } else if (drawn < 96) {
        draw_guarded(workload, question);
    } else {
        draw_schema(workload, question);
    }
}

static void draw_gets(struct workload *workload, struct question *question)
{
    unsigned count = 1 + (unsigned)random_below(&workload->random, READ_STEPS_MAX);
    for (unsigned i = 0; i < count; i++) {
        unsigned collection = (unsigned)random_below(&workload->random, COLLECTION_COUNT);
        unsigned document = draw_document(workload);
        bool is_few = collection == COLLECTION_COUNTERS || collection == COLLECTION_ACCOUNTS;
        question_add(question, OPERATION_get, collection,
                     is_few ? document % ACCOUNTS_COUNT : document);
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

// Bounds the lag of half of the reads that may lag: by time, by versions, or by both.
static void draw_lag(struct workload *workload, struct question *question)
{
    uint64_t drawn = random_below(&workload->random, 8);
    if (drawn == 0 || drawn == 1) {
        question->lag_ms_max = 1 + (uint32_t)random_wait(&workload->random, LAG_MS_MEAN);
    }
    if (drawn == 1 || drawn == 2) {
        question->lag_versions_max = 1 + random_below(&workload->random, LAG_VERSIONS_MAX);
    }
}

// Documents of the collection that keeps history, at a version that isn't marked or at a time.
static void draw_past(struct workload *workload, struct question *question)
{
    const struct ledger *ledger = workload->history->ledger;
    uint64_t back = random_below(&workload->random, 200);
    question->level = READ_snapshot;
    question->is_past = true;
    question->after_version = 0;
    question->lag_ms_max = 0;
    question->lag_versions_max = 0;
    question->at_version = 0;
    if (draw_percent(workload, 50) && workload->version > back) {
        question->at_version = workload->version - back;
    } else {
        uint64_t now_us = ledger_committed(ledger, ledger->committed_count)->time_us;
        question->at_time_us = now_us - random_below(&workload->random, PAST_US_MAX);
    }
    uint64_t count = 1 + random_below(&workload->random, 3);
    for (uint64_t i = 0; i < count; i++) {
        question_add(question, OPERATION_get, COLLECTION_FADING, draw_document(workload));
    }
}

// Begins to go through the pages of a find.
static void draw_paging(struct workload *workload, struct question *question)
{
    struct step *step = add_find(workload, question);
    step->find.limit = 1 + (uint32_t)random_below(&workload->random, PAGE_LIMIT_MAX);
    step->find.names_index = draw_percent(workload, 10);
    paging_init(&workload->paging, step);
    question->paging = &workload->paging;
}

void draw_read(struct workload *workload, struct question *question)
{
    bool may_page = !workload->wants_service && !workload_awaits_page(workload);
    bool goes_on = workload->paging.cursor_size > 0;
    question->kind = QUESTION_READ;
    question->level = draw_level(workload);
    question->after_version = question->level == READ_session ? workload->version : 0;
    question->at_version = question->level == READ_snapshot ? workload->marked : 0;
    if (question->level == READ_any) {
        draw_lag(workload, question);
    }
    uint64_t drawn = random_below(&workload->random, 100);
    if (may_page && goes_on && drawn < 50) {
        draw_page(workload, question);
    } else if (may_page && !goes_on && drawn < 15) {
        draw_paging(workload, question);
    } else if (drawn < 56) {
        draw_gets(workload, question);
    } else if (drawn < 62 && workload->knows_fading && !workload->wants_service) {
        draw_past(workload, question);
    } else if (drawn < 66) {
        question_add(question, OPERATION_history, COLLECTION_FADING, draw_document(workload));
    } else if (drawn < 75) {
        add_accounts(question);
    } else if (drawn < 92) {
        add_find(workload, question)->find.names_index = draw_percent(workload, 10);
    } else {
        add_wide(workload, question, OPERATION_count);
    }
}

void draw_page(struct workload *workload, struct question *question)
{
    struct paging *paging = &workload->paging;
    struct step *step = question_add(question, OPERATION_find, paging->step.collection, 0);
    *step = paging->step;
    step->find.cursor = bytes_of(paging->cursor, paging->cursor_size);
    question->kind = QUESTION_READ;
    question->paging = paging;
}
