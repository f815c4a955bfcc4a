/*
 * The steps of scripts. Each takes the words behind its name and returns false when they make no
 * sense.
 */
#include "tests/sim/draw.h"
#include "tests/sim/scenario_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { WAIT_US = 5000000, WAIT_STEP_US = 500, TIMEOUT_MS = 20000 };

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

static struct shell *find_named(struct scenario *scenario, const char *name)
{
    for (unsigned i = 0; i < scenario->alias_count; i++) {
        if (strcmp(scenario->aliases[i].name, name) == 0) {
            return scenario->aliases[i].shell;
        }
    }
    return simulation_find(scenario->simulation, name);
}

static struct shell *find_shell(struct scenario *scenario, unsigned number)
{
    return find_named(scenario, scenario_word(scenario, number));
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
    const char *text = scenario_word(scenario, number);
    *ret_set = strcmp(text, "*") == 0 ? UINT32_MAX : 0;
    while (*ret_set != UINT32_MAX && *text != '\0') {
        char name[SHELL_NAME_MAX];
        size_t size = strcspn(text, ",");
        if (size >= sizeof name) {
            return false;
        }
        memcpy(name, text, size);
        name[size] = '\0';
        const struct shell *shell = find_named(scenario, name);
        if (shell == NULL) {
            return false;
        }
        *ret_set |= SHELL_BIT(shell->number);
        text += text[size] == ',' ? size + 1 : size;
    }
    return *ret_set != 0;
}

static bool do_run(struct scenario *scenario)
{
    uint64_t us;
    if (!read_time(scenario_word(scenario, 0), 0, &us)) {
        return false;
    }
    simulation_run(scenario->simulation, scenario->simulation->world.now_us + us);
    return true;
}

static bool is_primary(struct scenario *scenario)
{
    const struct storage_shell *primary = simulation_primary(scenario->simulation);
    const char *name = scenario_word(scenario, 1);
    if (strcmp(name, "none") == 0) {
        return primary == NULL;
    }
    return primary != NULL && primary->view.ready &&
           (strcmp(name, "any") == 0 || find_named(scenario, name) == &primary->shell);
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
           storage->view.applied.position == scenario->simulation->ledger.committed_count &&
           !storage->view.receives;
}

static bool is_down(struct scenario *scenario)
{
    const struct shell *shell = find_shell(scenario, 1);
    return shell != NULL && !shell->is_up;
}

static bool is_committed(struct scenario *scenario)
{
    return scenario->simulation->ledger.committed_count > scenario->marked;
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
                      {"down", is_down, 2},
                      {"committed", is_committed, 1}};
    struct world *world = &scenario->simulation->world;
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        uint64_t limit_us;
        if (strcmp(conditions[i].name, scenario_word(scenario, 0)) != 0) {
            continue;
        }
        if (!read_time(scenario_word(scenario, conditions[i].limit), WAIT_US, &limit_us)) {
            return false;
        }
        limit_us += world->now_us;
        while (!conditions[i].holds(scenario) && !world->is_violated && world->now_us < limit_us) {
            simulation_run(scenario->simulation, world->now_us + WAIT_STEP_US);
        }
        if (!conditions[i].holds(scenario)) {
            scenario_fail(scenario, "waited in vain");
        }
        return true;
    }
    return false;
}

static void change_process(const char *step, struct shell *shell)
{
    if (strcmp(step, "crash") == 0) {
        shell_crash(shell);
    } else if (strcmp(step, "pause") == 0) {
        shell_pause(shell);
    } else if (strcmp(step, "resume") == 0) {
        shell_resume(shell);
    } else if (strcmp(step, "start") == 0 && !shell->is_up) {
        shell_start(shell);
    } else if (strcmp(step, "stop") == 0) {
        shell_ask_to_stop(shell);
    }
}

static bool do_process(struct scenario *scenario)
{
    struct network *network = &scenario->simulation->network;
    uint32_t set;
    if (!read_set(scenario, 0, &set)) {
        return false;
    }
    for (unsigned i = 0; i < network->shell_count; i++) {
        if (set & SHELL_BIT(i)) {
            change_process(scenario->step, network->shells[i]);
        }
    }
    return true;
}

