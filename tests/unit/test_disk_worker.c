// The disk worker: order, group commit, generations, a full disk, failures.
#include "actors/storage/disk_worker.h"

#include "storage/state_memory.h"
#include "tests/sim/disk.h"

#include <criterion/criterion.h>

enum { CLUSTER = 5, SEGMENT = 16 * KIB };

static struct sim_disk *disk;
static struct disk_worker *worker;
static struct state *received;
static struct random chance;
static struct message_vote_record vote;
static struct entry_place end; // of the entries made
static struct buffer frames;   // of the entries made
static uint64_t sequence;

static void encode_vote(struct buffer *out)
{
    message_encode(&(struct message){.kind = MESSAGE_vote_record, .vote_record = vote}, out);
}

static void open_worker(void)
{
    enum status status = disk_worker_open(sim_disk_port(disk), SEGMENT, &worker);
    cr_assert_eq(status, STATUS_ok, "%s", status_name(status));
}

static void set_up(void)
{
    AUTO(buffer_release) struct buffer record = {0};
    disk = sim_disk_new();
    random_init(&chance, 3);
    vote = (struct message_vote_record){.format = 1,
                                        .name = bytes_from_text("s1"),
                                        .cluster_name = bytes_from_text("test"),
                                        .directory_id = 9,
                                        .cluster_id = CLUSTER,
                                        .generation = 1};
    end = (struct entry_place){0};
    encode_vote(&record);
    cr_assert_eq(disk_worker_format(sim_disk_port(disk), buffer_bytes(&record)), STATUS_ok);
    open_worker();
    received = state_memory_new();
    disk_worker_set_received(worker, received);
    disk_worker_set_state(worker, received);
}

static void tear_down(void)
{
    disk_worker_destroy(&worker);
    sim_disk_destroy(&disk);
    state_destroy(&received);
    buffer_release(&frames);
}

TestSuite(disk_worker, .init = set_up, .fini = tear_down);

static void restart(bool cut_power)
{
    disk_worker_destroy(&worker);
    if (cut_power) {
        sim_disk_crash(disk, &chance);
    }
    open_worker();
    disk_worker_set_received(worker, received);
    disk_worker_set_state(worker, received);
}

// Makes one entry of a kilobyte after the last and returns its frame.
static struct bytes make_entry(void)
{
    static const uint8_t payload[1000];
    buffer_clear(&frames);
    struct entry entry = {.kind = ENTRY_BATCH,
                          .epoch = 1,
                          .previous_crc = end.crc,
                          .position = end.position + 1,
                          .version = end.position + 1,
                          .payload = bytes_of(payload, sizeof payload)};
    entry_encode(&entry, CLUSTER, &frames);
    end = entry_place_of(&entry);
    return buffer_bytes(&frames);
}

static struct disk_done run(struct disk_request request)
{
    struct disk_done done;
    request.sequence = ++sequence;
    disk_worker_run(worker, &request, 1, &done);
    cr_assert_eq(done.sequence, request.sequence);
    cr_assert_eq(done.kind, request.kind);
    return done;
}

static enum status append(void)
{
    struct entry_place before = end;
    struct bytes frame = make_entry();
    enum status status = run((struct disk_request){.kind = DISK_APPEND, .bytes = frame}).status;
    if (status != STATUS_ok) {
        end = before;
    }
    return status;
}

static enum status write_vote(void)
{
    AUTO(buffer_release) struct buffer record = {0};
    encode_vote(&record);
    return run((struct disk_request){.kind = DISK_VOTE, .bytes = buffer_bytes(&record)}).status;
}

static enum status install(uint64_t generation, struct entry_place base)
{
    AUTO(buffer_release) struct buffer record = {0};
    uint64_t before = vote.generation;
    vote.generation = generation;
    encode_vote(&record);
    struct disk_request request = {.kind = DISK_INSTALL,
                                   .bytes = buffer_bytes(&record),
                                   .generation = generation,
                                   .base = base};
    enum status status = run(request).status;
    vote.generation = status == STATUS_ok ? generation : before;
    return status;
}

static const struct journal_view *view(void)
{
    return journal_view(disk_worker_journal(worker));
}

static bool record_is(uint64_t promised)
{
    struct message message;
    struct bytes rest = disk_worker_vote_record(worker);
    return message_decode(&rest, &message) == STATUS_ok && message.vote_record.promised == promised;
}

Test(disk_worker, needs_a_prepared_directory)
{
    disk_worker_destroy(&worker);
    sim_disk_wipe(disk);
    cr_assert_eq(disk_worker_open(sim_disk_port(disk), SEGMENT, &worker), STATUS_absent);
    cr_assert_null(worker);
}

