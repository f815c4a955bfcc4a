/*
 * A client asks a question, waits a moment, asks the next, up to a number of them at a time.
 * Completions that come from a step go to the workload. When a client dies its questions are
 * forgotten: their transactions may have run.
 */
#include "tests/sim/client_shell.h"

#include "base/assert.h"

enum { TAG_CALL = 1000, CALL_TIMEOUT_MS = 2000, SERVICE_THINK_US = 5000, MARK_PPM = 20000 };

static struct client_shell *client_of(struct shell *shell)
{
    return shell->owner;
}

static void step_client(void *self, const struct event *event, struct outbox *out)
{
    client_step(self, event, out);
}

static void run_think(void *context, uint64_t life);

static void think(struct client_shell *client)
{
    struct world *world = client->shell.world;
    uint32_t mean_us = client->workload.wants_service ? SERVICE_THINK_US
                                                      : client->workload.options->think_us;
    world_at(world, world->now_us + random_wait(&client->workload.random, mean_us), run_think,
             client, client->shell.life);
}

// Asks whom it takes for the primary to mark a version.
static void ask_mark(struct client_shell *client)
{
    struct shell *shell = &client->shell;
    const struct topology_member *primary = topology_primary(client_topology(shell->machine.self));
    if (primary == NULL || !random_chance(&client->workload.random, MARK_PPM)) {
        return;
    }
    struct client_call call = {.message = {.kind = MESSAGE_mark},
                               .to = bytes_from_text(primary->name),
                               .timeout_ms = CALL_TIMEOUT_MS,
                               .tag = TAG_CALL};
    uint64_t now_us;
    uint64_t request;
    struct outbox *out = shell_open(shell, &now_us);
    enum status status = client_call(shell->machine.self, &call, now_us, out, &request);
    world_trace(shell->world, "%s asks for a mark: %s", shell->name, status_name(status));
    shell_close(shell);
}

static void run_think(void *context, uint64_t life)
{
    struct client_shell *client = context;
    struct shell *shell = &client->shell;
    if (!shell->is_up || client->is_scripted || shell->life != life ||
        shell_defers(shell, run_think, client, life)) {
        return;
    }
    struct open_question *open = workload_next(&client->workload);
    if (open != NULL) {
        client_shell_ask(client, open);
    }
    if (!client->workload.wants_service) {
        ask_mark(client);
    }
    think(client);
}

static uint32_t start_client(struct shell *shell)
{
    struct client_shell *client = client_of(shell);
    workload_begin(&client->workload, shell->name, shell->life);
    struct client_options options = {
        .endpoints = shell->process.coordinators,
        .endpoint_count = shell->process.coordinator_count,
        .session = client->workload.is_named ? (struct bytes){0}
                                             : bytes_from_text(client->workload.session_name),
        .seed = shell->process.seed,
    };
    shell->machine = (struct machine){.self = client_new(&options), .step = step_client};
    if (!client->is_scripted) {
        think(client);
    }
    return EXIT_CLEAN;
}

static void stop_client(struct shell *shell, bool is_crash)
{
    (void)is_crash;
    struct client *machine = shell->machine.self;
    client_destroy(&machine);
}

static void trace_completion(const struct shell *shell, const struct client_completion *completion)
{
    static const char *const kinds[] = {"transaction", "read", "status", "call"};
    world_trace(shell->world, "%s: %s %.*s/%llu ended %s version %llu %.*s", shell->name,
                kinds[completion->kind], (int)completion->session.size,
                (const char *)completion->session.data, (unsigned long long)completion->sequence,
                status_name(completion->status), (unsigned long long)completion->version,
                (int)completion->message.size, (const char *)completion->message.data);
}

static void take_call(struct client_shell *client, const struct client_completion *completion)
{
    const struct message *reply = completion->reply;
    if (reply != NULL && reply->kind == MESSAGE_mark_reply &&
        reply->mark_reply.status == STATUS_ok) {
        workload_mark(&client->workload, reply->mark_reply.version);
    }
}

static void take_completion(struct client_shell *client, const struct client_completion *completion)
{
    trace_completion(&client->shell, completion);
    if (completion->kind == CLIENT_CALL) {
        take_call(client, completion);
        return;
    }
    ASSERT(completion->tag < WORKLOAD_OPEN_MAX);
    struct open_question *open = &client->workload.open[completion->tag];
    if (!open->is_taken) {
        world_violate(client->shell.world, "%s: a request ended twice", client->shell.name);
        return;
    }
    if (open->question.kind == QUESTION_TRANSACTION) {
        open->question.session = model_session(client->workload.model, completion->session);
        open->question.sequence = completion->sequence;
    }
    struct answer answer = {.status = completion->status,
                            .version = completion->version,
                            .replayed = completion->replayed,
                            .operation = completion->operation,
                            .results = completion->results};
    workload_answer(&client->workload, open, &answer);
}

