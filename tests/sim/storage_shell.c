/*
 * A storage process.
 *
 * 1. Disk requests wait in one queue. Those at hand when the disk becomes free take a drawn time,
 *    then they are carried out on the simulated disk, at once, by the daemons' own disk worker, and
 *    their answers are events a moment later. READ, DROP and FLUSH may answer later than requests
 *    behind them.
 * 2. A power failure finds the requests under way at a drawn point: some disk operations were done,
 *    the rest never is. Then the disk loses a share of what was not synced.
 * 3. The state of a generation is a memory twin: a crash takes it back to its last flush. Two
 *    generations can exist, the current one and one that is received (rule 37).
 * 4. A failed write has already stopped the process when its answer would come (rule 21).
 * 5. Queries run after a drawn time, on what the state holds then.
 */
#include "tests/sim/storage_shell.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "storage/cells.h"
#include "storage/query.h"
#include "storage/state_memory.h"
#include "tests/sim/bug.h"
#include "tests/sim/network.h"

#include <stdlib.h>

enum { ANSWER_US_MAX = 20, LATE_US_MAX = 50000, QUERY_US_MAX = 300, CRASH_OPERATIONS_MAX = 12 };
enum { STALL_US_MAX = 2000000, BATCH_MAX = 8, CACHED_CELLS = 64 };

// A request under way, or an answer, or a query.
struct disk_job {
    struct disk_job *next;         // in the queue, or among those to be used again
    struct disk_job *older;        // in the list of all
    struct storage_shell *storage; // it belongs to
    uint32_t life;                 // of the process that asked
    struct disk_request request;   // its bytes are in `bytes`
    struct disk_done done;         // the answer; what was read is in `bytes`
    uint64_t from;                 // a query: who asked
    struct buffer bytes;
};

static struct state_slot *find_slot(struct storage_shell *storage, uint64_t generation)
{
    for (size_t i = 0; i < STATE_GENERATIONS_MAX; i++) {
        struct state_slot *slot = &storage->slots[i];
        if (slot->state != NULL && slot->generation == generation) {
            return slot;
        }
    }
    return NULL;
}

static struct disk_job *new_job(struct storage_shell *storage, struct bytes bytes)
{
    struct disk_job *job = storage->free_jobs;
    if (job == NULL) {
        job = calloc(1, sizeof *job);
        ASSERT(job != NULL);
        job->older = storage->all_jobs;
        storage->all_jobs = job;
    } else {
        storage->free_jobs = job->next;
    }
    job->next = NULL;
    job->storage = storage;
    job->life = storage->shell.life;
    buffer_clear(&job->bytes);
    buffer_append(&job->bytes, bytes);
    return job;
}

static void free_job(struct disk_job *job)
{
    job->next = job->storage->free_jobs;
    job->storage->free_jobs = job;
}

static bool is_stale(const struct disk_job *job)
{
    const struct shell *shell = &job->storage->shell;
    return !shell->is_up || shell->life != job->life;
}

static void run_answer(void *context, uint64_t argument)
{
    struct disk_job *job = context;
    struct shell *shell = &job->storage->shell;
    if (is_stale(job)) {
        free_job(job);
        return;
    }
    if (shell_defers(shell, run_answer, job, argument)) {
        return;
    }
    if (job->done.kind == DISK_READ) {
        job->done.bytes = buffer_bytes(&job->bytes);
    }
    world_trace(shell->world, "%s disk: request %llu %s", shell->name,
                (unsigned long long)job->done.sequence, status_name(job->done.status));
    struct event event = {.kind = EVENT_DISK, .done = &job->done};
    shell_step(shell, &event);
    free_job(job);
}

// The vote file was found or written.
static void note_vote(struct storage_shell *storage, struct bytes vote_record)
{
    struct message message;
    if (message_decode(&vote_record, &message) == STATUS_ok) {
        storage->is_marked_damaged = message.vote_record.damaged;
    }
}

