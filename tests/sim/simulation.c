/*
 * One run.
 *
 *   safety    faults begin and end, clients work; every step is checked. It lasts longer where so
 *             little gets through that a run would show nothing
 *   healing   faults stop. A majority of the voters, a coordinator, a writer, a reader and all
 *             clients are healed; every other process is, too, or is frozen: dead, paused, cut off,
 *             far away, without a disk for ever. Within 10 times suspect_after there is a primary
 *             and every client has had a write and a linearizable read answered that it asked for
 *             afterwards.
 *   quiet     clients stop. Within the same time all healed storage nodes end at the same position
 *             with equal digests, nothing that was committed is missing, nothing is left to be
 *             built or cleared, and what is derived from documents fits them.
 */
#include "tests/sim/simulation.h"

#include "base/assert.h"
#include "tests/sim/cells_check.h"

#include <stdio.h>

enum {
    STEP_US = 100000,
    SAFETY_TIMES_MAX = 10, // times the length of the first phase, to have commits enough
    HEALING_US_MAX = 10 * SUSPECT_AFTER_MS * 1000,
    FROZEN_SLOWNESS = 20,
    HAPPENED_MAX = 20000000, // a hundred times what an average run needs
    CLOCK_BEGIN_US_MAX = 1000000000,
};

// Every storage node's disk requests and standing are checked, step by step.
static void watch_storage(struct simulation *simulation, struct storage_shell *storage)
{
    const struct outbox *outbox = &storage->shell.outbox;
    node_inspect(storage->shell.machine.self, &storage->view);
    checks_set_cluster(&simulation->checks, storage->node, storage->view.cluster_id);
    for (size_t i = 0; i < outbox->count; i++) {
        const struct effect *effect = &outbox->effects[i];
        if (effect->kind == EFFECT_DISK) {
            struct disk_request request = effect->disk;
            request.bytes = outbox_effect_bytes(outbox, effect);
            checks_queued(&simulation->checks, storage->node, &request);
        }
    }
    checks_step(&simulation->checks, storage->node, &storage->view);
    bool is_unsound = storage->view.loading || storage->view.damaged || storage->is_marked_damaged;
    storage->is_damaged = storage->is_damaged && is_unsound;
    model_update(&simulation->model);
}

static void on_step(void *context, struct shell *shell, const struct event *event)
{
    (void)event;
    struct simulation *simulation = context;
    if (role_is_storage(shell->process.role)) {
        watch_storage(simulation, storage_of(shell));
    }
}

// A process may end by itself when it was asked to, to reboot, or because its disk failed. One that
// can't use its damaged disk any more gets an empty one, as an operator would give it.
static void check_end(struct simulation *simulation, struct shell *shell, uint32_t exit_code)
{
    bool is_storage = role_is_storage(shell->process.role);
    struct storage_shell *storage = is_storage ? storage_of(shell) : NULL;
    if (exit_code == EXIT_CLEAN || (is_storage && exit_code == EXIT_REBOOT) ||
        (is_storage && storage->has_disk_failed)) {
        return;
    }
    if (is_storage && exit_code == EXIT_DAMAGED && storage->is_damaged) {
        coverage_take(&simulation->world.coverage, BRANCH_lost_vote_file);
        storage->is_wiped = storage->node < simulation->options.voters;
        storage_shell_format(storage);
        return;
    }
    world_violate(&simulation->world, "%s ended by itself with exit code %u", shell->name,
                  exit_code);
}

static void on_end(void *context, struct shell *shell, uint32_t exit_code)
{
    struct simulation *simulation = context;
    check_end(simulation, shell, exit_code);
    if (simulation->restarts || exit_code == EXIT_REBOOT) {
        faults_on_end(&simulation->faults, shell, exit_code);
    }
}

static void init_shell(struct simulation *simulation, struct shell *shell)
{
    struct random random;
    random_init(&random, simulation->options.seed << 8 | shell->number);
    shell->random = random;
    shell->watch = &simulation->watch;
    shell->turn_delay_us = simulation->options.turn_delay_us;
    shell->process.cluster_name = bytes_from_text("sim");
    shell->process.coordinators = simulation->coordinator_endpoints;
    shell->process.coordinator_count = simulation->options.coordinators;
    clock_init(&shell->clock, 0, random_between(&random, 1000000, CLOCK_BEGIN_US_MAX));
}

