/*
 * The disk worker.
 *
 * 1. Requests are run in the order they come in. A run of appends is written, synced once, and only
 *    then reported; anything else first waits for that sync. So a vote is a barrier behind the
 *    appends before it (rule 7), and nothing is reported before it is durable (rule 16).
 * 2. Writing the vote file is the one step that makes another generation current. Before it, the
 *    new journal and the new state are durable; a crash leaves the old generation, and what is left
 *    of the other is removed at the next start.
 * 3. The journal of a new generation begins after the transferred state. If the old one holds that
 *    entry (rule 37), the entries after it are copied; the node may have acknowledged them.
 * 4. A failed write or sync is the end (rule 21); a full disk is not. When an append was refused,
 *    those that were queued behind it do not continue the journal any more and are refused in the
 *    same way, until one comes that does.
 * 5. The cluster is known from the first vote record that names it on; another one can follow only
 *    while the journal is empty.
 */
#include "actors/storage/disk_worker.h"

#include "base/assert.h"
#include "storage/vote_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { REMOVE_DEPTH_MAX = 3 }; // folders in folders that are removed

static const char JOURNAL_FOLDER[] = "journal";
static const char STATE_FOLDER[] = "state";

struct disk_worker {
    struct disk *disk;                // borrowed
    struct vote_file *vote_file;      // owned
    struct journal *journal;          // owned; of the current generation
    struct buffer record;             // the vote record, encoded
    struct message_vote_record vote;  // the same, decoded; borrows from `record`
    uint64_t segment_size;            // of the journal
    struct state *state;              // borrowed; NULL for none
    struct state *received;           // borrowed; NULL for none
    struct buffer reads;              // bytes of the results of a run
    struct entry_place pending_reset; // a reset that found no space
    bool has_pending_reset;           // there is one
    bool refuses;                     // an append was refused and none taken since
    bool is_over;                     // another generation was installed
    bool has_failed;                  // a write or sync failed
};

static void folder_name(const char *folder, uint64_t generation, char out[DISK_NAME_SIZE_MAX])
{
    snprintf(out, DISK_NAME_SIZE_MAX, "%s/%" PRIu64, folder, generation);
}

// Collects names, each with its NUL.
static void on_name(void *context, const char *name)
{
    buffer_append(context, bytes_of(name, strlen(name) + 1));
}

// Removes a file, or a folder with everything in it.
static enum status remove_tree(struct disk *disk, const char *name, unsigned depth)
{
    AUTO(buffer_release) struct buffer names = {0};
    enum status status = disk_list(disk, name, on_name, &names);
    if (status != STATUS_ok && status != STATUS_absent) {
        return status;
    }
    for (size_t at = 0; at < names.size; at += strlen((char *)names.data + at) + 1) {
        char path[DISK_NAME_SIZE_MAX];
        int size = snprintf(path, sizeof path, "%s/%s", name, (char *)names.data + at);
        if (depth == 0 || size >= DISK_NAME_SIZE_MAX) {
            return STATUS_internal;
        }
        TRY(remove_tree(disk, path, depth - 1));
    }
    status = disk_remove(disk, name);
    return status == STATUS_absent ? STATUS_ok : status;
}

// Removes every generation but one in a folder of generations.
static enum status sweep(struct disk *disk, const char *folder, uint64_t generation)
{
    AUTO(buffer_release) struct buffer names = {0};
    enum status status = disk_list(disk, folder, on_name, &names);
    if (status == STATUS_absent) {
        return STATUS_ok;
    }
    TRY(status);
    char kept[DISK_NAME_SIZE_MAX];
    folder_name(folder, generation, kept);
    for (size_t at = 0; at < names.size; at += strlen((char *)names.data + at) + 1) {
        char path[DISK_NAME_SIZE_MAX];
        int size = snprintf(path, sizeof path, "%s/%s", folder, (char *)names.data + at);
        if (size < DISK_NAME_SIZE_MAX && strcmp(path, kept) != 0) {
            TRY(remove_tree(disk, path, REMOVE_DEPTH_MAX));
        }
    }
    return disk_sync_folder(disk, folder);
}