static bool do_let(struct scenario *scenario)
{
    struct simulation *simulation = scenario->simulation;
    struct storage_shell *found = NULL;
    bool is_primary_meant = strcmp(scenario_word(scenario, 2), "primary") == 0;
    uint32_t others;
    if (is_primary_meant) {
        found = simulation_primary(simulation);
    } else if (read_set(scenario, 3, &others)) {
        for (unsigned i = 0; i < simulation->storage_count && found == NULL; i++) {
            struct storage_shell *storage = &simulation->storages[i];
            found = others & SHELL_BIT(storage->shell.number) ? NULL : storage;
        }
    }
    if (found == NULL || scenario->alias_count == SCENARIO_ALIASES_MAX) {
        return false;
    }
    struct scenario_alias *alias = &scenario->aliases[scenario->alias_count++];
    snprintf(alias->name, sizeof alias->name, "%s", scenario_word(scenario, 0));
    alias->shell = &found->shell;
    world_trace(&simulation->world, "%s is %s", alias->name, found->shell.name);
    return true;
}

static bool do_rate(struct scenario *scenario)
{
    struct shell *shell = find_shell(scenario, 0);
    uint64_t rate_ppm;
    if (shell == NULL || !read_natural(scenario_word(scenario, 1), &rate_ppm) || rate_ppm == 0) {
        return false;
    }
    shell_set_rate(shell, (uint32_t)rate_ppm);
    return true;
}