Test(disk_worker, prepares_a_directory_once)
{
    AUTO(buffer_release) struct buffer record = {0};
    encode_vote(&record);
    cr_assert_eq(disk_worker_format(sim_disk_port(disk), buffer_bytes(&record)), STATUS_exists);
}

Test(disk_worker, has_made_durable_what_it_reports)
{
    for (unsigned i = 0; i < 30; i++) {
        cr_assert_eq(append(), STATUS_ok);
        vote.promised = i;
        cr_assert_eq(write_vote(), STATUS_ok);
        restart(true);
        cr_assert_eq(view()->end.position, i + 1);
        cr_assert(record_is(i));
    }
}

// Runs `count` appends, and with a vote in the middle if asked for.
static void run_appends(size_t count, size_t vote_at, struct disk_done *results)
{
    struct disk_request requests[16] = {{0}};
    AUTO(buffer_release) struct buffer record = {0};
    AUTO(buffer_release) struct buffer bytes = {0};
    size_t sizes[16] = {0};
    encode_vote(&record);
    for (size_t i = 0; i < count; i++) {
        struct bytes made = i == vote_at ? buffer_bytes(&record) : make_entry();
        buffer_append(&bytes, made);
        sizes[i] = made.size;
    }
    for (size_t i = 0, offset = 0; i < count; offset += sizes[i++]) {
        requests[i].kind = i == vote_at ? DISK_VOTE : DISK_APPEND;
        requests[i].bytes = bytes_of(bytes.data + offset, sizes[i]);
    }
    disk_worker_run(worker, requests, count, results);
}

Test(disk_worker, syncs_a_run_of_appends_once)
{
    struct disk_done results[8];
    uint64_t before = sim_disk_usage(disk)->syncs;
    run_appends(8, SIZE_MAX, results);
    cr_assert_eq(sim_disk_usage(disk)->syncs, before + 1);
    cr_assert_eq(results[7].status, STATUS_ok);
}

Test(disk_worker, syncs_the_appends_before_a_vote_first)
{
    struct disk_done results[5];
    uint64_t before = sim_disk_usage(disk)->syncs;
    run_appends(5, 2, results);
    cr_assert_eq(sim_disk_usage(disk)->syncs, before + 4); // appends, two copies, appends
}

Test(disk_worker, fails_the_whole_run_of_appends_when_their_sync_fails)
{
    struct disk_done results[4];
    sim_disk_fail_after(disk, 4, STATUS_internal);
    run_appends(4, SIZE_MAX, results);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(results[i].status, STATUS_internal);
    }
    cr_assert(disk_worker_has_failed(worker));
    cr_assert_eq(write_vote(), STATUS_internal);
    cr_assert(!disk_worker_prepare(worker));
}

Test(disk_worker, reads_entries_back)
{
    struct disk_done done[3];
    run_appends(10, SIZE_MAX, (struct disk_done[10]){{0}});
    struct disk_request reads[3] = {{.kind = DISK_READ, .position = 2, .size = 1},
                                    {.kind = DISK_READ, .position = 11, .size = 1},
                                    {.kind = DISK_READ, .position = 5, .size = 100000}};
    disk_worker_run(worker, reads, 3, done);
    struct entry entry;
    size_t size;
    cr_assert_eq(entry_decode(done[0].bytes, CLUSTER, &entry, &size), STATUS_ok);
    cr_assert_eq(entry.position, 2);
    cr_assert_eq(size, done[0].bytes.size);
    cr_assert_eq(done[1].status, STATUS_absent);
    cr_assert_eq(entry_decode(done[2].bytes, CLUSTER, &entry, &size), STATUS_ok);
    cr_assert_eq(entry.position, 5);
    cr_assert_eq(done[2].bytes.size, 6 * size);
}

Test(disk_worker, reports_rot_without_failing)
{
    run_appends(10, SIZE_MAX, (struct disk_done[10]){{0}});
    cr_assert(sim_disk_flip(disk, "journal/1/0000000000000001", 4096 + 500, 2));
    struct disk_request request = {.kind = DISK_READ, .position = 1, .size = 1};
    cr_assert_eq(run(request).status, STATUS_damaged);
    cr_assert(!disk_worker_has_failed(worker));
}

Test(disk_worker, truncates_drops_and_tells_the_base)
{
    for (unsigned i = 0; i < 40; i++) {
        cr_assert_eq(append(), STATUS_ok);
    }
    struct disk_done done = run((struct disk_request){.kind = DISK_DROP, .position = 25});
    cr_assert_eq(done.status, STATUS_ok);
    cr_assert(done.base.position > 0 && done.base.position <= 25);
    done = run((struct disk_request){.kind = DISK_TRUNCATE, .position = 30});
    cr_assert_eq(done.status, STATUS_ok);
    restart(true);
    cr_assert_eq(view()->end.position, 30);
}