// A request was carried out.
static void note_done(struct storage_shell *storage, const struct disk_request *request)
{
    struct coverage *coverage = &storage->shell.world->coverage;
    if (request->kind == DISK_VOTE || request->kind == DISK_INSTALL) {
        note_vote(storage, request->bytes);
    } else if (request->kind == DISK_READ && storage->view.loading) {
        coverage_take(coverage, BRANCH_read_back);
    } else if (request->kind == DISK_READ && storage->view.leads) {
        coverage_take(coverage, BRANCH_catch_up);
    } else if (request->kind == DISK_DROP) {
        coverage_take(coverage, BRANCH_dropped_segments);
    }
}

// Carries out the requests under way; their answers are in the jobs.
static void carry_out(struct storage_shell *storage)
{
    struct disk_request requests[BATCH_MAX];
    struct disk_done results[BATCH_MAX];
    struct disk_job *job = storage->jobs;
    for (size_t i = 0; i < storage->busy_count; i++, job = job->next) {
        requests[i] = job->request;
        requests[i].bytes = buffer_bytes(&job->bytes);
    }
    disk_worker_run(storage->worker, requests, storage->busy_count, results);
    job = storage->jobs;
    for (size_t i = 0; i < storage->busy_count; i++, job = job->next) {
        job->done = results[i];
        if (results[i].status == STATUS_ok) {
            checks_done(storage->checks, storage->node, &requests[i]);
            note_done(storage, &requests[i]);
        }
        if (results[i].kind == DISK_READ) {
            storage->has_disk_failed |= results[i].status == STATUS_internal;
            buffer_clear(&job->bytes);
            buffer_append(&job->bytes, results[i].bytes);
        }
    }
}

// Takes the first job off the queue.
static struct disk_job *take_job(struct storage_shell *storage)
{
    struct disk_job *job = storage->jobs;
    storage->jobs = job->next;
    storage->last_job = storage->jobs == NULL ? NULL : storage->last_job;
    return job;
}

static void answer(struct storage_shell *storage, struct disk_job *job)
{
    struct world *world = storage->shell.world;
    bool may_be_late = job->done.kind == DISK_READ || job->done.kind == DISK_DROP ||
                       job->done.kind == DISK_FLUSH;
    bool is_late = may_be_late && random_chance(&storage->random, 300000);
    uint64_t at_us = world->now_us +
                     random_below(&storage->random, is_late ? LATE_US_MAX : ANSWER_US_MAX);
    if (!may_be_late) {
        at_us = at_us > storage->answered_us ? at_us : storage->answered_us;
        storage->answered_us = at_us;
    }
    world_at(world, at_us, run_answer, job, 0);
}

static void begin_next(struct storage_shell *storage);

static void run_disk(void *context, uint64_t life)
{
    struct storage_shell *storage = context;
    struct shell *shell = &storage->shell;
    uint64_t now_us = shell->world->now_us;
    bool is_current = shell->is_up && shell->life == life && storage->busy_count > 0;
    if (!is_current || now_us < storage->due_us || now_us < storage->stalled_until_us ||
        shell_defers(shell, run_disk, storage, life)) {
        return;
    }
    carry_out(storage);
    if (disk_worker_has_failed(storage->worker)) {
        storage->has_disk_failed = true;
        coverage_take(&shell->world->coverage, BRANCH_disk_failed);
        shell_exit(shell, EXIT_OTHER);
        return;
    }
    for (; storage->busy_count > 0; storage->busy_count--) {
        answer(storage, take_job(storage));
    }
    begin_next(storage);
}

static uint64_t draw_latency(struct storage_shell *storage, const struct disk_job *job)
{
    uint64_t mean_us = job->request.kind == DISK_READ ? ANSWER_US_MAX
                                                      : storage->options->sync_us / 2 + 1;
    uint64_t latency_us = mean_us + random_wait(&storage->random, mean_us);
    if (storage->slowness > 0) {
        latency_us *= storage->slowness;
    }
    if (!storage->is_steady && random_chance(&storage->random, storage->options->stall_ppm)) {
        latency_us += random_below(&storage->random, STALL_US_MAX);
    }
    return latency_us;
}

