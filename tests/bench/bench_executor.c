/*
 * What the state and the executor cost: CPU and wall time of puts and gets of random cells, and of
 * transactions that put one document, up to and including the apply of their entries.
 *
 *   bench_executor [SECONDS]     prints one line a measurement
 */
#include "base/assert.h"
#include "base/random.h"
#include "storage/apply.h"
#include "storage/executor.h"
#include "storage/rocksdb/state_rocksdb.h"
#include "storage/state_memory.h"
#include "tests/bench/bench_clock.h"
#include "wire/document/operation.h"
#include "wire/pack.h"

#include <endian.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CELLS = 1000000,   // to choose from
    PUTS = 64 * 10000, // so that about half of them are there, some twice
    BATCH = 64,
    VALUE_SIZE = 256,
    ENTRY_TRANSACTIONS = 512,
    SESSIONS = 64,
};

struct measurement {
    const char *name;
    double wall_s;   // at the start
    double thread_s; // at the start, of this thread
    double cpu_s;    // at the start, of the process: background work of RocksDB, too
};

static struct measurement measurement_start(const char *name)
{
    return (struct measurement){
        .name = name,
        .wall_s = clock_s(CLOCK_MONOTONIC),
        .thread_s = clock_s(CLOCK_THREAD_CPUTIME_ID),
        .cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID),
    };
}

static void measurement_print(const struct measurement *start, double count)
{
    printf("%-40s %8.2f us wall %8.2f us thread %8.2f us process   each of %.0f\n", start->name,
           (clock_s(CLOCK_MONOTONIC) - start->wall_s) / count * 1e6,
           (clock_s(CLOCK_THREAD_CPUTIME_ID) - start->thread_s) / count * 1e6,
           (clock_s(CLOCK_PROCESS_CPUTIME_ID) - start->cpu_s) / count * 1e6, count);
    fflush(stdout);
}

static double seconds_since(const struct measurement *start)
{
    return clock_s(CLOCK_MONOTONIC) - start->wall_s;
}

// A random cell out of CELLS; its value is half random, so that it can be compressed a little.
static struct bytes random_key(struct random *random, uint64_t key[2])
{
    key[0] = htobe64(random_below(random, CELLS) * UINT64_C(0x9e3779b97f4a7c15));
    key[1] = 0;
    return bytes_of(key, 16);
}

static void measure_puts(struct state *state, struct random *random)
{
    struct measurement start = measurement_start("put of 256 bytes, random, by 64");
    struct state_batch batch = {0};
    for (int done = 0; done < PUTS; done += BATCH) {
        state_batch_clear(&batch);
        for (int i = 0; i < BATCH; i++) {
            uint64_t key[2];
            uint64_t value[VALUE_SIZE / 8] = {0};
            for (int word = 0; word < VALUE_SIZE / 16; word++) {
                value[word] = random_next(random);
            }
            state_batch_put(&batch, random_key(random, key), bytes_of(value, sizeof value));
        }
        ASSERT(state_write(state, &batch) == STATUS_ok);
    }
    state_batch_release(&batch);
    measurement_print(&start, PUTS);
}

static void measure_gets(struct state *state, struct random *random, double seconds)
{
    struct measurement start = measurement_start("get, random");
    struct buffer value = {0};
    uint64_t count = 0;
    uint64_t found = 0;
    while (seconds_since(&start) < seconds) {
        for (int i = 0; i < BATCH; i++) {
            uint64_t key[2];
            buffer_clear(&value);
            found += state_get(state, NULL, random_key(random, key), &value) == STATUS_ok;
        }
        count += BATCH;
    }
    buffer_release(&value);
    measurement_print(&start, (double)count);
    printf("%-40s %8.0f %%\n", "  of them found", 100 * (double)found / (double)count);
}

static void measure_snapshots(struct state *state)
{
    enum { ROUNDS = 100000 };
    struct measurement start = measurement_start("snapshot, made and given up");
    for (int i = 0; i < ROUNDS; i++) {
        struct state_snapshot *snapshot;
        ASSERT(state_snapshot_new(state, &snapshot) == STATUS_ok);
        state_snapshot_destroy(state, &snapshot);
    }
    measurement_print(&start, ROUNDS);
}

// A transaction that puts one document of about 256 bytes.
static void pack_put(struct buffer *operations, struct random *random)
{
    uint8_t filler[VALUE_SIZE - 24];
    for (size_t i = 0; i < sizeof filler; i++) {
        filler[i] = (uint8_t)('a' + i % 26);
    }
    char id[24];
    snprintf(id, sizeof id, "%016llx", (unsigned long long)random_below(random, CELLS));
    struct buffer document = {0};
    pack_map(&document, 2);
    pack_text_literal(&document, "n");
    pack_u64(&document, random_below(random, 1000));
    pack_text_literal(&document, "text");
    pack_text(&document, bytes_of(filler, sizeof filler));
    struct operation operation = {
        .kind = OPERATION_put,
        .collection = bytes_from_text("bench"),
        .has_id = true,
        .id = {.is_text = true, .text = bytes_from_text(id)},
        .document = buffer_bytes(&document),
    };
    pack_array(operations, 1);
    operation_pack(&operation, operations);
    buffer_release(&document);
}