// Keeps a copy of an encoded vote record.
static enum status take_record(struct disk_worker *worker, struct bytes encoded)
{
    struct message message;
    struct bytes rest = encoded;
    TRY(message_decode(&rest, &message));
    if (message.kind != MESSAGE_vote_record || rest.size != 0) {
        return STATUS_bad_request;
    }
    if (encoded.data != worker->record.data) {
        buffer_clear(&worker->record);
        buffer_append(&worker->record, encoded);
    }
    rest = buffer_bytes(&worker->record);
    TRY(message_decode(&rest, &message));
    worker->vote = message.vote_record;
    return STATUS_ok;
}

static enum status open_journal(struct disk_worker *worker, const struct message_vote_record *vote,
                                struct journal **ret_journal)
{
    char folder[DISK_NAME_SIZE_MAX];
    folder_name(JOURNAL_FOLDER, vote->generation, folder);
    struct journal_options options = {.folder = folder,
                                      .cluster_id = vote->cluster_id,
                                      .segment_size = worker->segment_size,
                                      .high_water = vote->high_water_position,
                                      .high_water_epoch = vote->high_water_epoch};
    return journal_open(worker->disk, &options, ret_journal);
}

enum status disk_worker_format(struct disk *disk, struct bytes vote_record)
{
    struct vote_file *file = NULL;
    enum status status = vote_file_create(disk, vote_record, &file);
    vote_file_destroy(&file);
    return status;
}

enum status disk_worker_open(struct disk *disk, uint64_t segment_size,
                             struct disk_worker **ret_worker)
{
    AUTO(disk_worker_destroy) struct disk_worker *worker = calloc(1, sizeof *worker);
    ASSERT(worker != NULL);
    worker->disk = disk;
    worker->segment_size = segment_size;
    TRY(vote_file_open(disk, &worker->vote_file, &worker->record));
    TRY(take_record(worker, buffer_bytes(&worker->record)));
    TRY(sweep(disk, JOURNAL_FOLDER, worker->vote.generation));
    TRY(sweep(disk, STATE_FOLDER, worker->vote.generation));
    TRY(open_journal(worker, &worker->vote, &worker->journal));
    *ret_worker = worker;
    worker = NULL;
    return STATUS_ok;
}

void disk_worker_destroy(struct disk_worker **take_worker)
{
    struct disk_worker *worker = *take_worker;
    if (worker == NULL) {
        return;
    }
    journal_destroy(&worker->journal);
    vote_file_destroy(&worker->vote_file);
    buffer_release(&worker->record);
    buffer_release(&worker->reads);
    free(worker);
    *take_worker = NULL;
}

struct bytes disk_worker_vote_record(const struct disk_worker *worker)
{
    return buffer_bytes(&worker->record);
}

uint64_t disk_worker_generation(const struct disk_worker *worker)
{
    return worker->vote.generation;
}

const struct journal *disk_worker_journal(const struct disk_worker *worker)
{
    return worker->journal;
}

void disk_worker_set_state(struct disk_worker *worker, struct state *state)
{
    worker->state = state;
}

void disk_worker_set_received(struct disk_worker *worker, struct state *state)
{
    worker->received = state;
}

// Whether the entries continue the journal.
static bool continues(const struct disk_worker *worker, struct bytes entries)
{
    const struct entry_place *end = &journal_view(worker->journal)->end;
    struct entry entry;
    size_t size;
    return entry_decode(entries, worker->vote.cluster_id, &entry, &size) == STATUS_ok &&
           entry.position == end->position + 1 && entry.previous_crc == end->crc;
}

static enum status on_reset(struct disk_worker *worker, const struct entry_place *base)
{
    worker->pending_reset = *base;
    enum status status = journal_reset(worker->journal, &worker->pending_reset);
    worker->has_pending_reset = status == STATUS_read_only;
    return status;
}