// The disk works on the first request until due_us, or until it no longer hangs.
static void schedule_disk(struct storage_shell *storage)
{
    struct shell *shell = &storage->shell;
    uint64_t at_us = storage->due_us > storage->stalled_until_us ? storage->due_us
                                                                 : storage->stalled_until_us;
    world_at(shell->world, at_us, run_disk, storage, shell->life);
}

static void begin_next(struct storage_shell *storage)
{
    for (struct disk_job *job = storage->jobs; job != NULL && storage->busy_count < BATCH_MAX;
         job = job->next) {
        storage->busy_count++;
    }
    if (storage->busy_count > 0) {
        storage->due_us = storage->shell.world->now_us + draw_latency(storage, storage->jobs);
        schedule_disk(storage);
    }
}

// Makes the received state the shell's, as core_install() says.
static void take_received(struct storage_shell *storage, uint64_t generation)
{
    ASSERT(storage->received != NULL && storage->received_generation == generation);
    struct state_slot *slot = &storage->slots[generation % STATE_GENERATIONS_MAX];
    state_destroy(&slot->state);
    *slot = (struct state_slot){.state = storage->received, .generation = generation};
    disk_worker_set_received(storage->worker, slot->state);
    storage->received = NULL;
}

static void take_request(struct shell *shell, const struct disk_request *request)
{
    struct storage_shell *storage = storage_of(shell);
    if (request->kind == DISK_INSTALL) {
        take_received(storage, request->generation);
    }
    struct disk_job *job = new_job(storage, request->bytes);
    job->request = *request;
    if (storage->jobs == NULL) {
        storage->jobs = job;
        storage->last_job = job;
        begin_next(storage);
    } else {
        storage->last_job->next = job;
        storage->last_job = job;
    }
}

static void run_query(void *context, uint64_t argument)
{
    struct disk_job *job = context;
    struct storage_shell *storage = job->storage;
    if (is_stale(job)) {
        free_job(job);
        return;
    }
    if (shell_defers(&storage->shell, run_query, job, argument)) {
        return;
    }
    struct bytes rest = buffer_bytes(&job->bytes);
    struct message message;
    if (message_decode(&rest, &message) == STATUS_ok) {
        buffer_clear(&storage->scratch);
        query_run(storage_shell_state(storage), storage->marks, &message, &storage->scratch);
        network_send(storage->shell.network, &storage->shell, job->from,
                     buffer_bytes(&storage->scratch));
    }
    free_job(job);
}

static void take_query(struct shell *shell, uint64_t from, struct bytes encoded)
{
    struct storage_shell *storage = storage_of(shell);
    struct disk_job *job = new_job(storage, encoded);
    job->from = from;
    uint64_t delay_us = random_below(&storage->random, QUERY_US_MAX);
    world_at(shell->world, shell->world->now_us + delay_us, run_query, job, 0);
}

// The node's state_factory. What is left of the generation is what was installed and then not made
// current by the vote file.
static enum status create_state(struct state_factory *factory, uint64_t generation,
                                struct state **ret_state)
{
    struct storage_shell *storage =
        (struct storage_shell *)((char *)factory - offsetof(struct storage_shell, factory));
    struct state_slot *slot = &storage->slots[generation % STATE_GENERATIONS_MAX];
    ASSERT(generation != storage->generation);
    state_destroy(&slot->state);
    storage->received = state_memory_new();
    storage->received_generation = generation;
    *ret_state = storage->received;
    return STATUS_ok;
}

static void step_node(void *self, const struct event *event, struct outbox *out)
{
    node_step(self, event, out);
}

// The directory id in the vote record; 0 if it can't be read.
static uint64_t read_directory_id(struct bytes vote_record)
{
    struct message message;
    return message_decode(&vote_record, &message) == STATUS_ok ? message.vote_record.directory_id
                                                               : 0;
}

// Whether the copies of the vote file differ: one was being written, or went bad.
static bool copies_differ(struct storage_shell *storage)
{
    AUTO(buffer_release) struct buffer a = {0};
    AUTO(buffer_release) struct buffer b = {0};
    return sim_disk_peek(storage->disk, "vote/a", &a) &&
           sim_disk_peek(storage->disk, "vote/b", &b) &&
           !bytes_equal(buffer_bytes(&a), buffer_bytes(&b));
}

