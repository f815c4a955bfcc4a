/*
 * These processes keep nothing: a start makes a new machine, a stop or crash destroys it.
 */
#include "tests/sim/roles.h"

#include "actors/coordinator/coordinator.h"
#include "actors/reader/reader.h"
#include "actors/writer/writer.h"

static void step_coordinator(void *self, const struct event *event, struct outbox *out)
{
    coordinator_step(self, event, out);
}

static uint32_t start_coordinator(struct shell *shell)
{
    const struct voter_list *list = shell->owner;
    shell->machine = (struct machine){
        .self = coordinator_new(&shell->process, list->voters, list->count),
        .step = step_coordinator,
    };
    return EXIT_CLEAN;
}

static void stop_coordinator(struct shell *shell, bool is_crash)
{
    (void)is_crash;
    struct coordinator *coordinator = shell->machine.self;
    coordinator_destroy(&coordinator);
}

const struct shell_role *role_coordinator(void)
{
    static const struct shell_role role = {.start = start_coordinator, .stop = stop_coordinator};
    return &role;
}

static void step_writer(void *self, const struct event *event, struct outbox *out)
{
    writer_step(self, event, out);
}

static uint32_t start_writer(struct shell *shell)
{
    shell->machine = (struct machine){.self = writer_new(&shell->process), .step = step_writer};
    return EXIT_CLEAN;
}

static void stop_writer(struct shell *shell, bool is_crash)
{
    (void)is_crash;
    struct writer *writer = shell->machine.self;
    writer_destroy(&writer);
}

const struct shell_role *role_writer(void)
{
    static const struct shell_role role = {.start = start_writer, .stop = stop_writer};
    return &role;
}

static void step_reader(void *self, const struct event *event, struct outbox *out)
{
    reader_step(self, event, out);
}

static uint32_t start_reader(struct shell *shell)
{
    shell->machine = (struct machine){.self = reader_new(&shell->process), .step = step_reader};
    return EXIT_CLEAN;
}

static void stop_reader(struct shell *shell, bool is_crash)
{
    (void)is_crash;
    struct reader *reader = shell->machine.self;
    reader_destroy(&reader);
}

const struct shell_role *role_reader(void)
{
    static const struct shell_role role = {.start = start_reader, .stop = stop_reader};
    return &role;
}