static bool do_mark(struct scenario *scenario)
{
    scenario->marked = scenario->simulation->ledger.committed_count;
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
    bool is_one_way = strcmp(scenario_word(scenario, 1), "->") == 0;
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
    network_end_drops(&scenario->simulation->network);
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

static bool read_filter(const char *name, enum hold_filter *ret_filter)
{
    *ret_filter = strcmp(name, "entries") == 0 ? HOLD_ENTRIES
                  : strcmp(name, "empty") == 0 ? HOLD_EMPTY
                  : strcmp(name, "own") == 0   ? HOLD_OWN
                                               : HOLD_ALL;
    return *ret_filter != HOLD_ALL || *name == '\0';
}

static bool do_hold(struct scenario *scenario)
{
    struct network_hold hold = {.mode = strcmp(scenario->step, "drop") == 0   ? HOLD_DROP
                                        : strcmp(scenario->step, "copy") == 0 ? HOLD_COPY
                                                                              : HOLD_KEEP};
    if (!read_kind(scenario_word(scenario, 0), &hold.kind) || !read_set(scenario, 1, &hold.from) ||
        strcmp(scenario_word(scenario, 2), "->") != 0 || !read_set(scenario, 3, &hold.to) ||
        !read_filter(scenario_word(scenario, 4), &hold.filter)) {
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
    if (storage == NULL || !read_time(scenario_word(scenario, 1), WAIT_US, &us)) {
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
    return sim_disk_corrupt(storage->disk, scenario_word(scenario, 1), &storage->random, NULL);
}

// The question that a step asks: operation and document.
static bool make_question(struct scenario *scenario, struct client_shell *client,
                          struct question *question)
{
    const char *step = scenario->step;
    uint64_t document;
    uint64_t number = 0;
    uint64_t padding = 0;
    const char *name = scenario_word(scenario, 1);
    bool is_read = strcmp(step, "get") == 0;
    if (*name != 'd' || !read_natural(name + 1, &document) || document >= DOCUMENT_COUNT_MAX) {
        return false;
    }
    question->level = READ_linearizable;
    if (is_read && scenario->count > 2 &&
        !read_level_from_name(bytes_from_text(scenario_word(scenario, 2)), &question->level)) {
        return false;
    }
    if (!is_read && scenario->count > 2 && !read_natural(scenario_word(scenario, 2), &number)) {
        return false;
    }
    if (scenario->count > 3 && !read_natural(scenario_word(scenario, 3), &padding)) {
        return false;
    }
    question->kind = is_read ? QUESTION_READ : QUESTION_TRANSACTION;
    question->after_version = question->level == READ_session ? client->workload.version : 0;
    for (enum operation_kind kind = OPERATION_get; kind <= OPERATION_check; kind++) {
        if (strcmp(operation_kind_name(kind), step) == 0) {
            question->steps[0] = (struct step){.kind = kind,
                                               .document = (unsigned)document,
                                               .expected = number,
                                               .number = (int64_t)number,
                                               .padding = (uint32_t)padding};
            question->step_count = 1;
        }
    }
    return question->step_count == 1;
}

// The question that an index is made or dropped with.
static bool make_index_question(struct scenario *scenario, struct client_shell *client,
                                struct question *question)
{
    (void)client;
    const char *what = scenario_word(scenario, 1);
    bool creates = strcmp(what, "create") == 0;
    question->kind = QUESTION_TRANSACTION;
    struct step *step = question_add(
        question, creates ? OPERATION_create_index : OPERATION_drop_index, COLLECTION_REGISTERS, 0);
    step->is_unique = strcmp(scenario_word(scenario, 2), "unique") == 0;
    return creates || strcmp(what, "drop") == 0;
}

// The question for the first page of a find.
static bool make_find_question(struct scenario *scenario, struct client_shell *client,
                               struct question *question)
{
    const char *order = scenario_word(scenario, 1);
    uint64_t limit;
    struct step *step = question_add(question, OPERATION_find, COLLECTION_REGISTERS, 0);
    step->find.order = strcmp(order, "number") == 0 ? FIND_by_number
                       : strcmp(order, "id") == 0   ? FIND_by_id
                                                    : FIND_unordered;
    if (!read_natural(scenario_word(scenario, 2), &limit) || limit == 0 || limit > UINT32_MAX) {
        return false;
    }
    step->find.limit = (uint32_t)limit;
    paging_init(&client->workload.paging, step);
    question->kind = QUESTION_READ;
    question->level = READ_linearizable;
    question->paging = &client->workload.paging;
    return step->find.order != FIND_unordered || strcmp(order, "any") == 0;
}

// The question for the next one.
static bool make_page_question(struct scenario *scenario, struct client_shell *client,
                               struct question *question)
{
    (void)scenario;
    if (client->workload.paging.cursor_size == 0) {
        return false;
    }
    question->level = READ_linearizable;
    draw_page(&client->workload, question);
    return true;
}

static bool do_ask(struct scenario *scenario)
{
    bool (*make)(struct scenario *, struct client_shell *,
                 struct question *) = strcmp(scenario->step, "index") == 0  ? make_index_question
                                      : strcmp(scenario->step, "find") == 0 ? make_find_question
                                      : strcmp(scenario->step, "page") == 0 ? make_page_question
                                                                            : make_question;
    struct client_shell *client = find_client(scenario, 0);
    struct question question = {0};
    if (client == NULL || !client->shell.is_up || !make(scenario, client, &question)) {
        return false;
    }
    struct open_question *open = workload_open(&client->workload, &question);
    if (open == NULL) {
        return false;
    }
    open->timeout_ms = TIMEOUT_MS;
    return client_shell_ask(client, open);
}

static bool do_expect(struct scenario *scenario)
{
    const char *what = scenario_word(scenario, 0);
    const struct workload *workload = &scenario->simulation->clients[0].workload;
    bool holds = false;
    if (strcmp(what, "primary") == 0) {
        holds = is_primary(scenario);
    } else if (strcmp(what, "status") == 0) {
        holds = strcmp(status_name(workload->last_status), scenario_word(scenario, 1)) == 0;
    } else if (strcmp(what, "number") == 0) {
        uint64_t number;
        holds = read_natural(scenario_word(scenario, 1), &number) &&
                workload->last_number == (int64_t)number;
    } else {
        return false;
    }
    if (!holds) {
        scenario_fail(scenario, "not as expected");
    }
    return true;
}

static bool do_switchover(struct scenario *scenario)
{
    struct simulation *simulation = scenario->simulation;
    return client_shell_switchover(&simulation->clients[0], &simulation->coordinators[0],
                                   scenario_word(scenario, 0));
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
    network_end_drops(&scenario->simulation->network);
    simulation_finish(scenario->simulation);
    return true;
}

bool scenario_step(struct scenario *scenario)
{
    static const struct {
        const char *name;
        bool (*run)(struct scenario *scenario);
    } steps[] = {
        {"run", do_run},        {"wait", do_wait},     {"crash", do_process},
        {"start", do_process},  {"stop", do_process},  {"pause", do_process},
        {"resume", do_process}, {"wipe", do_wipe},     {"reset", do_reset},
        {"cut", do_cut},        {"heal", do_heal},     {"hold", do_hold},
        {"drop", do_hold},      {"copy", do_hold},     {"let", do_let},
        {"rate", do_rate},      {"mark", do_mark},     {"release", do_release},
        {"stall", do_stall},    {"full", do_space},    {"space", do_space},
        {"damage", do_damage},  {"put", do_ask},       {"insert", do_ask},
        {"delete", do_ask},     {"get", do_ask},       {"check", do_ask},
        {"update", do_ask},     {"index", do_ask},     {"find", do_ask},
        {"page", do_ask},       {"expect", do_expect}, {"switchover", do_switchover},
        {"work", do_work},      {"rest", do_work},     {"finish", do_finish},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (strcmp(steps[i].name, scenario->step) == 0) {
            return steps[i].run(scenario);
        }
    }
    return false;
}
