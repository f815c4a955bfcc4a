/*
 * The interpreter of scripts. Words are separated by blanks; each step has a function that takes
 * the words behind its name and returns false when they make no sense.
 *
 * Processes that end by themselves come back only if they ask to reboot: everything else is in the
 * script's hands.
 */
#include "tests/sim/scenario.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORDS_MAX = 16, LINE_SIZE_MAX = 256, WAIT_US = 5000000, WAIT_STEP_US = 1000 };

struct scenario {
    struct simulation *simulation;
    const char *step;       // name of the step at hand
    char *words[WORDS_MAX]; // behind it
    unsigned count;
    unsigned line;   // its number
    bool is_started; // the cluster runs
};

static void fail(struct scenario *scenario, const char *what)
{
    world_violate(&scenario->simulation->world, "line %u of the scenario: %s", scenario->line,
                  what);
}

static const char *word(const struct scenario *scenario, unsigned number)
{
    return number < scenario->count ? scenario->words[number] : "";
}

static bool read_natural(const char *text, uint64_t *ret_number)
{
    char *end;
    *ret_number = strtoull(text, &end, 10);
    return end != text && *end == '\0';
}

// A time with its unit; `otherwise` when the word is missing.
static bool read_time(const char *text, uint64_t otherwise, uint64_t *ret_us)
{
    if (*text == '\0') {
        *ret_us = otherwise;
        return true;
    }
    char *end;
    *ret_us = strtoull(text, &end, 10);
    bool is_ms = strcmp(end, "ms") == 0;
    bool is_s = strcmp(end, "s") == 0;
    *ret_us *= is_ms ? 1000 : is_s ? 1000000 : 1;
    return end != text && (is_ms || is_s || strcmp(end, "us") == 0);
}

static struct shell *find_shell(struct scenario *scenario, unsigned number)
{
    return simulation_find(scenario->simulation, word(scenario, number));
}

static struct storage_shell *find_storage(struct scenario *scenario, unsigned number)
{
    struct shell *shell = find_shell(scenario, number);
    bool is_storage = shell != NULL && role_is_storage(shell->process.role);
    return is_storage ? storage_of(shell) : NULL;
}

static struct client_shell *find_client(struct scenario *scenario, unsigned number)
{
    struct shell *shell = find_shell(scenario, number);
    return shell != NULL && shell->process.role == ROLE_client ? shell->owner : NULL;
}

// A set of processes: names with commas between, or * for all.
static bool read_set(struct scenario *scenario, unsigned number, uint32_t *ret_set)
{
    const char *text = word(scenario, number);
    *ret_set = strcmp(text, "*") == 0 ? UINT32_MAX : 0;
    while (*ret_set != UINT32_MAX && *text != '\0') {
        char name[SHELL_NAME_MAX];
        size_t size = strcspn(text, ",");
        if (size >= sizeof name) {
            return false;
        }
        memcpy(name, text, size);
        name[size] = '\0';
        const struct shell *shell = simulation_find(scenario->simulation, name);
        if (shell == NULL) {
            return false;
        }
        *ret_set |= SHELL_BIT(shell->number);
        text += text[size] == ',' ? size + 1 : size;
    }
    return *ret_set != 0;
}

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
    if (strcmp(name, "segment") == 0) {
        options->segment_size = value;
        return true;
    }
    return false;
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

static bool do_run(struct scenario *scenario)
{
    uint64_t us;
    if (!read_time(word(scenario, 0), 0, &us)) {
        return false;
    }
    simulation_run(scenario->simulation, scenario->simulation->world.now_us + us);
    return true;
}

static bool is_primary(struct scenario *scenario)
{
    const struct storage_shell *primary = simulation_primary(scenario->simulation);
    const char *name = word(scenario, 1);
    if (strcmp(name, "none") == 0) {
        return primary == NULL;
    }
    return primary != NULL && primary->view.ready &&
           (strcmp(name, "any") == 0 || strcmp(name, primary->shell.name) == 0);
}

static bool is_answered(struct scenario *scenario)
{
    for (unsigned i = 0; i < scenario->simulation->options.clients; i++) {
        const struct workload *workload = &scenario->simulation->clients[i].workload;
        for (size_t j = 0; j < WORKLOAD_OPEN_MAX; j++) {
            if (workload->open[j].is_taken) {
                return false;
            }
        }
    }
    return true;
}

static bool is_applied(struct scenario *scenario)
{
    const struct storage_shell *storage = find_storage(scenario, 1);
    return storage != NULL && storage->shell.is_up &&
           storage->view.applied.position == scenario->simulation->ledger.committed_count;
}

static bool is_down(struct scenario *scenario)
{
    const struct shell *shell = find_shell(scenario, 1);
    return shell != NULL && !shell->is_up;
}