Test(disk_worker, learns_the_cluster_from_a_vote)
{
    disk_worker_destroy(&worker);
    sim_disk_wipe(disk);
    vote.cluster_id = 0;
    AUTO(buffer_release) struct buffer record = {0};
    encode_vote(&record);
    cr_assert_eq(disk_worker_format(sim_disk_port(disk), buffer_bytes(&record)), STATUS_ok);
    open_worker();
    vote.cluster_id = CLUSTER;
    cr_assert_eq(write_vote(), STATUS_ok);
    cr_assert_eq(append(), STATUS_ok);
    restart(true);
    cr_assert_eq(view()->end.position, 1);
}

Test(disk_worker, flushes_the_state)
{
    AUTO(state_batch_release) struct state_batch batch = {0};
    AUTO(buffer_release) struct buffer value = {0};
    state_batch_put(&batch, bytes_from_text("key"), bytes_from_text("value"));
    cr_assert_eq(state_write(received, &batch), STATUS_ok);
    struct disk_done done = run((struct disk_request){.kind = DISK_FLUSH, .position = 17});
    cr_assert_eq(done.status, STATUS_ok);
    cr_assert_eq(done.position, 17);
    state_memory_crash(received);
    cr_assert_eq(state_get(received, NULL, bytes_from_text("key"), &value), STATUS_ok);
}

Test(disk_worker, refuses_what_was_queued_behind_an_append_that_found_no_space)
{
    while (disk_worker_prepare(worker)) {
    }
    sim_disk_set_free(disk, 0);
    while (append() == STATUS_ok) {
    }
    struct entry_place held = end;
    struct disk_done results[3];
    sim_disk_set_free(disk, 0);
    run_appends(3, SIZE_MAX, results);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(results[i].status, STATUS_read_only);
    }
    sim_disk_set_free(disk, UINT64_MAX);
    cr_assert_eq(append(), STATUS_read_only); // continues what was refused
    end = held;
    cr_assert_eq(append(), STATUS_ok);
    cr_assert_eq(append(), STATUS_ok);
    restart(true);
    cr_assert_eq(view()->end.position, held.position + 2);
}

Test(disk_worker, takes_a_truncation_of_what_was_refused)
{
    sim_disk_set_free(disk, 0);
    while (append() == STATUS_ok) {
    }
    uint64_t held = end.position;
    cr_assert_eq(run((struct disk_request){.kind = DISK_TRUNCATE, .position = held + 1}).status,
                 STATUS_ok);
    cr_assert_eq(view()->end.position, held);
    cr_assert(!disk_worker_has_failed(worker));
}

Test(disk_worker, resets_the_journal_when_there_is_space_again)
{
    sim_disk_set_free(disk, 0);
    cr_assert_eq(append(), STATUS_ok);
    struct entry_place base = {.epoch = 2, .position = 100, .version = 7, .crc = 8};
    struct disk_request request = {.kind = DISK_RESET, .base = base};
    cr_assert_eq(run(request).status, STATUS_read_only);
    end = base;
    cr_assert_eq(append(), STATUS_read_only);
    sim_disk_set_free(disk, UINT64_MAX);
    cr_assert_eq(append(), STATUS_ok);
    restart(true);
    cr_assert_eq(view()->base.position, 100);
    cr_assert_eq(view()->end.position, 101);
}

Test(disk_worker, opens_a_damaged_journal)
{
    run_appends(5, SIZE_MAX, (struct disk_done[5]){{0}});
    cr_assert_eq(append(), STATUS_ok);
    cr_assert(sim_disk_flip(disk, "journal/1/0000000000000001", 4096 + 500, 2));
    restart(false);
    cr_assert(view()->damaged);
}

Test(disk_worker, installs_a_state_with_an_empty_journal)
{
    cr_assert_eq(append(), STATUS_ok);
    struct entry_place base = {.epoch = 2, .position = 100, .version = 7, .crc = 8};
    cr_assert_eq(install(2, base), STATUS_ok);
    cr_assert_eq(append(), STATUS_unavailable);
    restart(true);
    cr_assert_eq(disk_worker_generation(worker), 2);
    cr_assert_eq(view()->base.position, 100);
    cr_assert_eq(view()->end.position, 100);
    AUTO(buffer_release) struct buffer old = {0};
    cr_assert(!sim_disk_peek(disk, "journal/1/0000000000000001", &old));
}