static enum status on_append(struct disk_worker *worker, struct bytes entries)
{
    enum status status = STATUS_ok;
    if (worker->has_pending_reset) {
        status = on_reset(worker, &worker->pending_reset);
    }
    if (status == STATUS_ok && worker->refuses && !continues(worker, entries)) {
        status = STATUS_read_only;
    }
    if (status == STATUS_ok) {
        status = journal_append(worker->journal, entries);
    }
    worker->refuses = status == STATUS_read_only;
    return status;
}

static enum status on_truncate(struct disk_worker *worker, uint64_t position)
{
    uint64_t end = journal_view(worker->journal)->end.position;
    if (worker->has_pending_reset || (worker->refuses && position >= end)) {
        return STATUS_ok; // what should go was never written, or goes with the reset
    }
    return journal_truncate(worker->journal, position);
}

static enum status on_vote(struct disk_worker *worker, struct bytes encoded)
{
    TRY(vote_file_write(worker->vote_file, encoded));
    uint64_t cluster_id = worker->vote.cluster_id;
    enum status status = take_record(worker, encoded);
    ASSERT(status == STATUS_ok);
    if (worker->vote.cluster_id != 0 && worker->vote.cluster_id != cluster_id) {
        journal_set_cluster(worker->journal, worker->vote.cluster_id);
    }
    return STATUS_ok;
}

static enum status on_read(struct disk_worker *worker, const struct disk_request *request,
                           struct disk_done *done)
{
    const struct journal_view *view = journal_view(worker->journal);
    if (worker->has_pending_reset || request->position <= view->base.position ||
        request->position > view->end.position) {
        return STATUS_absent;
    }
    size_t before = worker->reads.size;
    enum status status = journal_read(worker->journal, request->position, (size_t)request->size,
                                      &worker->reads);
    done->bytes.size = worker->reads.size - before;
    return status;
}

// Whether the journal holds the entry that `base` is the place of.
static enum status holds(struct disk_worker *worker, const struct entry_place *base,
                         bool *ret_holds)
{
    const struct journal_view *view = journal_view(worker->journal);
    struct entry_place found = view->base;
    *ret_holds = false;
    if (base->position < view->base.position || base->position > view->end.position) {
        return STATUS_ok;
    }
    if (base->position > view->base.position) {
        AUTO(buffer_release) struct buffer frame = {0};
        struct entry entry;
        size_t size;
        TRY(journal_read(worker->journal, base->position, 1, &frame));
        TRY(entry_decode(buffer_bytes(&frame), worker->vote.cluster_id, &entry, &size));
        found = entry_place_of(&entry);
    }
    *ret_holds = found.epoch == base->epoch && found.crc == base->crc;
    return STATUS_ok;
}

// Copies the entries after `position` to the end of another journal.
static enum status copy_entries(struct disk_worker *worker, uint64_t position,
                                struct journal *journal)
{
    AUTO(buffer_release) struct buffer frames = {0};
    while (position < journal_view(worker->journal)->end.position) {
        buffer_clear(&frames);
        TRY(journal_read(worker->journal, position + 1, CATCH_UP_READ_SIZE, &frames));
        TRY(journal_append(journal, buffer_bytes(&frames)));
        position = journal_view(journal)->end.position;
    }
    return journal_sync(journal);
}

// Makes the journal of the next generation (3).
static enum status make_journal(struct disk_worker *worker, const struct message_vote_record *vote,
                                const struct entry_place *base)
{
    struct message_vote_record fresh = *vote;
    fresh.high_water_position = 0;
    AUTO(journal_destroy) struct journal *journal = NULL;
    TRY(open_journal(worker, &fresh, &journal));
    TRY(journal_reset(journal, base));
    bool is_held = false;
    if (!worker->has_pending_reset) {
        TRY(holds(worker, base, &is_held));
    }
    return is_held ? copy_entries(worker, base->position, journal) : STATUS_ok;
}

