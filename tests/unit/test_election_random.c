/*
 * Election machines against model voters, on a network that loses, repeats and reorders; elections
 * are restarted at any moment. The voters keep rules 2, 4, 5, 9, 11, 12 and 34 and nothing else.
 * Then:
 *
 *   no epoch has two primaries                                   rules 2, 3
 *   an appointee has the best log of a majority sealed for it    rule 4
 *   what a majority of an epoch has is in the log of every later primary
 *   no cluster is born twice                                     rule 31
 *
 * and when the network heals somebody leads.
 */
#include "cluster/election.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    VOTERS = 5,
    COORDINATORS = 3,
    LOG_MAX = 400,
    ATTEMPTS_MAX = 4096,
    BAG_MAX = 256,
    RUNS = 500,
    STEPS = 4000,
    MS = 1000,
};

struct model_log {
    size_t size;
    uint16_t epochs[LOG_MAX]; // of the entries
};

struct model_voter {
    uint64_t promised;
    uint64_t incarnation; // of the attempt sealed; 0 if promised to an append
    bool is_used;         // its appointment was taken
    size_t sealed_size;   // log when it sealed
    struct model_log log;
    uint64_t leads;              // epoch; 0 for none
    uint64_t heard_us;           // its primary, or as primary a follower; 0: sealed since
    struct buffer configuration; // owned; empty while it is blank
};

// What an attempt got: who sealed it with which log.
struct model_attempt {
    uint64_t epoch;
    uint64_t incarnation;
    bool has_sealed[VOTERS];
    struct model_log logs[VOTERS];
};

// A message under way: encoded, or the log that a primary sends.
struct model_letter {
    bool is_append;
    size_t from;
    size_t to; // a voter, or a coordinator for answers
    bool is_answer;
    struct buffer bytes;  // owned
    uint64_t epoch;       // append
    struct model_log log; // append
};

struct model {
    struct random random;
    uint64_t now_us;
    uint32_t loss_ppm;
    struct process processes[COORDINATORS];
    struct election elections[COORDINATORS];
    uint64_t due_us[COORDINATORS];
    struct model_voter voters[VOTERS];
    struct model_letter bag[BAG_MAX];
    size_t bag_count;
    struct model_attempt *attempts; // owned
    size_t attempt_count;
    uint64_t leader_of[ATTEMPTS_MAX]; // 1 + voter, by epoch
    size_t acknowledged[VOTERS];      // log size accepted in `acknowledged_epoch`
    uint64_t acknowledged_epoch[VOTERS];
    struct model_log committed;
    unsigned births;
    unsigned elected;
};

static struct bytes endpoints[COORDINATORS];
static char names[VOTERS][8];
static char voter_endpoints[VOTERS][32];
static struct voter_seed seeds[VOTERS];

static size_t majority(void)
{
    return VOTERS / 2 + 1;
}

// Whether log `a` ends after log `b`.
static bool log_is_above(const struct model_log *a, const struct model_log *b)
{
    uint16_t epoch_a = a->size == 0 ? 0 : a->epochs[a->size - 1];
    uint16_t epoch_b = b->size == 0 ? 0 : b->epochs[b->size - 1];
    return epoch_a != epoch_b ? epoch_a > epoch_b : a->size > b->size;
}

static struct model_letter *bag_add(struct model *model)
{
    size_t at = model->bag_count < BAG_MAX ? model->bag_count++
                                           : random_below(&model->random, BAG_MAX);
    buffer_release(&model->bag[at].bytes);
    model->bag[at] = (struct model_letter){0};
    return &model->bag[at];
}

static struct model_attempt *attempt_of(struct model *model, uint64_t epoch, uint64_t incarnation)
{
    for (size_t i = 0; i < model->attempt_count; i++) {
        struct model_attempt *attempt = &model->attempts[i];
        if (attempt->epoch == epoch && attempt->incarnation == incarnation) {
            return attempt;
        }
    }
    cr_assert_lt(model->attempt_count, ATTEMPTS_MAX);
    struct model_attempt *attempt = &model->attempts[model->attempt_count++];
    attempt->epoch = epoch;
    attempt->incarnation = incarnation;
    return attempt;
}