struct load {
    struct buffer operations[4096]; // transactions to choose from
    struct random random;
    uint64_t sequences[SESSIONS];
};

static void run_entry(struct executor *executor, struct load *load)
{
    for (int i = 0; i < ENTRY_TRANSACTIONS; i++) {
        unsigned session = (unsigned)i % SESSIONS;
        char name[32];
        snprintf(name, sizeof name, "bench-session-%u", session);
        uint64_t sequence = ++load->sequences[session];
        struct executor_request request = {
            .session = bytes_from_text(name),
            .sequence = sequence,
            .done_below = sequence > 8 ? sequence - 8 : 0,
            .operations = buffer_bytes(&load->operations[random_below(&load->random, 4096)]),
        };
        struct executor_outcome outcome;
        executor_run(executor, &request, &outcome);
        ASSERT(outcome.status == STATUS_ok && !outcome.replayed);
    }
}

// Transactions per entry as a busy primary has them, from run to applied; with or without apply.
static void measure_executor(const char *name, struct state *state, struct load *load,
                             double seconds, bool applies)
{
    struct executor *executor = executor_new(state);
    struct applied applied;
    struct buffer payload = {0};
    applied_init(&applied);
    ASSERT(applied_load(state, NULL, &applied) == STATUS_ok);
    struct measurement start = measurement_start(name);
    uint64_t count = 0;
    while (seconds_since(&start) < seconds) {
        uint64_t position = applied.place.position + 1;
        uint64_t version = applied.place.version;
        executor_open(executor, version, version + 1);
        run_entry(executor, load);
        buffer_clear(&payload);
        executor_close(executor, position, &payload);
        struct entry entry = {
            .kind = ENTRY_BATCH,
            .epoch = 1,
            .position = position,
            .version = version + ENTRY_TRANSACTIONS,
            .time_us = version + 1,
            .payload = buffer_bytes(&payload),
        };
        if (applies) {
            ASSERT(apply_entry(state, 1, &entry, &applied) == STATUS_ok);
        } else {
            applied.place.position = position;
            applied.place.version = entry.version;
        }
        executor_applied(executor, position);
        count += ENTRY_TRANSACTIONS;
    }
    measurement_print(&start, (double)count);
    printf("%-40s %8.0f bytes\n", "  payload a transaction",
           (double)payload.size / ENTRY_TRANSACTIONS);
    applied_release(&applied);
    buffer_release(&payload);
    executor_destroy(&executor);
}

static void measure_state(struct state *state, double seconds)
{
    struct random random;
    random_init(&random, 1);
    measure_puts(state, &random);
    measure_gets(state, &random, seconds);
    struct measurement start = measurement_start("flush");
    ASSERT(state_flush(state) == STATUS_ok);
    measurement_print(&start, 1);
    measure_gets(state, &random, seconds);
    measure_snapshots(state);
}

static struct load *load_new(void)
{
    struct load *load = calloc(1, sizeof *load);
    ASSERT(load != NULL);
    random_init(&load->random, 2);
    for (size_t i = 0; i < 4096; i++) {
        pack_put(&load->operations[i], &load->random);
    }
    return load;
}

static void load_destroy(struct load **take_load)
{
    for (size_t i = 0; i < 4096; i++) {
        buffer_release(&(*take_load)->operations[i]);
    }
    free(*take_load);
    *take_load = NULL;
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *where)
{
    (void)stat;
    (void)flag;
    (void)where;
    return remove(path);
}

static void measure_memory(double seconds)
{
    struct state *state = state_memory_new();
    AUTO(load_destroy) struct load *load = load_new();
    printf("state in memory\n");
    measure_executor("transaction, not applied", state, load, seconds, false);
    state_destroy(&state);
    state = state_memory_new();
    memset(load->sequences, 0, sizeof load->sequences);
    measure_executor("transaction, applied", state, load, seconds, true);
    measure_state(state, seconds);
    state_destroy(&state);
}

static void measure_rocksdb(double seconds)
{
    char path[] = "/tmp/skein-bench-XXXXXX";
    ASSERT(mkdtemp(path) != NULL);
    struct state *state;
    struct buffer error = {0};
    ASSERT(state_rocksdb_open(path, NULL, &state, &error) == STATUS_ok);
    AUTO(load_destroy) struct load *load = load_new();
    printf("state on RocksDB\n");
    measure_executor("transaction, applied", state, load, seconds, true);
    measure_state(state, seconds);
    printf("%-40s %8.1f MiB\n", "  memory by its own account",
           (double)state_rocksdb_memory(state) / 1048576);
    state_destroy(&state);
    ASSERT(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    measure_memory(seconds);
    measure_rocksdb(seconds);
    return 0;
}
