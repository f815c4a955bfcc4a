/*
 * One row a role: how its machine is made, stepped and destroyed. The rest of their lives is the
 * same for all. The monitor has a shell of its own around the loop (monitor_shell.h).
 */
#include "actors/runtime/roles.h"

#include "actors/coordinator/coordinator.h"
#include "actors/monitor/monitor.h"
#include "actors/reader/reader.h"
#include "actors/runtime/monitor_shell.h"
#include "actors/runtime/supervisor.h"
#include "actors/writer/writer.h"
#include "base/assert.h"

struct role_row {
    enum role role;
    void *(*make)(const struct launch *launch);
    void (*step)(void *self, const struct event *event, struct outbox *out);
    void (*destroy)(void *self);
};

static void *make_coordinator(const struct launch *launch)
{
    return coordinator_new(&launch->process, launch->voters, launch->config->voter_count);
}

static void step_coordinator(void *self, const struct event *event, struct outbox *out)
{
    coordinator_step(self, event, out);
}

static void destroy_coordinator(void *self)
{
    struct coordinator *coordinator = self;
    coordinator_destroy(&coordinator);
}

static void *make_writer(const struct launch *launch)
{
    return writer_new(&launch->process);
}

static void step_writer(void *self, const struct event *event, struct outbox *out)
{
    writer_step(self, event, out);
}

static void destroy_writer(void *self)
{
    struct writer *writer = self;
    writer_destroy(&writer);
}

static void *make_reader(const struct launch *launch)
{
    return reader_new(&launch->process);
}

static void step_reader(void *self, const struct event *event, struct outbox *out)
{
    reader_step(self, event, out);
}

static void destroy_reader(void *self)
{
    struct reader *reader = self;
    reader_destroy(&reader);
}

static void *make_monitor(const struct launch *launch)
{
    return monitor_new(&launch->process);
}

static void step_monitor(void *self, const struct event *event, struct outbox *out)
{
    monitor_step(self, event, out);
}

static void destroy_monitor(void *self)
{
    struct monitor *monitor = self;
    monitor_destroy(&monitor);
}

static const struct role_row ROWS[] = {
    {ROLE_coordinator, make_coordinator, step_coordinator, destroy_coordinator},
    {ROLE_writer, make_writer, step_writer, destroy_writer},
    {ROLE_reader, make_reader, step_reader, destroy_reader},
    {ROLE_monitor, make_monitor, step_monitor, destroy_monitor},
};

static const struct role_row *row_of(enum role role)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        if (ROWS[i].role == role) {
            return &ROWS[i];
        }
    }
    UNREACHABLE();
}

static void on_reload(void *context)
{
    launch_reload(context);
}

static int run_loop(struct launch *launch, struct loop *loop, const struct machine *machine)
{
    if (launch->role == ROLE_monitor) {
        return monitor_shell_run(launch, loop, machine);
    }
    struct loop_owner owner = {.context = launch, .reload = on_reload};
    return loop_run(loop, machine, &owner);
}

int roles_run(struct launch *launch)
{
    const struct role_row *row = row_of(launch->role);
    struct loop *loop AUTO(loop_destroy) = NULL;
    if (launch_open(launch, &loop) != STATUS_ok) {
        return EXIT_OTHER;
    }
    struct machine machine = {.self = row->make(launch), .step = row->step};
    supervisor_ready();
    int exit_code = run_loop(launch, loop, &machine);
    row->destroy(machine.self);
    return exit_code;
}