// --- the voters

static void answer(struct model *model, const struct model_letter *asked,
                   const struct message *message)
{
    size_t voter = asked->to;
    size_t coordinator = asked->from;
    struct model_letter *letter = bag_add(model);
    letter->is_answer = true;
    letter->from = voter;
    letter->to = coordinator;
    message_encode(message, &letter->bytes);
}

static void on_poll(struct model *model, const struct model_letter *asked,
                    const struct message_poll *poll)
{
    struct model_voter *voter = &model->voters[asked->to];
    bool hears = voter->heard_us != 0 && model->now_us - voter->heard_us < SUSPECT_AFTER_MS * MS;
    struct message_poll_reply reply = {
        .request = poll->request,
        .directory_id = 101 + asked->to,
        .hears_primary = hears,
        .would_accept = true,
        .promised = voter->promised,
        .last_epoch = voter->log.size == 0 ? 0 : voter->log.epochs[voter->log.size - 1],
        .last_position = voter->log.size,
        .configuration = buffer_bytes(&voter->configuration),
    };
    answer(model, asked, &(struct message){.kind = MESSAGE_poll_reply, .poll_reply = reply});
}

// Rules 2 and 9.
static void on_seal(struct model *model, const struct model_letter *asked,
                    const struct message_seal *seal)
{
    struct model_voter *voter = &model->voters[asked->to];
    bool is_repeated = seal->epoch == voter->promised && seal->incarnation == voter->incarnation;
    bool is_new = seal->epoch > voter->promised && seal->epoch - voter->promised <= UINT64_C(1)
                                                                                        << 32;
    if (is_new) {
        struct model_attempt *attempt = attempt_of(model, seal->epoch, seal->incarnation);
        attempt->has_sealed[asked->to] = true;
        attempt->logs[asked->to] = voter->log;
        voter->promised = seal->epoch;
        voter->incarnation = seal->incarnation;
        voter->is_used = false;
        voter->leads = 0;
        voter->heard_us = 0;
        voter->sealed_size = voter->log.size;
    }
    struct message_seal_reply reply = {
        .epoch = seal->epoch,
        .incarnation = seal->incarnation,
        .accepted = is_new || is_repeated,
        .promised = voter->promised,
        .directory_id = 101 + asked->to,
    };
    if (reply.accepted && voter->sealed_size > 0) {
        reply.last_epoch = voter->log.epochs[voter->sealed_size - 1];
        reply.last_position = voter->sealed_size;
        reply.configuration = buffer_bytes(&voter->configuration);
    }
    answer(model, asked, &(struct message){.kind = MESSAGE_seal_reply, .seal_reply = reply});
}

// A majority that holds an entry of the epoch under which it took it has committed the log to it.
static void acknowledge(struct model *model, size_t voter, uint64_t epoch, size_t size)
{
    struct model_voter *self = &model->voters[voter];
    model->acknowledged_epoch[voter] = epoch;
    model->acknowledged[voter] = size;
    size_t count = 0;
    for (size_t i = 0; i < VOTERS; i++) {
        count += model->acknowledged_epoch[i] == epoch && model->acknowledged[i] >= size;
    }
    bool is_of_epoch = size > 0 && self->log.epochs[size - 1] == epoch;
    if (count >= majority() && is_of_epoch && size > model->committed.size) {
        model->committed = self->log;
        model->committed.size = size;
    }
}

static void check_leader(struct model *model, size_t voter, uint64_t epoch, uint64_t incarnation)
{
    const struct model_log *log = &model->voters[voter].log;
    const struct model_attempt *attempt = attempt_of(model, epoch, incarnation);
    size_t below = 0;
    for (size_t i = 0; i < VOTERS; i++) {
        below += attempt->has_sealed[i] && !log_is_above(&attempt->logs[i], log);
    }
    cr_assert_geq(below, majority(), "the appointee of %lu lacks the best log",
                  (unsigned long)epoch);
    cr_assert_eq(model->leader_of[epoch], 0, "two primaries in epoch %lu", (unsigned long)epoch);
    model->leader_of[epoch] = 1 + voter;
    const struct model_log *committed = &model->committed;
    bool is_later = committed->size > 0 && committed->epochs[committed->size - 1] < epoch;
    if (is_later) {
        cr_assert_geq(log->size, committed->size);
        cr_assert_eq(
            memcmp(log->epochs, committed->epochs, committed->size * sizeof log->epochs[0]), 0);
    }
}