Test(disk_worker, keeps_the_entries_after_the_installed_state)
{
    struct entry_place base = {0};
    for (unsigned i = 0; i < 40; i++) {
        cr_assert_eq(append(), STATUS_ok);
        base = i == 9 ? end : base;
    }
    vote.high_water_position = 40;
    vote.high_water_epoch = 1;
    cr_assert_eq(install(2, base), STATUS_ok);
    restart(true);
    cr_assert(!view()->damaged);
    cr_assert_eq(view()->base.position, 10);
    cr_assert_eq(view()->end.position, 40);
    cr_assert_eq(append(), STATUS_ok);
}

Test(disk_worker, keeps_nothing_behind_a_state_of_another_history)
{
    for (unsigned i = 0; i < 10; i++) {
        cr_assert_eq(append(), STATUS_ok);
    }
    struct entry_place base = {.epoch = 1, .position = 5, .version = 5, .crc = 1};
    cr_assert_eq(install(2, base), STATUS_ok);
    restart(true);
    cr_assert_eq(view()->end.position, 5);
}

Test(disk_worker, installs_nothing_on_a_full_disk)
{
    cr_assert_eq(append(), STATUS_ok);
    sim_disk_set_free(disk, 100);
    struct entry_place base = {.epoch = 2, .position = 100, .version = 7, .crc = 8};
    cr_assert_eq(install(2, base), STATUS_read_only);
    cr_assert_eq(append(), STATUS_ok);
    restart(true);
    cr_assert_eq(disk_worker_generation(worker), 1);
    cr_assert_eq(view()->end.position, 2);
}

// An installation that fails at some operation, and what is found after a power cut.
static bool install_failing_at(uint64_t count)
{
    struct entry_place base = {.epoch = 2, .position = 100, .version = 7, .crc = 8};
    uint64_t held = end.position;
    uint64_t next = disk_worker_generation(worker) + 1;
    sim_disk_fail_after(disk, count, STATUS_internal);
    bool is_done = install(next, base) == STATUS_ok;
    cr_assert(is_done || disk_worker_has_failed(worker));
    sim_disk_fail_after(disk, 0, STATUS_ok);
    restart(true);
    bool is_new = disk_worker_generation(worker) == next;
    cr_assert(is_new || !is_done);
    cr_assert(!view()->damaged, "%s", view()->damage);
    cr_assert_eq(view()->end.position, is_new ? 100 : held);
    return is_done;
}

Test(disk_worker, switches_to_a_generation_wholly_or_not_at_all)
{
    bool is_done = false;
    for (uint64_t count = 0; !is_done; count++) {
        tear_down();
        set_up();
        random_init(&chance, count);
        for (unsigned i = 0; i < 20; i++) {
            cr_assert_eq(append(), STATUS_ok);
        }
        is_done = install_failing_at(count);
    }
}

// One request of a kind that may fail at any operation. Nothing that was reported may be lost.
static bool run_failing_at(unsigned kind, uint64_t count, enum status failure)
{
    uint64_t promised = vote.promised;
    struct entry_place before = end;
    sim_disk_fail_after(disk, count, failure);
    enum status status = STATUS_ok;
    switch (kind) {
    case 0: status = append(); break;
    case 1:
        vote.promised++;
        status = write_vote();
        break;
    case 2: status = run((struct disk_request){.kind = DISK_DROP, .position = 12}).status; break;
    case 3: disk_worker_prepare(worker); break;
    default: status = run((struct disk_request){.kind = DISK_FLUSH}).status; break;
    }
    bool has_happened = sim_disk_has_failed(disk);
    cr_assert(status == STATUS_ok || status == failure || disk_worker_has_failed(worker));
    sim_disk_fail_after(disk, 0, STATUS_ok);
    restart(true);
    cr_assert(!view()->damaged, "%s", view()->damage);
    cr_assert_geq(view()->end.position, end.position);
    cr_assert_leq(view()->end.position, before.position + 1);
    cr_assert(record_is(vote.promised) || (status != STATUS_ok && record_is(promised)));
    return has_happened;
}

Test(disk_worker, loses_nothing_reported_when_any_operation_fails)
{
    const enum status failures[] = {STATUS_internal, STATUS_read_only};
    for (unsigned i = 0; i < 2 * 5; i++) {
        bool has_failed = true;
        for (uint64_t count = 0; has_failed; count++) {
            tear_down();
            set_up();
            random_init(&chance, count * 10 + i);
            for (unsigned made = 0; made < 22; made++) {
                cr_assert_eq(append(), STATUS_ok);
            }
            has_failed = run_failing_at(i / 2, count, failures[i % 2]);
        }
    }
}
