/*
 * Faults.
 *
 * 1. A fault that lasts ends by an occurrence of its own; an end that comes twice, or after
 *    healing, changes nothing.
 * 2. The atlas: at most a minority of the voters ever has a wiped disk, or a damaged one that is
 *    not refilled yet, together. What is committed is then still on the disks of others, and the
 *    rules promise that it stays. Everything else may happen to any number of nodes at once.
 * 3. Faults are numbered, and what a fault draws depends on its number alone. So a run can be
 *    repeated without some of them, and the others stay what they are.
 * 4. A process that ends by itself comes back like a crashed one: supervisors restart it.
 */
#include "tests/sim/faults.h"

#include "tests/sim/bad_sector.h"
#include "tests/sim/simulation.h"

enum {
    DOWN_US_MEAN = 400000,
    RESTART_SOON_US = 20000,
    ROLLING_STEP_US = 400000,
    WALL_JUMP_US_MAX = 2000000000,
    SLOWNESS_MAX = 40,
    STALL_US_MAX = 3000000,
};

static void begin_stream(struct faults *faults, uint64_t number)
{
    uint64_t seed = faults->simulation->options.seed ^ 0x6661756c7473;
    random_init(&faults->random, seed + number * 0x9e3779b97f4a7c15);
}

void faults_init(struct faults *faults, struct simulation *simulation)
{
    *faults = (struct faults){.simulation = simulation};
    random_init(&faults->plan, simulation->options.seed ^ 0x706c616e);
    begin_stream(faults, 0);
}

static uint64_t draw_length(struct faults *faults)
{
    return random_wait(&faults->random, faults->simulation->options.fault_length_us);
}

static void end_later(struct faults *faults, void (*run)(void *, uint64_t), void *context,
                      uint64_t argument)
{
    struct world *world = &faults->simulation->world;
    world_at(world, world->now_us + draw_length(faults), run, context, argument);
}

// One of the processes, or NULL if the drawn one is not up.
static struct shell *draw_up(struct faults *faults)
{
    struct network *network = &faults->simulation->network;
    struct shell *shell = network->shells[random_below(&faults->random, network->shell_count)];
    return shell->is_up && !shell->is_paused ? shell : NULL;
}

static struct storage_shell *draw_storage(struct faults *faults)
{
    struct simulation *simulation = faults->simulation;
    return &simulation->storages[random_below(&faults->random, simulation->storage_count)];
}

static struct shell *draw_up_storage(struct faults *faults)
{
    struct shell *shell = &draw_storage(faults)->shell;
    return shell->is_up ? shell : NULL;
}

static struct shell *find_primary(struct faults *faults)
{
    struct storage_shell *primary = simulation_primary(faults->simulation);
    return primary == NULL || primary->shell.is_paused ? NULL : &primary->shell;
}

static void run_restart(void *context, uint64_t life)
{
    struct shell *shell = context;
    if (!shell->is_up && shell->life == life) {
        shell_start(shell);
    }
}

static void restart_later(struct faults *faults, struct shell *shell)
{
    struct world *world = shell->world;
    uint64_t wait_us = random_chance(&faults->random, 300000)
                           ? random_below(&faults->random, 20000)
                           : random_wait(&faults->random, DOWN_US_MEAN);
    world_at(world, world->now_us + wait_us, run_restart, shell, shell->life);
}

static bool crash(struct faults *faults, struct shell *shell)
{
    if (shell == NULL || !shell->is_up) {
        return false;
    }
    shell_crash(shell);
    restart_later(faults, shell);
    return true;
}

static bool crash_other(struct faults *faults)
{
    struct shell *shell = draw_up(faults);
    bool is_other = shell != NULL && !role_is_storage(shell->process.role) &&
                    shell->process.role != ROLE_client;
    return is_other && crash(faults, shell);
}

static bool crash_all(struct faults *faults)
{
    struct simulation *simulation = faults->simulation;
    for (unsigned i = 0; i < simulation->storage_count; i++) {
        crash(faults, &simulation->storages[i].shell);
    }
    return true;
}

static bool stop(struct shell *shell)
{
    if (shell == NULL || shell->is_paused) {
        return false;
    }
    shell_ask_to_stop(shell);
    return true;
}