// A primary sends its log to a voter.
static void append(struct model *model, size_t number, size_t to)
{
    const struct model_voter *voter = &model->voters[number];
    struct model_letter *letter = bag_add(model);
    letter->is_append = true;
    letter->from = number;
    letter->to = to;
    letter->epoch = voter->leads;
    letter->log = voter->log;
    buffer_append(&letter->bytes, buffer_bytes(&voter->configuration));
}

// A primary writes an entry, perhaps, and sends its log to somebody.
static void lead(struct model *model, size_t number)
{
    struct model_voter *voter = &model->voters[number];
    if (random_chance(&model->random, 200000) && voter->log.size + 20 < LOG_MAX) {
        voter->log.epochs[voter->log.size++] = (uint16_t)voter->leads;
        acknowledge(model, number, voter->leads, voter->log.size);
    }
    append(model, number, random_below(&model->random, VOTERS));
}

// Rules 4 and 5.
static void on_appoint(struct model *model, const struct model_letter *asked,
                       const struct message_appoint *appoint)
{
    struct model_voter *voter = &model->voters[asked->to];
    bool accepted = appoint->appointee == 101 + asked->to && appoint->epoch == voter->promised &&
                    appoint->incarnation == voter->incarnation && !voter->is_used &&
                    appoint->last_position == voter->log.size && voter->log.size + 2 < LOG_MAX;
    if (accepted) {
        check_leader(model, asked->to, appoint->epoch, appoint->incarnation);
        if (appoint->birth_cluster_id != 0) {
            cr_assert_eq(voter->log.size, 0);
            cr_assert_eq(++model->births, 1, "a cluster was born twice");
            buffer_append(&voter->configuration, appoint->birth_configuration);
        }
        voter->is_used = true;
        voter->leads = appoint->epoch;
        voter->heard_us = model->now_us;
        voter->log.epochs[voter->log.size++] = (uint16_t)appoint->epoch;
        acknowledge(model, asked->to, appoint->epoch, voter->log.size);
        model->elected++;
        for (size_t i = 0; i < VOTERS; i++) {
            append(model, asked->to, i);
        }
    }
    struct message_appoint_reply reply = {.epoch = appoint->epoch,
                                          .incarnation = appoint->incarnation,
                                          .accepted = accepted,
                                          .promised = voter->promised};
    answer(model, asked, &(struct message){.kind = MESSAGE_appoint_reply, .appoint_reply = reply});
}

// Rules 11 and 12, with the whole log in every append.
static void on_append(struct model *model, const struct model_letter *letter)
{
    struct model_voter *voter = &model->voters[letter->to];
    if (letter->epoch < voter->promised) {
        return;
    }
    if (letter->epoch > voter->promised) {
        voter->promised = letter->epoch;
        voter->incarnation = 0;
        voter->leads = 0;
    }
    voter->heard_us = model->now_us;
    model->voters[letter->from].heard_us = model->now_us;
    size_t shared = letter->log.size < voter->log.size ? letter->log.size : voter->log.size;
    bool is_prefix = memcmp(letter->log.epochs, voter->log.epochs,
                            shared * sizeof voter->log.epochs[0]) == 0;
    if (!is_prefix || letter->log.size > voter->log.size) {
        voter->log = letter->log;
    }
    buffer_clear(&voter->configuration);
    buffer_append(&voter->configuration, buffer_bytes(&letter->bytes));
    acknowledge(model, letter->to, letter->epoch, letter->log.size);
}

// --- the coordinators