static bool do_wait(struct scenario *scenario)
{
    static const struct {
        const char *name;
        bool (*holds)(struct scenario *scenario);
        unsigned limit; // word with the limit
    } conditions[] = {{"primary", is_primary, 2},
                      {"answers", is_answered, 1},
                      {"applied", is_applied, 2},
                      {"down", is_down, 2}};
    struct world *world = &scenario->simulation->world;
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        uint64_t limit_us;
        if (strcmp(conditions[i].name, word(scenario, 0)) != 0) {
            continue;
        }
        if (!read_time(word(scenario, conditions[i].limit), WAIT_US, &limit_us)) {
            return false;
        }
        limit_us += world->now_us;
        while (!conditions[i].holds(scenario) && !world->is_violated && world->now_us < limit_us) {
            simulation_run(scenario->simulation, world->now_us + WAIT_STEP_US);
        }
        if (!conditions[i].holds(scenario)) {
            fail(scenario, "waited in vain");
        }
        return true;
    }
    return false;
}

static bool do_process(struct scenario *scenario)
{
    struct shell *shell = find_shell(scenario, 0);
    const char *step = scenario->step;
    if (shell == NULL) {
        return false;
    }
    if (strcmp(step, "crash") == 0) {
        shell_crash(shell);
    } else if (strcmp(step, "pause") == 0) {
        shell_pause(shell);
    } else if (strcmp(step, "resume") == 0) {
        shell_resume(shell);
    } else if (strcmp(step, "start") == 0) {
        if (shell->is_up) {
            return false;
        }
        shell_start(shell);
    } else if (strcmp(step, "stop") == 0) {
        shell_ask_to_stop(shell);
    }
    return true;
}

static bool do_wipe(struct scenario *scenario)
{
    struct storage_shell *storage = find_storage(scenario, 0);
    if (storage == NULL || storage->shell.is_up) {
        return false;
    }
    storage->is_wiped = true;
    storage_shell_format(storage);
    return true;
}

static bool do_reset(struct scenario *scenario)
{
    uint32_t set;
    if (!read_set(scenario, 0, &set)) {
        return false;
    }
    network_break(&scenario->simulation->network, set, UINT32_MAX);
    return true;
}

static bool do_cut(struct scenario *scenario)
{
    struct network *network = &scenario->simulation->network;
    bool is_one_way = strcmp(word(scenario, 1), "->") == 0;
    uint32_t from;
    uint32_t to;
    if (!read_set(scenario, 0, &from) || !read_set(scenario, is_one_way ? 2 : 1, &to)) {
        return false;
    }
    network_cut(network, from, to & ~from, false);
    if (!is_one_way) {
        network_cut(network, to & ~from, from, false);
    }
    return true;
}

static bool do_heal(struct scenario *scenario)
{
    network_heal_all(&scenario->simulation->network);
    return true;
}

static bool read_kind(const char *name, uint32_t *ret_kind)
{
    for (uint32_t kind = 1; kind < 256; kind++) {
        if (strcmp(message_kind_name((enum message_kind)kind), name) == 0) {
            *ret_kind = kind;
            return true;
        }
    }
    *ret_kind = 0;
    return strcmp(name, "*") == 0;
}

static bool do_hold(struct scenario *scenario)
{
    struct network_hold hold = {.is_drop = strcmp(scenario->step, "drop") == 0};
    if (!read_kind(word(scenario, 0), &hold.kind) || !read_set(scenario, 1, &hold.from) ||
        strcmp(word(scenario, 2), "->") != 0 || !read_set(scenario, 3, &hold.to)) {
        return false;
    }
    network_hold(&scenario->simulation->network, &hold);
    return true;
}

static bool do_release(struct scenario *scenario)
{
    network_release_holds(&scenario->simulation->network);
    return true;
}

static bool do_stall(struct scenario *scenario)
{
    struct storage_shell *storage = find_storage(scenario, 0);
    uint64_t us;
    if (storage == NULL || !read_time(word(scenario, 1), WAIT_US, &us)) {
        return false;
    }
    storage_shell_stall(storage, scenario->simulation->world.now_us + us);
    return true;
}

static bool do_space(struct scenario *scenario)
{
    struct storage_shell *storage = find_storage(scenario, 0);
    if (storage != NULL) {
        sim_disk_set_free(storage->disk, strcmp(scenario->step, "full") == 0 ? 0 : UINT64_MAX);
    }
    return storage != NULL;
}

static bool do_damage(struct scenario *scenario)
{
    struct storage_shell *storage = find_storage(scenario, 0);
    if (storage == NULL || storage->shell.is_up) {
        return false;
    }
    storage->is_damaged = true;
    return sim_disk_corrupt(storage->disk, word(scenario, 1), &storage->random, NULL);
}

