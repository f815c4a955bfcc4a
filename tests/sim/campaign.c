/*
 * Each worker process runs every jobs-th seed and adds to its slot in shared memory. A worker that
 * dies (an assertion, a sanitizer) or hangs is a violation of the seed it was at; another one goes
 * on with the next seed. Sums don't depend on the order, so the digest of a campaign is that of its
 * seeds, whatever the number of workers.
 */
#include "tests/sim/campaign.h"

#include "base/assert.h"
#include "tests/sim/bug.h"
#include "tests/sim/scenario.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 64, HANG_S = 300, PROGRESS_S = 5 };

// One worker, in shared memory.
struct slot {
    pid_t pid;          // 0: none runs
    uint64_t next;      // index of the seed it is at, or will be
    uint64_t started_s; // when it began with that
    bool is_done;       // nothing left for it
    bool is_stopped;    // by a violation
    struct campaign_result sum;
};

static uint64_t monotonic_s(void)
{
    struct timespec now;
    ASSERT(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec;
}

static void draw(const struct campaign_options *options, uint64_t seed, struct options *ret_drawn)
{
    options_draw(ret_drawn, seed);
    changes_apply(&options->changes, ret_drawn);
}

static void tell_violation(const struct campaign_options *options, uint64_t seed, const char *what)
{
    AUTO(buffer_release) struct buffer text = {0};
    if (options->is_quiet) {
        return;
    }
    fprintf(stderr, "skein-sim: seed %llu: %s\n", (unsigned long long)seed, what);
    if (options->scenario == NULL) {
        struct options drawn;
        draw(options, seed, &drawn);
        options_print(&drawn, &text);
        fprintf(stderr, "skein-sim: %.*s\n", (int)text.size, (const char *)text.data);
    }
    buffer_clear(&text);
    changes_print(&options->changes, &text);
    fprintf(stderr, "skein-sim: repeat with: skein-sim --seed %llu --count 1%.*s",
            (unsigned long long)seed, (int)text.size, (const char *)text.data);
    if (options->bug != 0) {
        fprintf(stderr, " --bug %u", options->bug);
    }
    if (options->scenario != NULL) {
        fprintf(stderr, " --scenario %s", options->scenario);
    }
    fprintf(stderr, " --trace\n");
}

// Counts a violation, and keeps the first.
static void note_violation(struct campaign_result *sum, uint64_t seed, const char *what)
{
    if (sum->violations++ == 0) {
        sum->violated_seed = seed;
        snprintf(sum->violation, sizeof sum->violation, "%s", what);
    }
}

static void add_result(struct campaign_result *sum, uint64_t seed,
                       const struct simulation_result *result)
{
    sum->seeds++;
    sum->virtual_us += result->virtual_us;
    sum->commits += result->commits;
    sum->faults += result->faults;
    sum->digest += (result->digest ^ seed) * 0x9e3779b97f4a7c15;
    coverage_add(&sum->coverage, &result->coverage);
    if (result->is_violated) {
        sum->fault_number = sum->violations == 0 ? result->number : sum->fault_number;
        note_violation(sum, seed, result->violation);
    }
}

static void run_seed(const struct campaign_options *options, uint64_t seed,
                     struct simulation_result *ret_result)
{
    struct simulation *simulation = malloc(sizeof *simulation);
    ASSERT(simulation != NULL);
    if (options->scenario != NULL) {
        scenario_run(options->scenario, simulation, seed, options->is_tracing);
    } else {
        struct options drawn;
        draw(options, seed, &drawn);
        simulation_init(simulation, &drawn, options->is_tracing);
        AUTO(buffer_release) struct buffer text = {0};
        options_print(&drawn, &text);
        world_trace(&simulation->world, "%.*s", (int)text.size, (const char *)text.data);
        simulation_run_seed(simulation);
    }
    simulation_result(simulation, ret_result);
    simulation_release(simulation);
    free(simulation);
}

// Runs the seed once more and compares.
static void check_repeatable(const struct campaign_options *options, uint64_t seed,
                             struct simulation_result *result)
{
    struct simulation_result again;
    run_seed(options, seed, &again);
    if (again.digest != result->digest && !result->is_violated) {
        result->is_violated = true;
        snprintf(result->violation, sizeof result->violation,
                 "the seed went another way when it was run again");
    }
}

// Whether the violation is there without the deviation, too.
static bool is_violated_anyway(const struct campaign_options *options, uint64_t seed)
{
    struct simulation_result result;
    bug_activate(0);
    run_seed(options, seed, &result);
    bug_activate(options->bug);
    return result.is_violated;
}

// The life of a worker.
static void work(const struct campaign_options *options, struct slot *slot)
{
    bug_activate(options->bug);
    while (slot->next < options->count) {
        uint64_t seed = options->seed + slot->next;
        slot->started_s = monotonic_s();
        struct simulation_result result;
        run_seed(options, seed, &result);
        if (options->is_twice) {
            check_repeatable(options, seed, &result);
        }
        if (options->must_fail && result.is_violated) {
            result.is_violated = !is_violated_anyway(options, seed);
        }
        add_result(&slot->sum, seed, &result);
        slot->next += options->jobs;
        if (result.is_violated) {
            tell_violation(options, seed, result.violation);
        }
        if (result.is_violated && !options->goes_on) {
            slot->is_stopped = true;
            break;
        }
    }
    slot->is_done = true;
}

static void start_worker(const struct campaign_options *options, struct slot *slot)
{
    fflush(NULL);
    slot->started_s = monotonic_s();
    pid_t pid = fork();
    ASSERT(pid >= 0);
    if (pid != 0) {
        slot->pid = pid;
    } else {
        ASSERT(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0); // a campaign that is stopped stops
        setvbuf(stdout, NULL, _IOLBF, 0);
        work(options, slot);
        exit(EXIT_SUCCESS);
    }
}

// Whether the seed passes without the deviation.
static bool passes_without(const struct campaign_options *options, uint64_t seed)
{
    struct campaign_options plain = {
        .seed = seed, .count = 1, .jobs = 1, .scenario = options->scenario};
    plain.changes = options->changes;
    struct campaign_result result;
    campaign_run(&plain, &result);
    return result.violations == 0;
}

// A worker ended otherwise than by finishing: its seed failed.
static void count_death(const struct campaign_options *options, struct slot *slot, int how)
{
    char what[80];
    if (WIFSIGNALED(how)) {
        snprintf(what, sizeof what, "the process died of signal %d", WTERMSIG(how));
    } else {
        snprintf(what, sizeof what, "the process ended with exit code %d", WEXITSTATUS(how));
    }
    uint64_t index = slot->is_done && slot->next >= options->jobs ? slot->next - options->jobs
                                                                  : slot->next;
    slot->sum.seeds += !slot->is_done;
    slot->next += options->jobs;
    if (!options->must_fail || passes_without(options, options->seed + index)) {
        tell_violation(options, options->seed + index, what);
        note_violation(&slot->sum, options->seed + index, what);
        slot->is_stopped = !options->goes_on;
    }
    slot->is_done = slot->is_done || slot->is_stopped || slot->next >= options->count;
}

// Looks after one worker; true while it isn't done.
static bool tend(const struct campaign_options *options, struct slot *slot)
{
    int how;
    if (slot->pid != 0 && waitpid(slot->pid, &how, WNOHANG) == slot->pid) {
        slot->pid = 0;
        if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) {
            count_death(options, slot, how);
        }
    }
    if (slot->pid == 0 && slot->is_done) {
        return false;
    }
    if (slot->pid == 0) {
        start_worker(options, slot);
    } else if (monotonic_s() > slot->started_s + HANG_S) {
        fprintf(stderr, "skein-sim: a seed takes longer than %d s\n", HANG_S);
        kill(slot->pid, SIGABRT);
        slot->started_s = monotonic_s();
    }
    return true;
}

