/*
 * One run of a storage process:
 *
 *     directory ──► sockets ──► node machine ──► threads ──► loop ──► the same way back
 *
 * The node runs in the loop's thread. Its disk requests go to the disk threads, its queries to the
 * query threads; both answer through a descriptor that the loop watches. When so much waits for the
 * disk that its mailbox is full, the loop takes no more frames until it has caught up, so senders
 * feel it and memory stays bounded.
 *
 * After a state transfer the node asks to be opened anew (EXIT_REBOOT): everything is taken down
 * and the next run finds the new generation.
 */
#include "actors/runtime/storage_process.h"

#include "actors/runtime/disk_threads.h"
#include "actors/runtime/query_threads.h"
#include "actors/runtime/storage_directory.h"
#include "actors/runtime/supervisor.h"
#include "actors/storage/node.h"
#include "base/assert.h"

enum { BUSY_RETRY_MS = 20 };

struct storage_process {
    struct launch *launch; // borrowed
    struct storage_directory directory;
    struct loop *loop;             // owned
    struct node *node;             // owned
    struct disk_threads *disk;     // owned
    struct query_threads *queries; // owned
    struct state *installed;       // owned; received state that an INSTALL made current
};

int storage_process_format(struct launch *launch)
{
    return storage_directory_format(launch);
}

static void on_disk_request(void *context, const struct disk_request *request)
{
    struct storage_process *self = context;
    struct state *received = NULL;
    if (request->kind == DISK_INSTALL) {
        received = self->directory.created;
        self->installed = received;
    }
    disk_threads_ask(self->disk, request, received);
}

// Answers in the node's name that the query threads have enough to do.
static void refuse_query(struct storage_process *self, uint64_t from, struct bytes encoded)
{
    struct message message;
    ASSERT(message_decode(&encoded, &message) == STATUS_ok); // the node took it
    struct message refusal = {
        .kind = MESSAGE_refusal,
        .refusal = {.request = message_request(&message),
                    .status = STATUS_busy,
                    .retry_after_ms = BUSY_RETRY_MS,
                    .message = bytes_from_text("The node has too many reads to do; try again.")},
    };
    struct buffer answer AUTO(buffer_release) = {0};
    message_encode(&refusal, &answer);
    loop_send(self->loop, from, buffer_bytes(&answer));
}

static void on_query(void *context, uint64_t from, struct bytes encoded)
{
    struct storage_process *self = context;
    if (!query_threads_ask(self->queries, from, encoded)) {
        refuse_query(self, from, encoded);
    }
}

static void on_disk_done(void *context, const struct disk_done *done)
{
    struct storage_process *self = context;
    struct event event = {.kind = EVENT_DISK, .done = done};
    loop_step(self->loop, &event);
}

static void on_disk_ready(void *context)
{
    struct storage_process *self = context;
    disk_threads_take(self->disk, on_disk_done, self);
}

static void on_answer(void *context, uint64_t to, struct bytes encoded)
{
    struct storage_process *self = context;
    loop_send(self->loop, to, encoded);
}

static void on_queries_ready(void *context)
{
    struct storage_process *self = context;
    query_threads_take(self->queries, on_answer, self);
}

static bool is_congested(void *context)
{
    struct storage_process *self = context;
    return disk_threads_is_full(self->disk);
}

static void on_reload(void *context)
{
    struct storage_process *self = context;
    launch_reload(self->launch);
}

static int make_node(struct storage_process *self)
{
    const struct journal *journal = disk_worker_journal(self->directory.worker);
    size_t run_count;
    const struct journal_run *runs = journal_runs(journal, &run_count);
    struct node_boot boot = {
        .vote_record = disk_worker_vote_record(self->directory.worker),
        .journal = *journal_view(journal),
        .runs = runs,
        .run_count = run_count,
        .state = self->directory.state,
        .marks = self->directory.marks,
        .factory = &self->directory.factory,
    };
    enum status status = node_new(&self->launch->process, &boot, &self->node);
    if (status == STATUS_ok) {
        return EXIT_CLEAN;
    }
    logger_line(&self->launch->log, LOG_ERROR, "event=node_refused status=%s directory=%s",
                status_name(status), self->directory.path);
    return EXIT_DAMAGED;
}

static void step_node(void *self, const struct event *event, struct outbox *out)
{
    node_step(self, event, out);
}

static int run_node(struct storage_process *self)
{
    struct storage_directory *directory = &self->directory;
    self->disk = disk_threads_new(directory->worker, directory->state, &self->launch->log);
    self->queries = query_threads_new(directory->state, directory->marks,
                                      self->launch->config->query_threads);
    loop_watch(self->loop, disk_threads_fd(self->disk), on_disk_ready, self);
    loop_watch(self->loop, query_threads_fd(self->queries), on_queries_ready, self);
    struct machine machine = {.self = self->node, .step = step_node};
    struct loop_owner owner = {.context = self,
                               .disk = on_disk_request,
                               .query = on_query,
                               .is_congested = is_congested,
                               .reload = on_reload};
    supervisor_ready();
    return loop_run(self->loop, &machine, &owner);
}

// Threads first: nothing of the rest may go while they run.
static void release_process(struct storage_process *self)
{
    disk_threads_destroy(&self->disk);
    query_threads_destroy(&self->queries);
    node_destroy(&self->node);
    if (self->installed != NULL) {
        state_destroy(&self->installed);
    }
    loop_destroy(&self->loop);
    storage_directory_release(&self->directory);
}

static int run_once(struct launch *launch)
{
    struct storage_process self = {.launch = launch};
    int exit_code = storage_directory_open(&self.directory, launch);
    if (exit_code == EXIT_CLEAN && launch_open(launch, &self.loop) != STATUS_ok) {
        exit_code = EXIT_OTHER;
    }
    if (exit_code == EXIT_CLEAN) {
        exit_code = make_node(&self);
    }
    if (exit_code == EXIT_CLEAN) {
        exit_code = run_node(&self);
    }
    release_process(&self);
    return exit_code;
}

int storage_process_run(struct launch *launch)
{
    int exit_code = EXIT_REBOOT;
    while (exit_code == EXIT_REBOOT) {
        exit_code = run_once(launch);
    }
    return exit_code;
}