static void init_servers(struct simulation *simulation)
{
    const struct options *options = &simulation->options;
    struct network *network = &simulation->network;
    char name[SHELL_NAME_MAX];
    for (unsigned i = 0; i < options->coordinators; i++) {
        snprintf(name, sizeof name, "c%u", i + 1);
        struct shell *shell = &simulation->coordinators[i];
        shell_init(shell, network, name, ROLE_coordinator);
        shell->role = role_coordinator();
        shell->owner = &simulation->voters;
        simulation->coordinator_endpoints[i] = shell->process.endpoint;
        init_shell(simulation, shell);
    }
    for (unsigned i = 0; i < options->writers; i++) {
        snprintf(name, sizeof name, "w%u", i + 1);
        shell_init(&simulation->writers[i], network, name, ROLE_writer);
        simulation->writers[i].role = role_writer();
        init_shell(simulation, &simulation->writers[i]);
    }
    for (unsigned i = 0; i < options->readers; i++) {
        snprintf(name, sizeof name, "r%u", i + 1);
        shell_init(&simulation->readers[i], network, name, ROLE_reader);
        simulation->readers[i].role = role_reader();
        init_shell(simulation, &simulation->readers[i]);
    }
}

static void init_storages(struct simulation *simulation)
{
    const struct options *options = &simulation->options;
    char name[SHELL_NAME_MAX];
    simulation->storage_count = options->voters + options->replicas;
    for (unsigned i = 0; i < simulation->storage_count; i++) {
        struct storage_shell *storage = &simulation->storages[i];
        snprintf(name, sizeof name, "s%u", i + 1);
        storage_shell_init(storage, &simulation->network, name,
                           i == 0 ? ROLE_primary : ROLE_replica);
        init_shell(simulation, &storage->shell);
        storage->random = storage->shell.random;
        storage->options = options;
        storage->shell.process.sizes = options->sizes;
        storage->checks = &simulation->checks;
        storage->node = checks_add(&simulation->checks, storage->shell.name, storage->shell.number);
        storage_shell_format(storage);
        if (i < options->voters) {
            simulation->voters.voters[simulation->voters.count++] = (struct voter_seed){
                .name = storage->shell.process.name,
                .endpoint = storage->shell.process.endpoint,
                .preferred = i == 0};
        }
    }
}

static void init_clients(struct simulation *simulation)
{
    char name[SHELL_NAME_MAX];
    for (unsigned i = 0; i < simulation->options.clients; i++) {
        snprintf(name, sizeof name, "k%u", i + 1);
        struct client_shell *client = &simulation->clients[i];
        client_shell_init(client, &simulation->network, name);
        init_shell(simulation, &client->shell);
        client->workload.options = &simulation->options;
        client->workload.history = &simulation->history;
        client->workload.model = &simulation->model;
        random_init(&client->workload.random, simulation->options.seed << 8 | 0x80 | i);
    }
}

void simulation_init(struct simulation *simulation, const struct options *options, bool is_tracing)
{
    *simulation = (struct simulation){.options = *options, .restarts = true};
    world_init(&simulation->world, is_tracing);
    network_init(&simulation->network, &simulation->world, options->seed ^ 0x6e6574);
    simulation->network.manner = options->network;
    ledger_init(&simulation->ledger, &simulation->world);
    model_init(&simulation->model, &simulation->world, &simulation->ledger);
    history_init(&simulation->history, &simulation->model);
    checks_init(&simulation->checks, &simulation->world, &simulation->ledger);
    faults_init(&simulation->faults, simulation);
    simulation->watch = (struct shell_watch){
        .context = simulation, .stepped = on_step, .ended = on_end};
    init_servers(simulation);
    init_storages(simulation);
    init_clients(simulation);
}

void simulation_release(struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->options.clients; i++) {
        client_shell_release(&simulation->clients[i]);
    }
    for (unsigned i = 0; i < simulation->storage_count; i++) {
        storage_shell_release(&simulation->storages[i]);
    }
    for (unsigned i = 0; i < SERVERS_MAX; i++) {
        shell_release(&simulation->coordinators[i]);
        shell_release(&simulation->writers[i]);
        shell_release(&simulation->readers[i]);
    }
    checks_release(&simulation->checks);
    history_release(&simulation->history);
    model_release(&simulation->model);
    ledger_release(&simulation->ledger);
    network_release(&simulation->network);
    world_release(&simulation->world);
}

void simulation_start(struct simulation *simulation)
{
    struct network *network = &simulation->network;
    for (unsigned i = 0; i < network->shell_count; i++) {
        shell_start(network->shells[i]);
    }
}