static uint32_t make_node(struct storage_shell *storage)
{
    struct shell *shell = &storage->shell;
    struct bytes vote = disk_worker_vote_record(storage->worker);
    const struct journal *journal = disk_worker_journal(storage->worker);
    storage->generation = disk_worker_generation(storage->worker);
    struct state_slot *slot = find_slot(storage, storage->generation);
    if (slot == NULL) {
        slot = &storage->slots[storage->generation % STATE_GENERATIONS_MAX];
        state_destroy(&slot->state);
        *slot = (struct state_slot){.state = state_memory_new(), .generation = storage->generation};
    }
    if (slot->state->cache == NULL) {
        state_use_cache(slot->state, CACHED_CELLS);
    }
    disk_worker_set_state(storage->worker, slot->state);
    storage->marks = marks_new(slot->state);
    struct node_boot boot = {.vote_record = vote,
                             .journal = *journal_view(journal),
                             .state = slot->state,
                             .marks = storage->marks,
                             .factory = &storage->factory};
    boot.runs = journal_runs(journal, &boot.run_count);
    if (boot.journal.cut_size > 0) {
        coverage_take(&shell->world->coverage, BRANCH_torn_tail);
    }
    checks_boot(storage->checks, storage->node, read_directory_id(vote), &boot);
    note_vote(storage, vote);
    struct node *node;
    enum status status = node_new(&shell->process, &boot, &node);
    if (status != STATUS_ok) {
        world_trace(shell->world, "%s: the node refuses its disk: %s", shell->name,
                    status_name(status));
        return EXIT_DAMAGED;
    }
    shell->machine = (struct machine){.self = node, .step = step_node};
    return EXIT_CLEAN;
}

static void close_disk(struct storage_shell *storage)
{
    marks_destroy(&storage->marks);
    disk_worker_destroy(&storage->worker);
}

static uint32_t start_storage(struct shell *shell)
{
    struct storage_shell *storage = storage_of(shell);
    if (copies_differ(storage)) {
        coverage_take(&shell->world->coverage, BRANCH_other_copy);
    }
    enum status status = disk_worker_open(sim_disk_port(storage->disk),
                                          shell->process.sizes.segment, &storage->worker);
    uint32_t exit_code = EXIT_CLEAN;
    storage->has_disk_failed = false;
    if (status == STATUS_ok) {
        exit_code = make_node(storage);
    } else {
        world_trace(shell->world, "%s: the disk can't be opened: %s", shell->name,
                    status_name(status));
        storage->has_disk_failed = status == STATUS_internal || status == STATUS_read_only;
        exit_code = storage->has_disk_failed ? EXIT_OTHER : EXIT_DAMAGED;
    }
    if (exit_code != EXIT_CLEAN) {
        close_disk(storage);
    }
    return exit_code;
}

// The process dies while the disk is at work: some of what it was asked to do is done, and nobody
// hears of it.
static void crash_at_work(struct storage_shell *storage)
{
    bool hangs = storage->stalled_until_us > storage->shell.world->now_us;
    if (storage->busy_count > 0 && !hangs && !disk_worker_has_failed(storage->worker)) {
        sim_disk_fail_after(storage->disk, random_below(&storage->random, CRASH_OPERATIONS_MAX),
                            STATUS_internal);
        carry_out(storage);
        sim_disk_fail_after(storage->disk, 0, STATUS_ok);
    }
}

static void drop_jobs(struct storage_shell *storage)
{
    while (storage->jobs != NULL) {
        struct disk_job *job = storage->jobs;
        storage->jobs = job->next;
        free_job(job);
    }
    storage->last_job = NULL;
    storage->busy_count = 0;
}

static void stop_storage(struct shell *shell, bool is_crash)
{
    struct storage_shell *storage = storage_of(shell);
    if (is_crash) {
        crash_at_work(storage);
    } else if (random_chance(&storage->random, 500000)) {
        ASSERT(state_flush(storage_shell_state(storage)) == STATUS_ok);
    }
    drop_jobs(storage);
    struct node *node = shell->machine.self;
    node_destroy(&node);
    storage->received = NULL;
    close_disk(storage);
    if (is_crash && random_chance(&storage->random, 700000)) {
        sim_disk_crash(storage->disk, &storage->random);
    }
    for (size_t i = 0; i < STATE_GENERATIONS_MAX; i++) {
        if (storage->slots[i].state != NULL) {
            storage->slots[i].state = state_memory_reopen(&storage->slots[i].state);
        }
    }
    storage->view = (struct node_view){0};
    checks_down(storage->checks, storage->node);
}

