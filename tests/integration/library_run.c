/*
 * skein_run() through libskein: transactions that meet are run anew until each has worked out.
 */
#include "tests/integration/library_claims.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS = 4, RUNS = 40, ACCOUNTS = 5, BEGIN = 20, HURRIED_MS = 600 };

// One thread's work.
struct worker {
    const struct stage *stage;
    pthread_t thread;
    unsigned number;  // of the worker
    unsigned run;     // number of the run at hand
    unsigned calls;   // of the body
    uint32_t unknown; // runs whose outcome is not known
    uint32_t done;
};

static const char *account(char text[16], unsigned number)
{
    snprintf(text, 16, "a%u", number % ACCOUNTS);
    return text;
}

// Adds one to the counter, by a get and a put.
static enum skein_status increment(void *context, struct skein_interactive *interactive)
{
    struct worker *worker = context;
    char fields[64];
    worker->calls++;
    int64_t number = interactive_number(worker->stage, interactive, "x", SKEIN_ok);
    snprintf(fields, sizeof fields, "\"document\": {\"n\": %d}", (int)number + 1);
    interactive_write(worker->stage, interactive, "put", "x", fields);
    return SKEIN_ok;
}

static void *run_increments(void *context)
{
    struct worker *worker = context;
    for (unsigned i = 0; i < RUNS; i++) {
        struct skein_call call = stage_call(worker->stage);
        enum skein_status status = skein_run(worker->stage->skein, &call, increment, worker);
        if (status == SKEIN_unknown_outcome) {
            worker->unknown++;
        } else {
            expect_status(status, SKEIN_ok, &call.error, "a run");
            worker->done++;
        }
    }
    return NULL;
}

// Starts the workers and waits for them; gives back how many runs were done, and how many perhaps.
static void run_workers(struct stage *stage, void *(*run)(void *), struct worker *ret_total)
{
    struct worker workers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.stage = stage, .number = i};
        EXPECT(pthread_create(&workers[i].thread, NULL, run, &workers[i]) == 0);
    }
    *ret_total = (struct worker){0};
    for (unsigned i = 0; i < THREADS; i++) {
        EXPECT(pthread_join(workers[i].thread, NULL) == 0);
        ret_total->done += workers[i].done;
        ret_total->unknown += workers[i].unknown;
        ret_total->calls += workers[i].calls;
    }
}

static void no_increment_is_lost(struct stage *stage)
{
    struct worker total;
    stage_put(stage, stage->skein, "x", "{\"n\": 0}");
    run_workers(stage, run_increments, &total);
    int64_t number = stage_number(stage, stage->other, "x");
    EXPECT(number >= total.done && number <= total.done + total.unknown);
    EXPECT(total.calls >= THREADS * RUNS);
    printf("%d increments by %u attempts\n", (int)number, total.calls);
}

// Moves money if both accounts together stay above zero: each run reads all accounts with a find.
static enum skein_status transfer(void *context, struct skein_interactive *interactive)
{
    struct worker *worker = context;
    struct skein_find find = {.collection = worker->stage->collection, .order = "$id"};
    struct skein_page page;
    char from[16];
    char to[16];
    enum skein_status status = skein_interactive_find(interactive, &find, &page);
    if (status != SKEIN_ok) {
        return status;
    }
    EXPECT(page.count == ACCOUNTS);
    skein_page_release(&page);
    account(from, worker->run);
    account(to, worker->run + 1 + worker->number);
    interactive_write(worker->stage, interactive, "update", from,
                      "\"patch\": {\"n\": {\"$inc\": -1}}");
    interactive_write(worker->stage, interactive, "update", to,
                      "\"patch\": {\"n\": {\"$inc\": 1}}");
    return SKEIN_ok;
}

static void *run_transfers(void *context)
{
    struct worker *worker = context;
    for (worker->run = 0; worker->run < RUNS; worker->run++) {
        struct skein_call call = stage_call(worker->stage);
        enum skein_status status = skein_run(worker->stage->skein, &call, transfer, worker);
        if (status != SKEIN_unknown_outcome) {
            expect_status(status, SKEIN_ok, &call.error, "a transfer");
        }
    }
    return NULL;
}

static void transfers_keep_the_sum(struct stage *stage)
{
    struct worker total;
    int64_t sum = 0;
    char text[16];
    char json[32];
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        snprintf(json, sizeof json, "{\"n\": %d}", BEGIN);
        stage_put(stage, stage->skein, account(text, i), json);
    }
    run_workers(stage, run_transfers, &total);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        sum += stage_number(stage, stage->other, account(text, i));
    }
    EXPECT(sum == ACCOUNTS * BEGIN);
}

// Reads what somebody else writes at once: it can't work out. A read fails when the time is over.
static enum skein_status lose(void *context, struct skein_interactive *interactive)
{
    struct worker *worker = context;
    worker->calls++;
    struct skein_key key = stage_key(worker->stage, "x");
    struct skein_document document;
    enum skein_status status = skein_interactive_get(interactive, &key, &document);
    skein_document_release(&document);
    if (status != SKEIN_ok) {
        return status;
    }
    stage_put(worker->stage, worker->stage->other, "x", "{\"n\": 1}");
    interactive_write(worker->stage, interactive, "put", "y", "\"document\": {\"n\": 1}");
    return SKEIN_ok;
}

static void gives_up_at_the_deadline(struct stage *stage)
{
    struct skein_call call = {.timeout_ms = HURRIED_MS};
    struct worker worker = {.stage = stage};
    stage_put(stage, stage->skein, "x", "{\"n\": 0}");
    enum skein_status status = skein_run(stage->skein, &call, lose, &worker);
    expect_status(status, SKEIN_conflict, &call.error, "a run that can't work out");
    EXPECT(strstr(call.error.message, "\"x\"") != NULL);
    EXPECT(worker.calls > 1);
    EXPECT(stage_number(stage, stage->other, "y") == -1);
}

static enum skein_status refuse(void *context, struct skein_interactive *interactive)
{
    struct worker *worker = context;
    worker->calls++;
    interactive_write(worker->stage, interactive, "put", "y", "\"document\": {\"n\": 1}");
    return SKEIN_refused;
}

static enum skein_status miss(void *context, struct skein_interactive *interactive)
{
    struct worker *worker = context;
    worker->calls++;
    interactive_number(worker->stage, interactive, "nobody", SKEIN_absent);
    return SKEIN_absent;
}

static void hands_on_what_the_body_gives_up_with(struct stage *stage)
{
    struct skein_call call = stage_call(stage);
    struct worker worker = {.stage = stage};
    EXPECT(skein_run(stage->skein, &call, refuse, &worker) == SKEIN_refused);
    EXPECT(call.error.status == SKEIN_refused);
    EXPECT(skein_run(stage->skein, &call, miss, &worker) == SKEIN_absent);
    EXPECT(strstr(call.error.message, "no such document") != NULL);
    EXPECT(worker.calls == 2);
    EXPECT(stage_number(stage, stage->other, "y") == -1);
    call.session = "mine";
    EXPECT(skein_run(stage->skein, &call, refuse, &worker) == SKEIN_bad_request);
}

const struct claim RUN_CLAIMS[] = {
    {"no_increment_is_lost", no_increment_is_lost},
    {"transfers_keep_the_sum", transfers_keep_the_sum},
    {"gives_up_at_the_deadline", gives_up_at_the_deadline},
    {"hands_on_what_the_body_gives_up_with", hands_on_what_the_body_gives_up_with},
    {0},
};