static enum status on_install(struct disk_worker *worker, const struct disk_request *request)
{
    struct message message;
    struct bytes rest = request->bytes;
    enum status status = message_decode(&rest, &message);
    ASSERT(status == STATUS_ok && message.kind == MESSAGE_vote_record);
    ASSERT(message.vote_record.generation == request->generation);
    ASSERT(request->generation != worker->vote.generation && worker->received != NULL);
    char folder[DISK_NAME_SIZE_MAX];
    folder_name(JOURNAL_FOLDER, request->generation, folder);
    TRY(remove_tree(worker->disk, folder, REMOVE_DEPTH_MAX));
    TRY(state_flush(worker->received));
    status = make_journal(worker, &message.vote_record, &request->base);
    if (status == STATUS_read_only) {
        TRY(remove_tree(worker->disk, folder, REMOVE_DEPTH_MAX));
    }
    TRY(status);
    TRY(vote_file_write(worker->vote_file, request->bytes));
    worker->is_over = true;
    return STATUS_ok;
}

static enum status run_one(struct disk_worker *worker, const struct disk_request *request,
                           struct disk_done *done)
{
    switch (request->kind) {
    case DISK_APPEND: return on_append(worker, request->bytes);
    case DISK_TRUNCATE: return on_truncate(worker, request->position);
    case DISK_VOTE: return on_vote(worker, request->bytes);
    case DISK_READ: return on_read(worker, request, done);
    case DISK_DROP: return journal_drop(worker->journal, request->position);
    case DISK_FLUSH: disk_worker_flush(worker->state, request, done); return done->status;
    case DISK_RESET: return on_reset(worker, &request->base);
    case DISK_INSTALL: return on_install(worker, request);
    }
    UNREACHABLE();
}

// Whether a failure leaves the disk as it was, so that the process may go on.
static bool is_harmless(enum disk_kind kind, enum status status)
{
    return status == STATUS_ok || status == STATUS_read_only || kind == DISK_READ ||
           kind == DISK_FLUSH;
}

static void run_request(struct disk_worker *worker, const struct disk_request *request,
                        struct disk_done *done)
{
    *done = (struct disk_done){
        .kind = request->kind, .sequence = request->sequence, .position = request->position};
    if (worker->has_failed || worker->is_over) {
        done->status = worker->has_failed ? STATUS_internal : STATUS_unavailable;
        return;
    }
    done->status = run_one(worker, request, done);
    if (!is_harmless(request->kind, done->status)) {
        worker->has_failed = true;
        done->status = STATUS_internal;
    }
    done->base = journal_view(worker->journal)->base;
}

// Syncs the appends in results[from..to).
static void sync_appends(struct disk_worker *worker, struct disk_done *results, size_t from,
                         size_t to)
{
    if (worker->has_failed || worker->is_over || journal_sync(worker->journal) == STATUS_ok) {
        return;
    }
    worker->has_failed = true;
    for (size_t i = from; i < to; i++) {
        results[i].status = STATUS_internal;
    }
}

// Lets the results point to the bytes that were read.
static void hand_out_reads(struct disk_worker *worker, struct disk_done *results, size_t count)
{
    size_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        if (results[i].bytes.size > 0) {
            results[i].bytes.data = worker->reads.data + offset;
            offset += results[i].bytes.size;
        }
    }
}

void disk_worker_run(struct disk_worker *worker, const struct disk_request *requests, size_t count,
                     struct disk_done *results)
{
    buffer_clear(&worker->reads);
    size_t first_append = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && requests[i - 1].kind != requests[i].kind) {
            first_append = i;
        }
        run_request(worker, &requests[i], &results[i]);
        bool is_last = i + 1 == count || requests[i + 1].kind != DISK_APPEND;
        if (requests[i].kind == DISK_APPEND && is_last) {
            sync_appends(worker, results, first_append, i + 1);
        }
    }
    hand_out_reads(worker, results, count);
}

bool disk_worker_has_failed(const struct disk_worker *worker)
{
    return worker->has_failed;
}

void disk_worker_flush(struct state *state, const struct disk_request *request,
                       struct disk_done *ret_done)
{
    *ret_done = (struct disk_done){.kind = request->kind,
                                   .sequence = request->sequence,
                                   .status = state_flush(state),
                                   .position = request->position};
}

bool disk_worker_prepare(struct disk_worker *worker)
{
    return !worker->has_failed && !worker->is_over && journal_prepare(worker->journal);
}