// The argument is the number of the storage node.
static void run_rolling(void *context, uint64_t node)
{
    struct faults *faults = context;
    struct simulation *simulation = faults->simulation;
    if (!faults->is_active || node >= simulation->storage_count) {
        return;
    }
    struct shell *shell = &simulation->storages[node].shell;
    stop(shell->is_up ? shell : NULL);
    world_at(&simulation->world, simulation->world.now_us + ROLLING_STEP_US, run_rolling, faults,
             node + 1);
}

static bool roll(struct faults *faults)
{
    run_rolling(faults, 0);
    return true;
}

static void run_resume(void *context, uint64_t life)
{
    struct shell *shell = context;
    if (shell->life == life) {
        shell_resume(shell);
    }
}

static bool pause_process(struct faults *faults, struct shell *shell)
{
    if (shell == NULL || shell->is_paused) {
        return false;
    }
    shell_pause(shell);
    end_later(faults, run_resume, shell, shell->life);
    return true;
}

static void run_heal(void *context, uint64_t cut)
{
    struct network *network = context;
    world_trace(network->world, "cut %u heals", (unsigned)cut);
    network_heal(network, (unsigned)cut);
}

// Cuts both ways between two sets, or one way only.
static bool cut(struct faults *faults, uint32_t from, uint32_t to, bool is_both)
{
    struct network *network = &faults->simulation->network;
    bool is_refused = random_chance(&faults->random, 250000);
    unsigned first = network_cut(network, from, to, is_refused);
    unsigned second = is_both ? network_cut(network, to, from, is_refused) : NETWORK_CUTS_MAX;
    world_trace(network->world, "cut %u: %x -> %x%s%s", first, from, to, is_both ? " and back" : "",
                is_refused ? ", refused" : "");
    world_at(network->world, network->world->now_us + draw_length(faults), run_heal, network,
             first);
    if (is_both) {
        end_later(faults, run_heal, network, second);
    }
    return first < NETWORK_CUTS_MAX;
}

static uint32_t all_processes(const struct faults *faults)
{
    return (uint32_t)((uint64_t)1 << faults->simulation->network.shell_count) - 1;
}

static bool isolate(struct faults *faults, const struct shell *shell, bool is_both)
{
    if (shell == NULL) {
        return false;
    }
    uint32_t one = SHELL_BIT(shell->number);
    uint32_t others = all_processes(faults) & ~one;
    return is_both || random_chance(&faults->random, 500000) ? cut(faults, one, others, is_both)
                                                             : cut(faults, others, one, false);
}

static bool cut_halves(struct faults *faults, bool has_bridge)
{
    uint32_t all = all_processes(faults);
    uint32_t half = (uint32_t)random_next(&faults->random) & all;
    uint32_t bridge = has_bridge ? SHELL_BIT(draw_storage(faults)->shell.number) : 0;
    return cut(faults, half & ~bridge, all & ~half & ~bridge, true);
}

static bool cut_pair(struct faults *faults, bool is_reset)
{
    const struct shell *one = &draw_storage(faults)->shell;
    const struct shell *other = draw_up(faults);
    if (other == NULL || one == other) {
        return false;
    }
    if (is_reset) {
        network_break(&faults->simulation->network, SHELL_BIT(one->number),
                      SHELL_BIT(other->number));
        return true;
    }
    return cut(faults, SHELL_BIT(one->number), SHELL_BIT(other->number),
               random_chance(&faults->random, 700000));
}

static void run_near_again(void *context, uint64_t number)
{
    struct network *network = context;
    network->slowness[number] = 0;
}

static bool slow(struct faults *faults)
{
    struct shell *shell = draw_up(faults);
    if (shell == NULL) {
        return false;
    }
    struct network *network = shell->network;
    network->slowness[shell->number] = (uint32_t)random_between(&faults->random, 2, SLOWNESS_MAX);
    end_later(faults, run_near_again, network, shell->number);
    return true;
}

static bool stall_disk(struct faults *faults)
{
    struct storage_shell *storage = draw_storage(faults);
    storage_shell_stall(storage, storage->shell.world->now_us +
                                     random_between(&faults->random, 50000, STALL_US_MAX));
    return true;
}

static void run_fast_again(void *context, uint64_t argument)
{
    (void)argument;
    struct storage_shell *storage = context;
    storage->slowness = 0;
}

static bool slow_disk(struct faults *faults)
{
    struct storage_shell *storage = draw_storage(faults);
    storage->slowness = (uint32_t)random_between(&faults->random, 2, SLOWNESS_MAX);
    end_later(faults, run_fast_again, storage, 0);
    return true;
}