static void collect(struct model *model, size_t coordinator, struct outbox *out)
{
    for (size_t i = 0; i < out->count; i++) {
        const struct effect *effect = &out->effects[i];
        if (effect->kind == EFFECT_TIMER) {
            model->due_us[coordinator] = effect->at_us;
        }
        for (size_t v = 0; v < VOTERS && effect->kind == EFFECT_SEND; v++) {
            if (effect->to == address_of_endpoint(seeds[v].endpoint)) {
                struct model_letter *letter = bag_add(model);
                letter->from = coordinator;
                letter->to = v;
                buffer_append(&letter->bytes, outbox_effect_bytes(out, effect));
            }
        }
    }
    outbox_clear(out);
}

static void start(struct model *model, size_t coordinator, struct outbox *out)
{
    struct process *process = &model->processes[coordinator];
    *process = (struct process){.endpoint = endpoints[coordinator],
                                .cluster_name = bytes_from_text("flock"),
                                .incarnation = random_next(&model->random) | 1,
                                .seed = random_next(&model->random),
                                .coordinators = endpoints,
                                .coordinator_count = COORDINATORS,
                                .timings = timings_default()};
    election_init(&model->elections[coordinator], process);
    for (size_t i = 0; i < VOTERS; i++) {
        electorate_add_voter(&model->elections[coordinator].electorate, &seeds[i], out);
    }
    model->due_us[coordinator] = 0;
    collect(model, coordinator, out);
}

// A coordinator hears a primary that has committed an entry of its epoch.
static void hear(struct model *model, size_t coordinator, struct outbox *out)
{
    const struct model_log *committed = &model->committed;
    uint64_t epoch = committed->size == 0 ? 0 : committed->epochs[committed->size - 1];
    size_t leader = model->leader_of[epoch];
    if (leader != 0 && model->voters[leader - 1].leads == epoch) {
        election_hear_primary(&model->elections[coordinator], epoch, 100 + leader, out);
        collect(model, coordinator, out);
    }
}

// The next timer goes off; on a good network only after all that is under way has arrived.
static void wake(struct model *model, size_t coordinator, struct outbox *out)
{
    uint64_t due_us = model->due_us[coordinator];
    bool is_early = model->loss_ppm == 0 && model->bag_count > 0 && due_us > model->now_us;
    if (due_us != 0 && !is_early) {
        model->now_us = due_us > model->now_us ? due_us : model->now_us;
        model->due_us[coordinator] = 0;
        election_on_timer(&model->elections[coordinator], model->now_us, out);
        collect(model, coordinator, out);
    }
}

// --- the network

static void deliver_to_voter(struct model *model, const struct model_letter *letter)
{
    struct bytes rest = buffer_bytes(&letter->bytes);
    struct message message;
    cr_assert_eq(message_decode(&rest, &message), STATUS_ok);
    switch (message.kind) {
    case MESSAGE_poll: on_poll(model, letter, &message.poll); break;
    case MESSAGE_seal: on_seal(model, letter, &message.seal); break;
    case MESSAGE_appoint: on_appoint(model, letter, &message.appoint); break;
    default: cr_assert_fail("unexpected message");
    }
}

static void deliver_to_coordinator(struct model *model, const struct model_letter *letter,
                                   struct outbox *out)
{
    struct bytes rest = buffer_bytes(&letter->bytes);
    struct message message;
    cr_assert_eq(message_decode(&rest, &message), STATUS_ok);
    struct event event = {.kind = EVENT_MESSAGE,
                          .now_us = model->now_us,
                          .from = address_of_endpoint(seeds[letter->from].endpoint),
                          .from_name = seeds[letter->from].name,
                          .message = &message};
    election_on_message(&model->elections[letter->to], &event, out);
    collect(model, letter->to, out);
}