static void take_completions(struct shell *shell)
{
    struct client_completion completion;
    while (client_next(shell->machine.self, &completion)) {
        take_completion(client_of(shell), &completion);
    }
}

void client_shell_init(struct client_shell *client, struct network *network, const char *name)
{
    static const struct shell_role role = {
        .start = start_client, .stop = stop_client, .stepped = take_completions};
    *client = (struct client_shell){0};
    shell_init(&client->shell, network, name, ROLE_client);
    client->shell.role = &role;
    client->shell.owner = client;
}

void client_shell_release(struct client_shell *client)
{
    shell_release(&client->shell);
    workload_release(&client->workload);
}

static enum status ask_transaction(struct client_shell *client, const struct open_question *open,
                                   uint64_t tag)
{
    struct workload *workload = &client->workload;
    struct client_transaction ask = {
        .operations = buffer_bytes(&open->operations), .timeout_ms = open->timeout_ms, .tag = tag};
    if (workload->is_named) {
        ask.session = bytes_from_text(workload->session_name);
        ask.sequence = open->question.sequence;
        ask.done_below = workload_done_below(workload);
    }
    uint64_t now_us;
    uint64_t request;
    struct outbox *out = shell_open(&client->shell, &now_us);
    return client_transact(client->shell.machine.self, &ask, now_us, out, &request);
}

static enum status ask_read(struct client_shell *client, const struct open_question *open,
                            uint64_t tag)
{
    struct client_read ask = {.operations = buffer_bytes(&open->operations),
                              .level = open->question.level,
                              .after_version = open->question.after_version,
                              .at_version = open->question.at_version,
                              .at_time_us = open->question.at_time_us,
                              .lag_versions_max = open->question.lag_versions_max,
                              .lag_ms_max = open->question.lag_ms_max,
                              .timeout_ms = open->timeout_ms,
                              .tag = tag};
    uint64_t now_us;
    uint64_t request;
    struct outbox *out = shell_open(&client->shell, &now_us);
    return client_read(client->shell.machine.self, &ask, now_us, out, &request);
}

static enum status ask_status(struct client_shell *client, const struct open_question *open,
                              uint64_t tag)
{
    const struct model *model = client->workload.model;
    struct client_status ask = {
        .session = bytes_from_text(model->sessions[open->question.session].name),
        .sequence = open->question.sequence,
        .timeout_ms = open->timeout_ms,
        .tag = tag};
    uint64_t now_us;
    uint64_t request;
    struct outbox *out = shell_open(&client->shell, &now_us);
    return client_status(client->shell.machine.self, &ask, now_us, out, &request);
}

bool client_shell_ask(struct client_shell *client, struct open_question *open)
{
    uint64_t tag = (uint64_t)(open - client->workload.open);
    enum status status = STATUS_internal;
    switch (open->question.kind) {
    case QUESTION_TRANSACTION: status = ask_transaction(client, open, tag); break;
    case QUESTION_READ: status = ask_read(client, open, tag); break;
    case QUESTION_STATUS: status = ask_status(client, open, tag); break;
    }
    shell_close(&client->shell);
    if (status != STATUS_ok) {
        open->is_taken = false;
        return false;
    }
    take_completions(&client->shell);
    return true;
}

void client_shell_work(struct client_shell *client)
{
    if (client->is_scripted) {
        client->is_scripted = false;
        think(client);
    }
}

bool client_shell_switchover(struct client_shell *client, const struct shell *coordinator,
                             const char *target)
{
    struct shell *shell = &client->shell;
    if (!shell->is_up || shell->is_paused) {
        return false;
    }
    struct client_call call = {
        .message = {.kind = MESSAGE_switchover, .switchover = {.target = bytes_from_text(target)}},
        .to = coordinator->process.name,
        .timeout_ms = CALL_TIMEOUT_MS,
        .tag = TAG_CALL,
    };
    uint64_t now_us;
    uint64_t request;
    struct outbox *out = shell_open(shell, &now_us);
    enum status status = client_call(shell->machine.self, &call, now_us, out, &request);
    shell_close(shell);
    return status == STATUS_ok;
}