static void run_space_back(void *context, uint64_t argument)
{
    (void)argument;
    struct storage_shell *storage = context;
    sim_disk_set_free(storage->disk, UINT64_MAX);
}

static bool fill_disk(struct faults *faults)
{
    struct storage_shell *storage = draw_storage(faults);
    sim_disk_set_free(storage->disk, random_below(&faults->random, 20000));
    end_later(faults, run_space_back, storage, 0);
    return true;
}

static bool fail_disk(struct faults *faults)
{
    struct storage_shell *storage = draw_storage(faults);
    sim_disk_fail_after(storage->disk, random_below(&faults->random, 8), STATUS_internal);
    return true;
}

// The atlas: whether another voter may lose data.
static bool may_impair(struct faults *faults, const struct storage_shell *storage)
{
    const struct simulation *simulation = faults->simulation;
    unsigned voters = simulation->options.voters;
    unsigned impaired = 0;
    for (unsigned i = 0; i < voters; i++) {
        const struct storage_shell *other = &simulation->storages[i];
        impaired += other != storage && (other->is_wiped || other->is_damaged);
    }
    bool is_voter = storage->node < voters;
    return (!is_voter || impaired + 1 <= (voters - 1) / 2) &&
           simulation->ledger.committed_count > 0;
}

static bool damage(struct faults *faults)
{
    struct storage_shell *storage = draw_storage(faults);
    if (!may_impair(faults, storage)) {
        return false;
    }
    crash(faults, &storage->shell);
    if (storage->shell.is_up) {
        return false;
    }
    char name[DISK_NAME_SIZE_MAX];
    if (!bad_sector_make(storage, &faults->random, name)) {
        return false;
    }
    storage->is_damaged = true;
    world_trace(storage->shell.world, "%s has a bad sector in %s", storage->shell.name, name);
    return true;
}

static bool wipe(struct faults *faults)
{
    struct storage_shell *storage = draw_storage(faults);
    if (storage->is_wiped || !may_impair(faults, storage)) {
        return false;
    }
    crash(faults, &storage->shell);
    storage->is_wiped = storage->node < faults->simulation->options.voters;
    world_trace(storage->shell.world, "%s gets an empty disk", storage->shell.name);
    storage_shell_format(storage);
    return true;
}

static bool jump_clock(struct faults *faults)
{
    struct shell *shell = draw_up(faults);
    if (shell != NULL) {
        int64_t by_us = (int64_t)random_below(&faults->random, WALL_JUMP_US_MAX);
        clock_jump(&shell->clock, random_chance(&faults->random, 500000) ? by_us : -by_us);
    }
    return shell != NULL;
}

static void run_right_rate(void *context, uint64_t argument)
{
    (void)argument;
    struct shell *shell = context;
    shell_set_rate(shell, 1000000);
}

static bool set_clock_rate(struct faults *faults)
{
    struct shell *shell = draw_up(faults);
    if (shell != NULL) {
        faults_set_clock(faults, shell);
        end_later(faults, run_right_rate, shell, 0);
    }
    return shell != NULL;
}

static bool switch_over(struct faults *faults)
{
    struct simulation *simulation = faults->simulation;
    unsigned client = (unsigned)random_below(&faults->random, simulation->options.clients);
    const struct shell *coordinator =
        &simulation->coordinators[random_below(&faults->random, simulation->options.coordinators)];
    bool is_named = random_chance(&faults->random, 500000);
    return client_shell_switchover(&simulation->clients[client], coordinator,
                                   is_named ? draw_storage(faults)->shell.name : "");
}

static enum fault_kind draw_kind(struct faults *faults)
{
    const uint32_t *weights = faults->simulation->options.weights;
    uint64_t sum = 0;
    for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        sum += weights[kind];
    }
    uint64_t drawn = sum == 0 ? 0 : random_below(&faults->plan, sum);
    unsigned kind = 0;
    while (kind < FAULT_KIND_COUNT && drawn >= weights[kind]) {
        drawn -= weights[kind];
        kind++;
    }
    return kind;
}

static void run_fault(void *context, uint64_t number);

static void plan_fault(struct faults *faults, uint64_t number)
{
    struct world *world = &faults->simulation->world;
    uint64_t wait_us = random_wait(&faults->plan, faults->simulation->options.fault_interval_us);
    world_at(world, world->now_us + wait_us, run_fault, faults, number);
}