void simulation_run(struct simulation *simulation, uint64_t until_us)
{
    struct world *world = &simulation->world;
    while (!world->is_violated && world_step(world, until_us)) {
        if (world->happened > HAPPENED_MAX) {
            world_violate(world, "time doesn't pass: more than %d things happened", HAPPENED_MAX);
        }
    }
}

struct storage_shell *simulation_primary(struct simulation *simulation)
{
    struct storage_shell *primary = NULL;
    for (unsigned i = 0; i < simulation->storage_count; i++) {
        struct storage_shell *storage = &simulation->storages[i];
        bool leads = storage->shell.is_up && storage->view.leads;
        if (leads && (primary == NULL || primary->view.epoch < storage->view.epoch)) {
            primary = storage;
        }
    }
    return primary;
}

// How many sound voters the cluster can do without.
static unsigned count_spare(const struct simulation *simulation)
{
    unsigned voters = simulation->options.voters;
    if (simulation->ledger.committed_count == 0) {
        return 0; // until the cluster is born every voter must answer
    }
    unsigned spare = (voters - 1) / 2;
    for (unsigned i = 0; i < voters && spare > 0; i++) {
        spare -= simulation->storages[i].is_wiped || simulation->storages[i].is_damaged;
    }
    return spare;
}

// The processes that stay as they are, or get worse, when the others are healed.
static uint32_t draw_frozen(struct simulation *simulation)
{
    struct random *random = &simulation->faults.random;
    const struct options *options = &simulation->options;
    uint32_t frozen = 0;
    unsigned spare = count_spare(simulation);
    for (unsigned i = 0; i < simulation->storage_count; i++) {
        const struct storage_shell *storage = &simulation->storages[i];
        bool is_voter = i < options->voters;
        bool is_impaired = storage->is_wiped || storage->is_damaged;
        bool is_spare = !is_voter || (spare > 0 && !is_impaired);
        if (is_spare && random_chance(random, 250000)) {
            frozen |= SHELL_BIT(storage->shell.number);
            spare -= is_voter;
        }
    }
    for (unsigned i = 1; i < options->coordinators; i++) {
        if (random_chance(random, 250000)) {
            frozen |= SHELL_BIT(simulation->coordinators[i].number);
        }
    }
    return frozen;
}

// What becomes of a frozen process.
static void freeze(struct simulation *simulation, struct shell *shell)
{
    static const char *const names[] = {
        "dead",     "paused",          "cut off",        "unheard",       "deaf",
        "far away", "in its own time", "without a disk", "on a slow disk"};
    struct network *network = &simulation->network;
    struct random *random = &simulation->faults.random;
    uint32_t one = SHELL_BIT(shell->number);
    uint64_t how = random_below(random, role_is_storage(shell->process.role) ? 9 : 7);
    switch (how) {
    case 0: shell_crash(shell); break;
    case 1: shell_pause(shell); break;
    case 2:
        network_cut(network, one, ~one, false);
        network_cut(network, ~one, one, false);
        break;
    case 3: network_cut(network, one, ~one, false); break;
    case 4: network_cut(network, ~one, one, false); break;
    case 5: network->slowness[shell->number] = FROZEN_SLOWNESS; break;
    case 6: faults_set_clock(&simulation->faults, shell); break;
    case 7: storage_shell_stall(storage_of(shell), UINT64_MAX); break;
    default: storage_of(shell)->slowness = FROZEN_SLOWNESS;
    }
    world_trace(&simulation->world, "%s stays %s for ever", shell->name, names[how]);
}

static bool is_served(const struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->options.clients; i++) {
        if (!workload_is_served(&simulation->clients[i].workload)) {
            return false;
        }
    }
    return true;
}

static void run_healing(struct simulation *simulation, uint32_t frozen)
{
    struct world *world = &simulation->world;
    world_trace(world, "healing begins");
    faults_heal(&simulation->faults, frozen);
    for (unsigned i = 0; i < simulation->network.shell_count; i++) {
        if (frozen & SHELL_BIT(i)) {
            freeze(simulation, simulation->network.shells[i]);
        }
    }
    simulation->frozen = frozen;
    for (unsigned i = 0; i < simulation->options.clients; i++) {
        workload_ask_for_service(&simulation->clients[i].workload);
    }
    uint64_t limit_us = world->now_us + HEALING_US_MAX;
    while (!world->is_violated && world->now_us < limit_us && !is_served(simulation)) {
        simulation_run(simulation, world->now_us + STEP_US);
    }
    if (!is_served(simulation)) {
        const struct storage_shell *primary = simulation_primary(simulation);
        world_violate(world, "not every client is served %d ms after healing, %s leads",
                      HEALING_US_MAX / 1000, primary == NULL ? "nobody" : primary->shell.name);
    }
}