// Takes any letter out of the bag; it is lost, delivered, or delivered and kept.
static void deliver(struct model *model, struct outbox *out)
{
    if (model->bag_count == 0) {
        return;
    }
    size_t at = random_below(&model->random, model->bag_count);
    struct model_letter letter = model->bag[at];
    bool is_lost = random_chance(&model->random, model->loss_ppm);
    bool is_repeated = random_chance(&model->random, model->loss_ppm);
    model->bag[at] = model->bag[--model->bag_count];
    model->bag[model->bag_count].bytes = (struct buffer){0};
    if (is_repeated) {
        struct model_letter *again = bag_add(model);
        *again = letter;
        again->bytes = (struct buffer){0};
        buffer_append(&again->bytes, buffer_bytes(&letter.bytes));
    }
    model->now_us += random_below(&model->random, 200);
    if (!is_lost && letter.is_append) {
        on_append(model, &letter);
    } else if (!is_lost && letter.is_answer) {
        deliver_to_coordinator(model, &letter, out);
    } else if (!is_lost) {
        deliver_to_voter(model, &letter);
    }
    buffer_release(&letter.bytes);
}

// --- a run

static void step(struct model *model, struct outbox *out)
{
    size_t coordinator = random_below(&model->random, COORDINATORS);
    size_t voter = random_below(&model->random, VOTERS);
    uint64_t dice = random_below(&model->random, 1000);
    if (dice < 700) {
        deliver(model, out);
    } else if (dice < 780) {
        wake(model, coordinator, out);
    } else if (dice < 880 && model->voters[voter].leads != 0) {
        lead(model, voter);
    } else if (dice < 920) {
        hear(model, coordinator, out);
    } else if (dice < 940) {
        election_suspect(&model->elections[coordinator], model->elections[coordinator].epoch,
                         model->now_us, out);
        collect(model, coordinator, out);
    } else if (dice < 942 && model->loss_ppm > 0) {
        start(model, coordinator, out);
    } else if (model->loss_ppm > 0) {
        model->voters[voter].heard_us = 0;
    }
}

static void prepare(struct model *model, uint64_t seed, struct outbox *out)
{
    static const char *const coordinator_endpoints[] = {"tcp://c1:1", "tcp://c2:1", "tcp://c3:1"};
    *model = (struct model){.now_us = 1000000, .attempts = model->attempts};
    memset(model->attempts, 0, ATTEMPTS_MAX * sizeof *model->attempts);
    random_init(&model->random, seed);
    for (size_t i = 0; i < VOTERS; i++) {
        snprintf(names[i], sizeof names[i], "s%zu", i + 1);
        snprintf(voter_endpoints[i], sizeof voter_endpoints[i], "tcp://s%zu:1", i + 1);
        seeds[i] = (struct voter_seed){.name = bytes_from_text(names[i]),
                                       .endpoint = bytes_from_text(voter_endpoints[i])};
    }
    for (size_t i = 0; i < COORDINATORS; i++) {
        endpoints[i] = bytes_from_text(coordinator_endpoints[i]);
    }
    for (size_t i = 0; i < COORDINATORS; i++) {
        start(model, i, out);
    }
}

static void tidy_up(struct model *model)
{
    for (size_t i = 0; i < BAG_MAX; i++) {
        buffer_release(&model->bag[i].bytes);
    }
    for (size_t i = 0; i < VOTERS; i++) {
        buffer_release(&model->voters[i].configuration);
    }
}

Test(election_random, keeps_the_rules_on_a_bad_network_and_elects_on_a_good_one)
{
    struct model *model = calloc(1, sizeof *model);
    model->attempts = calloc(ATTEMPTS_MAX, sizeof *model->attempts);
    AUTO(outbox_release) struct outbox out;
    outbox_init(&out);
    unsigned elected = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        prepare(model, seed, &out);
        model->loss_ppm = (uint32_t)random_between(&model->random, 10000, 300000);
        for (unsigned i = 0; i < STEPS; i++) {
            step(model, &out);
        }
        elected += model->elected;
        model->loss_ppm = 0;
        size_t committed = model->committed.size;
        for (unsigned i = 0; i < STEPS && model->committed.size == committed; i++) {
            step(model, &out);
        }
        cr_assert_gt(model->committed.size, committed, "seed %lu: nobody leads",
                     (unsigned long)seed);
        tidy_up(model);
    }
    cr_assert_gt(elected, RUNS * 3, "only %u elections: the test tests nothing", elected);
    free(model->attempts);
    free(model);
}