static void run_fault(void *context, uint64_t number)
{
    struct faults *faults = context;
    const struct options *options = &faults->simulation->options;
    if (!faults->is_active) {
        return;
    }
    enum fault_kind kind = draw_kind(faults);
    bool is_left_out = options->chooses_faults && !fault_set_has(&options->chosen, number);
    faults->number = number;
    begin_stream(faults, number);
    if (kind < FAULT_KIND_COUNT && !is_left_out) {
        world_trace(&faults->simulation->world, "fault %llu: %s", (unsigned long long)number,
                    fault_name(kind));
        if (faults_begin(faults, kind)) {
            faults->begun++;
        }
    }
    plan_fault(faults, number + 1);
}

void faults_start(struct faults *faults)
{
    faults->is_active = true;
    plan_fault(faults, 1);
}

void faults_stop(struct faults *faults)
{
    faults->is_active = false;
    begin_stream(faults, 0);
}

static void heal_storage(struct storage_shell *storage)
{
    sim_disk_set_free(storage->disk, UINT64_MAX);
    sim_disk_fail_after(storage->disk, 0, STATUS_ok);
    storage->is_steady = true;
    storage->slowness = 0;
    storage->due_us = 0; // also of a request that is being worked on
    storage_shell_stall(storage, 0);
}

void faults_heal(struct faults *faults, uint32_t frozen)
{
    struct simulation *simulation = faults->simulation;
    struct network *network = &simulation->network;
    network_heal_all(network);
    network_calm(network);
    for (unsigned i = 0; i < simulation->storage_count; i++) {
        heal_storage(&simulation->storages[i]);
    }
    for (unsigned i = 0; i < network->shell_count; i++) {
        struct shell *shell = network->shells[i];
        if (frozen & SHELL_BIT(i)) {
            continue;
        }
        run_right_rate(shell, 0);
        shell_resume(shell);
        if (!shell->is_up) {
            shell_start(shell);
        }
    }
}

void faults_set_clock(struct faults *faults, struct shell *shell)
{
    shell_set_rate(shell, (uint32_t)random_between(&faults->random, 500000, 2000000));
}

void faults_on_end(struct faults *faults, struct shell *shell, uint32_t exit_code)
{
    if (exit_code == EXIT_REBOOT) {
        world_at(shell->world, 0, run_restart, shell, shell->life);
    } else if (!faults->is_active) {
        uint64_t soon_us = shell->world->now_us + RESTART_SOON_US;
        world_at(shell->world, soon_us, run_restart, shell, shell->life);
    } else {
        restart_later(faults, shell);
    }
}

bool faults_begin(struct faults *faults, enum fault_kind kind)
{
    switch (kind) {
    case FAULT_crash: return crash(faults, &draw_storage(faults)->shell);
    case FAULT_crash_primary: return crash(faults, find_primary(faults));
    case FAULT_crash_other: return crash_other(faults);
    case FAULT_crash_all: return crash_all(faults);
    case FAULT_stop: return stop(draw_up_storage(faults));
    case FAULT_rolling: return roll(faults);
    case FAULT_pause: return pause_process(faults, draw_up(faults));
    case FAULT_pause_primary: return pause_process(faults, find_primary(faults));
    case FAULT_isolate: return isolate(faults, draw_up(faults), true);
    case FAULT_isolate_primary: return isolate(faults, find_primary(faults), true);
    case FAULT_halves: return cut_halves(faults, false);
    case FAULT_one_way: return isolate(faults, draw_up(faults), false);
    case FAULT_bridge: return cut_halves(faults, true);
    case FAULT_pair: return cut_pair(faults, false);
    case FAULT_reset: return cut_pair(faults, true);
    case FAULT_slow: return slow(faults);
    case FAULT_disk_stall: return stall_disk(faults);
    case FAULT_disk_slow: return slow_disk(faults);
    case FAULT_disk_full: return fill_disk(faults);
    case FAULT_disk_error: return fail_disk(faults);
    case FAULT_damage: return damage(faults);
    case FAULT_wipe: return wipe(faults);
    case FAULT_clock_jump: return jump_clock(faults);
    case FAULT_clock_rate: return set_clock_rate(faults);
    case FAULT_switchover: return switch_over(faults);
    case FAULT_KIND_COUNT: break;
    }
    return false;
}
