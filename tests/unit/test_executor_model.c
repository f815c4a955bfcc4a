/*
 * Random transactions against a plain model: arrays that are copied before every transaction and
 * after every entry. Replays, failures, claims, moves of done_below, entries that close and are
 * applied late, and primaries that are deposed in the middle all come in any order; every outcome,
 * and in the end the state, must be the model's.
 */
#include "base/random.h"
#include "storage/state_memory.h"
#include "tests/unit/fixture_engine.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { COLLECTIONS = 2, IDS = 6, SESSIONS = 3, OPERATIONS_MAX = 6, OUTCOMES_MAX = 400 };

static const char *const COLLECTION_NAMES[COLLECTIONS] = {"first", "second"};
static const char *const IDS_TEXT[IDS] = {"a", "b", "c", "d", "e", "f"};
static const char *const SESSION_NAMES[SESSIONS] = {"s", "t", "u"};

struct model_document {
    uint64_t n; // 0: absent
    uint64_t version;
};

struct model_outcome {
    uint64_t sequence;
    uint64_t version;
    bool claimed;
};

struct model_session {
    bool known;
    uint64_t done_below;
    uint32_t count;
    struct model_outcome outcomes[OUTCOMES_MAX];
};

struct model {
    uint64_t version;
    struct model_document documents[COLLECTIONS][IDS];
    struct model_session sessions[SESSIONS];
};

// What one operation does, for both sides.
struct model_operation {
    enum operation_kind kind;
    unsigned collection;
    unsigned id;
    uint64_t n;
    uint64_t wanted_version; // check
};

struct transaction_case {
    unsigned session;
    uint64_t sequence;
    uint64_t done_below;
    uint32_t count;
    struct model_operation operations[OPERATIONS_MAX];
    uint64_t results[OPERATIONS_MAX]; // wanted: n of gets, 0 for others
    enum status status;               // wanted
    uint32_t failed;                  // wanted: 1 + number of the operation that fails
    bool replayed;                    // wanted
    uint64_t version;                 // wanted when ok
};

struct world {
    struct random random;
    struct engine engine;
    struct model now;                            // with the open entry
    struct model closed[ENGINE_ENTRIES_MAX + 1]; // [0]: applied; [i]: after closed entry i
    uint64_t next_n;
    uint64_t next_sequence[SESSIONS];
};

static struct model_outcome *find_outcome(struct model_session *session, uint64_t sequence)
{
    for (uint32_t i = 0; i < session->count; i++) {
        if (session->outcomes[i].sequence == sequence) {
            return &session->outcomes[i];
        }
    }
    return NULL;
}

static void forget_below(struct model_session *session, uint64_t done_below)
{
    if (done_below > session->done_below) {
        session->done_below = done_below;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < session->count; i++) {
        if (session->outcomes[i].sequence >= session->done_below) {
            session->outcomes[kept++] = session->outcomes[i];
        }
    }
    session->count = kept;
}

static uint32_t count_from(const struct model_session *session, uint64_t done_below)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < session->count; i++) {
        count += session->outcomes[i].sequence >= done_below;
    }
    return count;
}

static void remember(struct model_session *session, uint64_t done_below, uint64_t sequence,
                     uint64_t version, bool claimed)
{
    session->known = true;
    forget_below(session, done_below);
    cr_assert_lt(session->count, OUTCOMES_MAX);
    session->outcomes[session->count++] = (struct model_outcome){sequence, version, claimed};
}

// Runs one operation on the model; false if it fails.
static bool model_operation_run(struct model *model, struct transaction_case *test, uint32_t i,
                                bool *ret_changed)
{
    const struct model_operation *operation = &test->operations[i];
    struct model_document *document = &model->documents[operation->collection][operation->id];
    uint64_t version = model->version + 1;
    switch (operation->kind) {
    case OPERATION_get: test->results[i] = document->n; return true;
    case OPERATION_check:
        test->status = STATUS_refused;
        return document->version == operation->wanted_version;
    case OPERATION_insert:
        test->status = STATUS_exists;
        if (document->n != 0) {
            return false;
        }
        break;
    case OPERATION_delete:
        test->status = STATUS_absent;
        if (document->n == 0) {
            return false;
        }
        *document = (struct model_document){0};
        *ret_changed = true;
        return true;
    default: break;
    }
    *document = (struct model_document){operation->n, version};
    *ret_changed = true;
    return true;
}