// Now and then the state flushes by itself, as RocksDB does when a memtable is full.
static void flush_at_times(struct shell *shell)
{
    struct storage_shell *storage = storage_of(shell);
    uint32_t writes = storage->options->flush_writes;
    if (writes > 0 && random_below(&storage->random, writes) == 0) {
        state_memory_flush_after(storage_shell_state(storage),
                                 random_between(&storage->random, 1, writes));
    }
}

void storage_shell_init(struct storage_shell *storage, struct network *network, const char *name,
                        enum role role)
{
    static const struct shell_role functions = {.start = start_storage,
                                                .stop = stop_storage,
                                                .disk = take_request,
                                                .query = take_query,
                                                .stepped = flush_at_times};
    *storage = (struct storage_shell){.disk = sim_disk_new(), .factory = {.create = create_state}};
    shell_init(&storage->shell, network, name, role);
    storage->shell.role = &functions;
    storage->shell.owner = storage;
}

void storage_shell_release(struct storage_shell *storage)
{
    shell_release(&storage->shell);
    for (size_t i = 0; i < STATE_GENERATIONS_MAX; i++) {
        state_destroy(&storage->slots[i].state);
    }
    while (storage->all_jobs != NULL) {
        struct disk_job *job = storage->all_jobs;
        storage->all_jobs = job->older;
        buffer_release(&job->bytes);
        free(job);
    }
    buffer_release(&storage->scratch);
    sim_disk_destroy(&storage->disk);
}

void storage_shell_format(struct storage_shell *storage)
{
    ASSERT(!storage->shell.is_up);
    sim_disk_wipe(storage->disk);
    sim_disk_fail_after(storage->disk, 0, STATUS_ok);
    sim_disk_set_free(storage->disk, UINT64_MAX);
    storage->is_damaged = false;
    for (size_t i = 0; i < STATE_GENERATIONS_MAX; i++) {
        state_destroy(&storage->slots[i].state);
    }
    struct message_vote_record vote = {.format = 1,
                                       .name = storage->shell.process.name,
                                       .cluster_name = storage->shell.process.cluster_name,
                                       .directory_id = random_next(&storage->random) | 1};
    if (BUG(6) && storage->directory_id != 0) {
        vote.directory_id = storage->directory_id; // the name alone is the identity
    }
    storage->directory_id = vote.directory_id;
    AUTO(buffer_release) struct buffer record = {0};
    message_encode(&(struct message){.kind = MESSAGE_vote_record, .vote_record = vote}, &record);
    ASSERT(disk_worker_format(sim_disk_port(storage->disk), buffer_bytes(&record)) == STATUS_ok);
}

void storage_shell_stall(struct storage_shell *storage, uint64_t until_us)
{
    storage->stalled_until_us = until_us;
    if (storage->shell.is_up && storage->busy_count > 0) {
        schedule_disk(storage);
    }
}

struct state *storage_shell_state(struct storage_shell *storage)
{
    return find_slot(storage, storage->generation)->state;
}

uint64_t storage_shell_digest(struct storage_shell *storage)
{
    struct state *state = storage_shell_state(storage);
    struct state_cursor *cursor;
    uint64_t digest = 0;
    struct bytes key;
    struct bytes value;
    ASSERT(state_cursor_new(state, NULL, (struct bytes){0}, (struct bytes){0}, &cursor) ==
           STATUS_ok);
    while (state_cursor_next(cursor, state, &key, &value)) {
        uint32_t crc = crc32c(crc32c(0, key), value);
        digest = (digest ^ crc) * 0x9e3779b97f4a7c15;
    }
    ASSERT(state_cursor_destroy(state, &cursor) == STATUS_ok);
    return digest;
}