static void stop_workers(struct slot *slots, unsigned jobs)
{
    for (unsigned i = 0; i < jobs; i++) {
        if (slots[i].pid != 0) {
            kill(slots[i].pid, SIGKILL);
            waitpid(slots[i].pid, NULL, 0);
        }
    }
}

static void sum_up(const struct slot *slots, unsigned jobs, struct campaign_result *ret_result)
{
    *ret_result = (struct campaign_result){0};
    for (unsigned i = 0; i < jobs; i++) {
        campaign_add(ret_result, &slots[i].sum);
    }
}

static void tell_progress(const struct campaign_options *options, const struct slot *slots,
                          uint64_t *told_s)
{
    if (options->is_quiet || monotonic_s() < *told_s + PROGRESS_S) {
        return;
    }
    struct campaign_result sum;
    sum_up(slots, options->jobs, &sum);
    fprintf(stderr, "skein-sim: %llu of %llu seeds, %llu violations\n",
            (unsigned long long)sum.seeds, (unsigned long long)options->count,
            (unsigned long long)sum.violations);
    *told_s = monotonic_s();
}

// Tends all workers until they are done, or one was stopped by a violation.
static void tend_all(const struct campaign_options *options, struct slot *slots)
{
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    ASSERT(sigprocmask(SIG_BLOCK, &children, NULL) == 0);
    uint64_t told_s = monotonic_s();
    bool is_busy = true;
    bool is_stopped = false;
    while (is_busy && !is_stopped) {
        is_busy = false;
        for (unsigned i = 0; i < options->jobs; i++) {
            is_busy = tend(options, &slots[i]) || is_busy;
            is_stopped = is_stopped || (slots[i].is_stopped && slots[i].pid == 0);
        }
        tell_progress(options, slots, &told_s);
        if (is_busy && !is_stopped) {
            sigtimedwait(&children, NULL, &(struct timespec){.tv_sec = 1});
        }
    }
}

void campaign_run(const struct campaign_options *options, struct campaign_result *ret_result)
{
    ASSERT(options->jobs >= 1 && options->jobs <= JOBS_MAX);
    size_t size = options->jobs * sizeof(struct slot);
    struct slot *slots = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                              0);
    ASSERT(slots != MAP_FAILED);
    for (unsigned i = 0; i < options->jobs; i++) {
        slots[i].next = i;
    }
    tend_all(options, slots);
    stop_workers(slots, options->jobs);
    sum_up(slots, options->jobs, ret_result);
    munmap(slots, size);
}

void campaign_add(struct campaign_result *sum, const struct campaign_result *result)
{
    bool is_first = sum->violations == 0 && result->violations > 0;
    sum->seeds += result->seeds;
    sum->virtual_us += result->virtual_us;
    sum->commits += result->commits;
    sum->faults += result->faults;
    sum->digest += result->digest;
    sum->violations += result->violations;
    coverage_add(&sum->coverage, &result->coverage);
    if (is_first) {
        sum->violated_seed = result->violated_seed;
        sum->fault_number = result->fault_number;
        memcpy(sum->violation, result->violation, sizeof sum->violation);
    }
}