// Whether all healed storage nodes have applied everything that was committed, and no work is left.
static bool has_converged(struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->storage_count; i++) {
        struct storage_shell *storage = &simulation->storages[i];
        bool is_frozen = (simulation->frozen & SHELL_BIT(storage->shell.number)) != 0;
        bool is_whole = storage->view.applied.position == simulation->ledger.committed_count &&
                        !storage->view.receives && !cells_have_jobs(storage_shell_state(storage));
        if (!is_frozen && !is_whole) {
            return false;
        }
    }
    return true;
}

static void check_cells(struct simulation *simulation, struct storage_shell *storage)
{
    const char *wrong = cells_check(storage_shell_state(storage));
    if (wrong != NULL) {
        world_violate(&simulation->world, "the state of %s: %s", storage->shell.name, wrong);
    }
}

static void compare_states(struct simulation *simulation)
{
    bool is_first = true;
    uint64_t digest = 0;
    for (unsigned i = 0; i < simulation->storage_count; i++) {
        struct storage_shell *storage = &simulation->storages[i];
        if (simulation->frozen & SHELL_BIT(storage->shell.number)) {
            continue;
        }
        uint64_t own = storage_shell_digest(storage);
        if (!is_first && own != digest) {
            world_violate(&simulation->world, "the state of %s differs", storage->shell.name);
        }
        if (is_first) {
            check_cells(simulation, storage);
        }
        digest = own;
        is_first = false;
    }
}

static void run_quiet(struct simulation *simulation)
{
    struct world *world = &simulation->world;
    world_trace(world, "quiet begins");
    for (unsigned i = 0; i < simulation->options.clients; i++) {
        workload_stop(&simulation->clients[i].workload);
    }
    uint64_t limit_us = world->now_us + HEALING_US_MAX;
    simulation_run(simulation, world->now_us + STEP_US);
    while (!world->is_violated && world->now_us < limit_us && !has_converged(simulation)) {
        simulation_run(simulation, world->now_us + STEP_US);
    }
    if (world->is_violated) {
        return;
    }
    if (!has_converged(simulation)) {
        world_violate(world, "storage nodes don't converge to position %zu",
                      simulation->ledger.committed_count);
        return;
    }
    compare_states(simulation);
    history_check_end(&simulation->history);
}

void simulation_finish(struct simulation *simulation)
{
    faults_stop(&simulation->faults);
    bool freezes = simulation->restarts && simulation->options.freezes;
    uint32_t frozen = freezes ? draw_frozen(simulation) : 0;
    simulation->restarts = true;
    run_healing(simulation, frozen);
    if (!simulation->world.is_violated) {
        run_quiet(simulation);
    }
}

void simulation_run_seed(struct simulation *simulation)
{
    simulation_start(simulation);
    faults_start(&simulation->faults);
    simulation_run(simulation, simulation->options.safety_us);
    uint64_t limit_us = SAFETY_TIMES_MAX * simulation->options.safety_us;
    while (!simulation->world.is_violated && simulation->world.now_us < limit_us &&
           simulation->ledger.committed_count < simulation->options.commits_min) {
        simulation_run(simulation, simulation->world.now_us + STEP_US);
    }
    if (!simulation->world.is_violated) {
        simulation_finish(simulation);
    }
}

void simulation_result(const struct simulation *simulation, struct simulation_result *ret_result)
{
    const struct world *world = &simulation->world;
    *ret_result = (struct simulation_result){.is_violated = world->is_violated,
                                             .virtual_us = world->now_us,
                                             .commits = simulation->ledger.committed_count,
                                             .faults = simulation->faults.begun,
                                             .number = simulation->faults.number,
                                             .digest = world->digest};
    memcpy(ret_result->violation, world->violation, sizeof world->violation);
    ret_result->coverage = world->coverage;
    coverage_end(&ret_result->coverage);
}

struct shell *simulation_find(struct simulation *simulation, const char *name)
{
    for (unsigned i = 0; i < simulation->network.shell_count; i++) {
        if (strcmp(simulation->network.shells[i]->name, name) == 0) {
            return simulation->network.shells[i];
        }
    }
    return NULL;
}
