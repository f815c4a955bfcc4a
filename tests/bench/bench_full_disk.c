/*
 * What RocksDB does on a full disk, and that a flush means what it says afterwards: fills a small
 * file system of its own, frees some space, writes on, flushes, opens again and looks whether
 * everything is there. Not a unit test, since it needs root (to mount) and takes RocksDB's 5 s to
 * recover.
 *
 *   bench_full_disk FOLDER     an empty folder to mount a tmpfs on; exit 0: nothing was lost
 */
#include "base/assert.h"
#include "base/random.h"
#include "storage/rocksdb/state_rocksdb.h"
#include "tests/bench/bench_clock.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

enum { BATCH = 64, BALLAST_SIZE = 20 * 1024 * 1024, BATCHES_AFTER = 200, RECOVERY_S_MAX = 30 };

static struct state *open_state(const char *path)
{
    struct state *state = NULL;
    struct buffer error = {0};
    enum status status = state_rocksdb_open(path, NULL, &state, &error);
    if (status != STATUS_ok) {
        fprintf(stderr, "%s: %.*s\n", status_name(status), (int)error.size,
                (const char *)error.data);
    }
    ASSERT(status == STATUS_ok);
    buffer_release(&error);
    return state;
}

static struct bytes cell_key(uint64_t number, uint64_t key[2])
{
    key[0] = number;
    key[1] = 1;
    return bytes_of(key, 16);
}

// Cell `n` to `n + BATCH - 1`, with values that can't be compressed.
static enum status put_batch(struct state *state, uint64_t n)
{
    AUTO(state_batch_release) struct state_batch batch = {0};
    struct random random;
    random_init(&random, n);
    for (uint64_t i = n; i < n + BATCH; i++) {
        uint64_t key[2];
        uint64_t value[32];
        for (int word = 0; word < 32; word++) {
            value[word] = random_next(&random);
        }
        state_batch_put(&batch, cell_key(i, key), bytes_of(value, sizeof value));
    }
    return state_write(state, &batch);
}

static uint64_t count_missing(struct state *state, uint64_t cells)
{
    AUTO(buffer_release) struct buffer value = {0};
    uint64_t missing = 0;
    for (uint64_t i = 0; i < cells; i++) {
        uint64_t key[2];
        buffer_clear(&value);
        missing += state_get(state, NULL, cell_key(i, key), &value) != STATUS_ok;
    }
    return missing;
}

static void mount_small_disk(const char *folder)
{
    ASSERT(unshare(CLONE_NEWNS) == 0);
    ASSERT(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    ASSERT(mount("tmpfs", folder, "tmpfs", 0, "size=48m") == 0);
    ASSERT(chdir(folder) == 0);
    int ballast = open("ballast", O_CREAT | O_WRONLY, 0600);
    ASSERT(ballast >= 0 && posix_fallocate(ballast, 0, BALLAST_SIZE) == 0);
    close(ballast);
}

static uint64_t fill(struct state *state)
{
    uint64_t cells = 0;
    enum status status = put_batch(state, cells);
    while (status == STATUS_ok) {
        cells += BATCH;
        status = put_batch(state, cells);
    }
    printf("full after %llu cells: write %s, flush %s, of them missing %llu\n",
           (unsigned long long)cells, status_name(status), status_name(state_flush(state)),
           (unsigned long long)count_missing(state, cells));
    ASSERT(status == STATUS_read_only);
    return cells;
}

static void wait_for_recovery(struct state *state, uint64_t cells)
{
    double start_s = clock_s(CLOCK_MONOTONIC);
    enum status status = put_batch(state, cells);
    while (status != STATUS_ok && clock_s(CLOCK_MONOTONIC) - start_s < RECOVERY_S_MAX) {
        usleep(100 * 1000);
        status = put_batch(state, cells);
    }
    printf("%.1f s after space came back: write %s\n", clock_s(CLOCK_MONOTONIC) - start_s,
           status_name(status));
    ASSERT(status == STATUS_ok);
}

// A flush is refused until there is room for all that is in memory.
static void flush_when_there_is_room(struct state *state)
{
    double start_s = clock_s(CLOCK_MONOTONIC);
    enum status status = state_flush(state);
    while (status == STATUS_read_only && clock_s(CLOCK_MONOTONIC) - start_s < RECOVERY_S_MAX) {
        usleep(100 * 1000);
        status = state_flush(state);
    }
    printf("%.1f s later: flush %s\n", clock_s(CLOCK_MONOTONIC) - start_s, status_name(status));
    ASSERT(status == STATUS_ok);
}

int main(int argc, char **argv)
{
    ASSERT(argc == 2);
    mount_small_disk(argv[1]);
    struct state *state = open_state("state");
    uint64_t cells = fill(state);
    ASSERT(unlink("ballast") == 0);
    wait_for_recovery(state, cells);
    cells += BATCH;
    flush_when_there_is_room(state);
    for (int i = 0; i < BATCHES_AFTER; i++, cells += BATCH) {
        ASSERT(put_batch(state, cells) == STATUS_ok);
    }
    flush_when_there_is_room(state);
    state_destroy(&state);
    state = open_state("state");
    uint64_t missing = count_missing(state, cells);
    printf("after the flush, opened again: %llu of %llu missing\n", (unsigned long long)missing,
           (unsigned long long)cells);
    state_destroy(&state);
    return missing == 0 ? 0 : 1;
}
