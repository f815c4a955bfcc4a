/*
 * A storage node, with a disk in memory, among coordinators, primaries, replicas, writers and
 * readers that send it anything. What it is sent to append is made into entries that continue its
 * log, so that they are taken; what is in them is the input's.
 */
#include "tests/fuzz/fuzz.h"

#include "actors/storage/disk_worker.h"
#include "actors/storage/node.h"
#include "storage/query.h"
#include "storage/state_memory.h"
#include "tests/fuzz/machine.h"
#include "tests/sim/disk.h"

enum { SEGMENT = 64 * KIB, CLUSTER = 77, DIRECTORY = 101 };

struct storage {
    struct state_factory factory; // first: it is cast back
    struct process process;
    struct sim_disk *disk;
    struct disk_worker *worker;
    struct state *state;
    struct state *received; // of a transfer; the node's, unless it was installed
    bool has_installed;
    struct marks *marks;
    struct node *node;
    bool has_stopped;
};

static enum status create(struct state_factory *factory, uint64_t generation,
                          struct state **ret_state)
{
    struct storage *self = (struct storage *)factory;
    ASSERT(generation == 2);
    self->received = *ret_state = state_memory_new();
    disk_worker_set_received(self->worker, self->received);
    return STATUS_ok;
}

static void format(struct storage *self)
{
    AUTO(buffer_release) struct buffer record = {0};
    const struct message message = {.kind = MESSAGE_vote_record,
                                    .vote_record = {.format = 1,
                                                    .name = self->process.name,
                                                    .cluster_name = self->process.cluster_name,
                                                    .directory_id = DIRECTORY,
                                                    .generation = 1}};
    message_encode(&message, &record);
    ASSERT(disk_worker_format(sim_disk_port(self->disk), buffer_bytes(&record)) == STATUS_ok);
}

static void storage_init(struct storage *self)
{
    *self = (struct storage){.factory = {.create = create},
                             .process = fuzz_process(ROLE_primary),
                             .disk = sim_disk_new(),
                             .state = state_memory_new()};
    self->process.sizes.segment = SEGMENT;
    format(self);
    struct disk *disk = sim_disk_port(self->disk);
    ASSERT(disk_worker_open(disk, SEGMENT, &self->worker) == STATUS_ok);
    disk_worker_set_state(self->worker, self->state);
    self->marks = marks_new(self->state);
    const struct journal *journal = disk_worker_journal(self->worker);
    struct node_boot boot = {.vote_record = disk_worker_vote_record(self->worker),
                             .journal = *journal_view(journal),
                             .state = self->state,
                             .marks = self->marks,
                             .factory = &self->factory};
    boot.runs = journal_runs(journal, &boot.run_count);
    ASSERT(node_new(&self->process, &boot, &self->node) == STATUS_ok);
}

static void storage_release(struct storage *self)
{
    node_destroy(&self->node);
    marks_destroy(&self->marks);
    disk_worker_destroy(&self->worker);
    if (self->has_installed) {
        state_destroy(&self->received);
    }
    state_destroy(&self->state);
    sim_disk_destroy(&self->disk);
}

static void run_query(struct storage *self, struct bytes encoded)
{
    AUTO(buffer_release) struct buffer answer = {0};
    struct message message;
    ASSERT(message_decode(&encoded, &message) == STATUS_ok);
    query_run(self->state, self->marks, &message, &answer);
    ASSERT(answer.size > 0);
}

static void run_disk(struct storage *self, const struct event *event, size_t number,
                     struct outbox *out)
{
    const struct effect *effect = &out->effects[number];
    struct disk_request request = effect->disk;
    struct disk_done done;
    request.bytes = outbox_effect_bytes(out, effect);
    self->has_installed = self->has_installed || request.kind == DISK_INSTALL;
    disk_worker_run(self->worker, &request, 1, &done);
    ASSERT(!disk_worker_has_failed(self->worker));
    node_step(
        self->node,
        &(struct event){
            .kind = EVENT_DISK, .now_us = event->now_us, .wall_us = event->wall_us, .done = &done},
        out);
}

// Entries of these payloads behind the end of the log: a size, then a kind, then the payload.
static void make_entries(const struct node_view *view, uint64_t epoch, struct bytes payloads,
                         struct buffer *out)
{
    struct entry_place end = view->last;
    while (payloads.size > 0) {
        size_t size = fuzz_take_u8(&payloads);
        struct entry entry = {.kind = fuzz_take_u8(&payloads),
                              .epoch = epoch,
                              .position = end.position + 1,
                              .previous_crc = end.crc,
                              .commit_position = end.position,
                              .version = end.version + 1,
                              .time_us = 1000 * end.position,
                              .transactions = 1};
        entry.payload = fuzz_take(&payloads, size);
        entry_encode(&entry, view->cluster_id == 0 ? CLUSTER : view->cluster_id, out);
        end = entry_place_of(&entry);
    }
}

// The message as the node gets it: an append continues the log.
static void deliver(struct storage *self, const struct event *event, struct outbox *out)
{
    AUTO(buffer_release) struct buffer entries = {0};
    AUTO(buffer_release) struct buffer encoded = {0};
    struct message message = *event->message;
    struct event changed = *event;
    struct node_view view;
    node_inspect(self->node, &view);
    if (message.kind == MESSAGE_append) {
        make_entries(&view, message.append.epoch, message.append.entries, &entries);
        message.append.entries = buffer_bytes(&entries);
        message.append.previous_epoch = view.last.epoch;
        message.append.previous_position = view.last.position;
    }
    message_encode(&message, &encoded);
    changed.message = &message;
    changed.encoded = buffer_bytes(&encoded);
    node_step(self->node, &changed, out);
}

static void step(void *machine, const struct event *event, struct outbox *out)
{
    struct storage *self = machine;
    size_t next = out->count;
    if (self->has_stopped) {
        return;
    }
    if (event->kind == EVENT_MESSAGE) {
        deliver(self, event, out);
    } else {
        node_step(self->node, event, out);
    }
    for (; next < out->count && !self->has_stopped; next++) {
        const struct effect *effect = &out->effects[next];
        switch (effect->kind) {
        case EFFECT_DISK: run_disk(self, event, next, out); break;
        case EFFECT_QUERY: run_query(self, outbox_effect_bytes(out, effect)); break;
        case EFFECT_STOP: self->has_stopped = true; break;
        default: break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct storage storage;
    storage_init(&storage);
    const struct machine machine = {.self = &storage, .step = step};
    fuzz_machine_run(&machine, bytes_of(data, size));
    storage_release(&storage);
    return 0;
}