static void model_execute(struct model *model, struct transaction_case *test)
{
    static struct model before;
    before = *model;
    bool changed = false;
    for (uint32_t i = 0; i < test->count; i++) {
        if (!model_operation_run(model, test, i, &changed)) {
            test->failed = i + 1;
            *model = before;
            return;
        }
    }
    struct model_session *session = &model->sessions[test->session];
    test->status = STATUS_ok;
    if (changed && count_from(session, test->done_below) >= SESSION_OUTCOMES_MAX) {
        test->status = STATUS_busy;
        *model = before;
        return;
    }
    if (changed) {
        model->version++;
        remember(session, test->done_below, test->sequence, model->version, false);
    }
    test->version = model->version;
}

// Fills in what is wanted of the transaction, and makes the model follow.
static void model_run(struct model *model, struct transaction_case *test)
{
    struct model_session *session = &model->sessions[test->session];
    struct model_outcome *known = find_outcome(session, test->sequence);
    bool is_late = test->sequence < session->done_below || test->sequence < test->done_below ||
                   (!session->known && test->sequence > SESSION_OUTCOMES_MAX);
    if (is_late || (known != NULL && known->claimed)) {
        test->status = STATUS_expired;
    } else if (known != NULL) {
        test->status = STATUS_ok;
        test->replayed = true;
        test->version = known->version;
    } else {
        model_execute(model, test);
    }
}

static void add_operation(struct world *world, struct transaction_case *test)
{
    static const enum operation_kind KINDS[] = {
        OPERATION_get, OPERATION_get,    OPERATION_put,    OPERATION_put,
        OPERATION_put, OPERATION_insert, OPERATION_delete, OPERATION_check,
    };
    struct random *random = &world->random;
    struct model_operation *operation = &test->operations[test->count++];
    operation->kind = KINDS[random_below(random, 8)];
    operation->collection = (unsigned)random_below(random, COLLECTIONS);
    operation->id = (unsigned)random_below(random, IDS);
    operation->n = ++world->next_n;
    // Right more often than not, unless an earlier operation changes the document.
    uint64_t version = world->now.documents[operation->collection][operation->id].version;
    operation->wanted_version = random_chance(random, 800000) ? version : version + 1;
}

static void choose_sequence(struct world *world, struct transaction_case *test)
{
    struct random *random = &world->random;
    uint64_t *next = &world->next_sequence[test->session];
    uint64_t back = random_chance(random, 700000) ? 0 : random_below(random, 12);
    test->sequence = *next > back ? *next - back : 1;
    if (back == 0) {
        *next += random_between(random, 1, 2);
    }
    uint64_t kept = random_below(random, random_chance(random, 950000) ? 10 : 300);
    test->done_below = *next > kept ? *next - kept : 0;
    if (random_chance(random, 600000)) {
        test->done_below = 0;
    }
}

static void send(struct world *world, const struct transaction_case *test)
{
    for (uint32_t i = 0; i < test->count; i++) {
        const struct model_operation *operation = &test->operations[i];
        const char *collection = COLLECTION_NAMES[operation->collection];
        const char *id = IDS_TEXT[operation->id];
        switch (operation->kind) {
        case OPERATION_get: engine_get(&world->engine, collection, id); break;
        case OPERATION_put: engine_put(&world->engine, collection, id, operation->n); break;
        case OPERATION_insert: engine_insert(&world->engine, collection, id, operation->n); break;
        case OPERATION_delete: engine_delete(&world->engine, collection, id); break;
        default: engine_check(&world->engine, collection, id, operation->wanted_version); break;
        }
    }
    engine_run(&world->engine, SESSION_NAMES[test->session], test->sequence, test->done_below);
}

static void compare(const struct world *world, const struct transaction_case *test)
{
    const struct executor_outcome *outcome = &world->engine.outcome;
    cr_assert_eq(outcome->status, test->status, "sequence %llu: %s, not %s: %.*s",
                 (unsigned long long)test->sequence, status_name(outcome->status),
                 status_name(test->status), (int)outcome->message.size,
                 (const char *)outcome->message.data);
    if (test->status != STATUS_ok) {
        cr_assert_eq(outcome->operation, test->failed);
        cr_assert_gt(outcome->message.size, 0);
        return;
    }
    cr_assert_eq(outcome->version, test->version);
    cr_assert_eq(outcome->replayed, test->replayed);
    for (uint32_t i = 0; i < test->count; i++) {
        if (test->operations[i].kind == OPERATION_get) {
            uint64_t wanted = test->replayed ? 0 : test->results[i];
            cr_assert_eq(engine_result_n(&world->engine, i), wanted);
        }
    }
}