// The question that a step asks: operation and document.
static bool make_question(struct scenario *scenario, struct client_shell *client,
                          struct question *question)
{
    const char *step = scenario->step;
    uint64_t document;
    uint64_t number = 0;
    const char *name = word(scenario, 1);
    bool is_read = strcmp(step, "get") == 0;
    if (*name != 'd' || !read_natural(name + 1, &document) || document >= MODEL_DOCUMENTS_MAX) {
        return false;
    }
    question->level = READ_linearizable;
    if (is_read && scenario->count > 2 &&
        !read_level_from_name(bytes_from_text(word(scenario, 2)), &question->level)) {
        return false;
    }
    if (!is_read && scenario->count > 2 && !read_natural(word(scenario, 2), &number)) {
        return false;
    }
    question->kind = is_read ? QUESTION_READ : QUESTION_TRANSACTION;
    question->after_version = question->level == READ_session ? client->workload.version : 0;
    for (enum operation_kind kind = OPERATION_get; kind <= OPERATION_check; kind++) {
        if (strcmp(operation_kind_name(kind), step) == 0) {
            question->steps[0] = (struct step){.kind = kind,
                                               .document = (unsigned)document,
                                               .expected = number,
                                               .number = (int64_t)number};
            question->step_count = 1;
        }
    }
    return question->step_count == 1;
}

static bool do_ask(struct scenario *scenario)
{
    struct client_shell *client = find_client(scenario, 0);
    struct question question = {0};
    if (client == NULL || !client->shell.is_up || !make_question(scenario, client, &question)) {
        return false;
    }
    struct open_question *open = workload_open(&client->workload, &question);
    return open != NULL && client_shell_ask(client, open);
}

static bool do_expect(struct scenario *scenario)
{
    const char *what = word(scenario, 0);
    const struct workload *workload = &scenario->simulation->clients[0].workload;
    bool holds = false;
    if (strcmp(what, "primary") == 0) {
        holds = is_primary(scenario);
    } else if (strcmp(what, "status") == 0) {
        holds = strcmp(status_name(workload->last_status), word(scenario, 1)) == 0;
    } else if (strcmp(what, "number") == 0) {
        uint64_t number;
        holds = read_natural(word(scenario, 1), &number) &&
                workload->last_number == (int64_t)number;
    } else {
        return false;
    }
    if (!holds) {
        fail(scenario, "not as expected");
    }
    return true;
}

static bool do_switchover(struct scenario *scenario)
{
    struct simulation *simulation = scenario->simulation;
    return client_shell_switchover(&simulation->clients[0], simulation_primary(simulation),
                                   word(scenario, 0));
}

static bool do_work(struct scenario *scenario)
{
    for (unsigned i = 0; i < scenario->simulation->options.clients; i++) {
        struct client_shell *client = &scenario->simulation->clients[i];
        if (strcmp(scenario->step, "rest") == 0) {
            client->is_scripted = true;
        } else {
            client_shell_work(client);
        }
    }
    return true;
}

static bool do_finish(struct scenario *scenario)
{
    do_work(scenario);
    network_release_holds(&scenario->simulation->network);
    simulation_finish(scenario->simulation);
    return true;
}

static bool do_step(struct scenario *scenario)
{
    static const struct {
        const char *name;
        bool (*run)(struct scenario *scenario);
    } steps[] = {
        {"run", do_run},
        {"wait", do_wait},
        {"crash", do_process},
        {"start", do_process},
        {"stop", do_process},
        {"pause", do_process},
        {"resume", do_process},
        {"wipe", do_wipe},
        {"reset", do_reset},
        {"cut", do_cut},
        {"heal", do_heal},
        {"hold", do_hold},
        {"drop", do_hold},
        {"release", do_release},
        {"stall", do_stall},
        {"full", do_space},
        {"space", do_space},
        {"damage", do_damage},
        {"put", do_ask},
        {"insert", do_ask},
        {"delete", do_ask},
        {"get", do_ask},
        {"check", do_ask},
        {"expect", do_expect},
        {"switchover", do_switchover},
        {"work", do_work},
        {"rest", do_work},
        {"finish", do_finish},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (strcmp(steps[i].name, scenario->step) == 0) {
            return steps[i].run(scenario);
        }
    }
    return false;
}

static void split(struct scenario *scenario, char *line)
{
    scenario->count = 0;
    char *at = line + strspn(line, " \n");
    while (*at != '\0' && scenario->count < WORDS_MAX) {
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
    if (!do_step(scenario)) {
        fail(scenario, "no such step, or it can't be done");
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
        fail(&scenario, "can't be read");
    }
    if (file != NULL) {
        fclose(file);
    }
}
