/*
 * The interpreter of scripts: lines, words, the cluster that the first line asks for. Words are
 * separated by blanks; each step has a function in scenario_steps.c.
 *
 * Processes that end by themselves come back only if they ask to reboot: everything else is in the
 * script's hands.
 */
#include "tests/sim/scenario.h"

#include "tests/sim/scenario_internal.h"

#include <stdio.h>

enum { LINE_SIZE_MAX = 256 };

static bool set_option(struct options *options, const char *name, uint64_t value)
{
    struct {
        const char *name;
        unsigned *place;
    } numbers[] = {
        {"voters", &options->voters},
        {"replicas", &options->replicas},
        {"writers", &options->writers},
        {"coordinators", &options->coordinators},
        {"readers", &options->readers},
        {"clients", &options->clients},
        {"keys", &options->keys},
        {"delay_us", &options->network.delay_us},
        {"sync_us", &options->sync_us},
        {"flush", &options->flush_writes},
        {"outstanding", &options->outstanding},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(numbers[i].name, name) == 0) {
            *numbers[i].place = (unsigned)value;
            return true;
        }
    }
    struct {
        const char *name;
        uint64_t *place;
    } sizes[] = {
        {"segment", &options->sizes.segment},   {"drop_flush", &options->sizes.flush},
        {"keep", &options->sizes.journal_keep}, {"max", &options->sizes.journal_max},
        {"window", &options->sizes.log_window}, {"chunk", &options->sizes.transfer_chunk},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (strcmp(sizes[i].name, name) == 0) {
            *sizes[i].place = value;
            return true;
        }
    }
    if (strcmp(name, "seed") == 0) {
        options->seed = value;
    } else {
        return false;
    }
    return true;
}

// The first line, if it is one: options by name.
static bool read_cluster(const char *line, struct options *options)
{
    char name[32];
    unsigned long long value;
    int taken = 0;
    line += strlen("cluster");
    while (sscanf(line, " %31[a-z_]=%llu%n", name, &value, &taken) == 2) {
        if (!set_option(options, name, value)) {
            return false;
        }
        line += taken;
    }
    return true;
}

static void split(struct scenario *scenario, char *line)
{
    scenario->count = 0;
    char *at = line + strspn(line, " \n");
    while (*at != '\0' && scenario->count < SCENARIO_WORDS_MAX) {
        scenario->words[scenario->count++] = at;
        at += strcspn(at, " \n");
        if (*at != '\0') {
            *at++ = '\0';
        }
        at += strspn(at, " \n");
    }
}

static void run_line(struct scenario *scenario, char *line)
{
    world_trace(&scenario->simulation->world, "line %u: %s", scenario->line, line);
    split(scenario, line);
    if (scenario->count == 0) {
        return;
    }
    scenario->step = scenario->words[0];
    scenario->count--;
    memmove(scenario->words, scenario->words + 1, scenario->count * sizeof *scenario->words);
    if (!scenario_step(scenario)) {
        scenario_fail(scenario, "no such step, or it can't be done");
    }
}

static void begin(struct simulation *simulation, const struct options *options, bool is_tracing)
{
    simulation_init(simulation, options, is_tracing);
    simulation->restarts = false;
    for (unsigned i = 0; i < options->clients; i++) {
        simulation->clients[i].is_scripted = true;
    }
    simulation_start(simulation);
}

void scenario_run(const char *path, struct simulation *simulation, uint64_t seed, bool is_tracing)
{
    struct scenario scenario = {.simulation = simulation};
    struct options options;
    options_calm(&options, seed);
    char line[LINE_SIZE_MAX];
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        scenario.line++;
        line[strcspn(line, "#\n")] = '\0';
        bool is_options = strncmp(line, "cluster", strlen("cluster")) == 0;
        if (is_options && (scenario.is_started || !read_cluster(line, &options))) {
            break;
        }
        if (is_options || line[strspn(line, " ")] == '\0') {
            continue;
        }
        if (!scenario.is_started) {
            scenario.is_started = true;
            begin(simulation, &options, is_tracing);
        }
        run_line(&scenario, line);
        if (simulation->world.is_violated) {
            break;
        }
    }
    if (!scenario.is_started) {
        begin(simulation, &options, is_tracing);
    }
    if (file == NULL || (!feof(file) && !simulation->world.is_violated)) {
        scenario_fail(&scenario, "can't be read");
    }
    if (file != NULL) {
        fclose(file);
    }
}

void scenario_fail(struct scenario *scenario, const char *what)
{
    world_violate(&scenario->simulation->world, "line %u of the scenario: %s", scenario->line,
                  what);
}

const char *scenario_word(const struct scenario *scenario, unsigned number)
{
    return number < scenario->count ? scenario->words[number] : "";
}