static void step_transaction(struct world *world)
{
    struct transaction_case test = {.session = (unsigned)random_below(&world->random, SESSIONS)};
    uint64_t count = random_between(&world->random, 1, OPERATIONS_MAX);
    while (test.count < count) {
        add_operation(world, &test);
    }
    choose_sequence(world, &test);
    model_run(&world->now, &test);
    send(world, &test);
    compare(world, &test);
}

static void step_claim(struct world *world)
{
    unsigned number = (unsigned)random_below(&world->random, SESSIONS);
    uint64_t next = world->next_sequence[number];
    uint64_t back = random_below(&world->random, 12);
    uint64_t sequence = next + 2 > back ? next + 2 - back : 1;
    struct model_session *session = &world->now.sessions[number];
    const struct model_outcome *known = find_outcome(session, sequence);
    enum status wanted = STATUS_absent;
    if (sequence < session->done_below || (!session->known && sequence > SESSION_OUTCOMES_MAX)) {
        wanted = STATUS_expired;
    } else if (known != NULL && !known->claimed) {
        wanted = STATUS_ok;
    } else if (known == NULL && session->count >= SESSION_OUTCOMES_MAX) {
        wanted = STATUS_busy;
    } else if (known == NULL) {
        remember(session, 0, sequence, world->now.version, true);
    }
    struct executor_outcome outcome;
    executor_claim(world->engine.executor, bytes_from_text(SESSION_NAMES[number]), sequence,
                   &outcome);
    cr_assert_eq(outcome.status, wanted, "%s, not %s", status_name(outcome.status),
                 status_name(wanted));
    cr_assert(wanted != STATUS_ok || outcome.version == known->version);
}

static void step_close(struct world *world)
{
    if (world->engine.entry_count == PIPELINE_ENTRIES_MAX) {
        return;
    }
    engine_close(&world->engine);
    world->engine.time_us += 1000;
    world->closed[world->engine.entry_count] = world->now;
    engine_open(&world->engine);
}

static void step_apply(struct world *world)
{
    if (world->engine.entry_count == 0) {
        return;
    }
    engine_apply(&world->engine);
    memmove(&world->closed[0], &world->closed[1],
            (world->engine.entry_count + 1) * sizeof world->closed[0]);
}

static void step_depose(struct world *world)
{
    engine_depose(&world->engine);
    world->now = world->closed[0];
}

static void step(struct world *world)
{
    uint64_t dice = random_below(&world->random, 1000);
    if (dice < 820) {
        step_transaction(world);
    } else if (dice < 840) {
        step_claim(world);
    } else if (dice < 920) {
        step_close(world);
    } else if (dice < 997) {
        step_apply(world);
    } else {
        step_depose(world);
    }
}

static void compare_state(struct world *world)
{
    while (world->engine.entry_count > 0) {
        step_apply(world);
    }
    step_close(world);
    step_apply(world);
    executor_destroy(&world->engine.executor);
    world->engine.executor = executor_new(world->engine.state);
    engine_open(&world->engine);
    for (unsigned collection = 0; collection < COLLECTIONS; collection++) {
        for (unsigned id = 0; id < IDS; id++) {
            engine_get(&world->engine, COLLECTION_NAMES[collection], IDS_TEXT[id]);
            cr_assert_eq(engine_run(&world->engine, "reader", 1, 0), STATUS_ok);
            cr_assert_eq(engine_result_n(&world->engine, 0),
                         world->now.documents[collection][id].n);
        }
    }
    cr_assert_eq(world->engine.version, world->now.version);
    cr_assert_eq(world->engine.applied.place.version, world->now.version);
}

static void run_world(uint64_t seed, unsigned steps)
{
    struct world *world = calloc(1, sizeof *world);
    random_init(&world->random, seed);
    engine_init(&world->engine);
    for (unsigned session = 0; session < SESSIONS; session++) {
        world->next_sequence[session] = 1;
    }
    for (unsigned i = 0; i < steps; i++) {
        step(world);
    }
    compare_state(world);
    engine_release(&world->engine);
    free(world);
}

Test(executor_model, follows_a_plain_model, .timeout = 120)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        run_world(seed, 5000);
    }
}
