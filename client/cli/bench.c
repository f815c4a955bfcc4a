/*
 * `skein bench`: keeps --clients requests outstanding for --seconds and tells how many ended and
 * how long they took. Each of --connections clients has a loop, a thread and sockets of its own; a
 * slot sends its next request from the end of the one before, on the loop's thread, so that nothing
 * is shared while measuring but one flag.
 *
 * Requests that end after the time is over are waited for but not counted. Latencies are in
 * histograms of which each bucket is at most 1/16 wide.
 */
#include "client/cli/commands.h"

#include "base/assert.h"
#include "base/histogram.h"
#include "client/cli/connection.h"
#include "client/cli/cpu_time.h"
#include "client/cli/index_build.h"
#include "client/cli/workload.h"
#include "wire/pack.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 64,
    SECONDS_MAX = 24 * 60 * 60,
    KEYS_MAX = 100000000,
    PREPARE_SIZE = 512 * KIB, // of documents in one transaction of the preparation
    PREPARE_COUNT_MAX = 500,  // documents in one
    PROGRESS_US = 250000,
};

struct bench_options {
    struct workload_options workload;
    uint64_t clients;
    uint64_t connections;
    uint64_t seconds;
};

// Processes that echo.
struct bench_targets {
    char names[MEMBER_COUNT_MAX][NAME_SIZE_MAX + 1];
    size_t count;
};

struct bench {
    struct call *call;
    struct bench_options options;
    struct bench_targets targets;
    struct bench_connection *connections; // owned array
    atomic_bool is_over;                  // slots send no more
    atomic_uint_fast64_t ops;             // for the progress
    pthread_mutex_t lock;
    pthread_cond_t has_ended; // active went to 0
    uint64_t active;          // slots that have a request outstanding
};

// What the requests of one loop came to; written by its thread only.
struct bench_connection {
    struct bench *bench;
    struct client_loop *loop; // owned
    struct histogram latencies;
    uint64_t ops;
    uint64_t errors;
    uint64_t unknown;
};

// One request after another.
struct bench_slot {
    struct bench_connection *connection;
    struct random random;
    uint64_t sent_us;         // when the one under way was submitted
    struct buffer operations; // of the one under way
};

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void on_end(void *context, const struct client_completion *completion);

static enum status send_echo(struct bench_slot *slot)
{
    struct bench *bench = slot->connection->bench;
    uint64_t size = bench->options.workload.size;
    const char *name = bench->targets.names[random_below(&slot->random, bench->targets.count)];
    buffer_clear(&slot->operations);
    memset(buffer_extend(&slot->operations, size), 'x', size);
    const struct client_call ask = {
        .message = {.kind = MESSAGE_echo, .echo = {.payload = buffer_bytes(&slot->operations)}},
        .to = bytes_from_text(name),
        .timeout_ms = bench->call->timeout_ms};
    return client_loop_call(slot->connection->loop, &ask, on_end, slot);
}

static enum status send_operations(struct bench_slot *slot)
{
    struct bench *bench = slot->connection->bench;
    bool is_read;
    workload_next(&bench->options.workload, &slot->random, &slot->operations, &is_read);
    if (is_read) {
        const struct client_read ask = {.operations = buffer_bytes(&slot->operations),
                                        .level = READ_linearizable,
                                        .timeout_ms = bench->call->timeout_ms};
        return client_loop_read(slot->connection->loop, &ask, on_end, slot);
    }
    const struct client_transaction ask = {.operations = buffer_bytes(&slot->operations),
                                           .timeout_ms = bench->call->timeout_ms};
    return client_loop_transact(slot->connection->loop, &ask, on_end, slot);
}

// Submits the slot's next request; the slot ends when that is refused or the time is over.
static void slot_go_on(struct bench_slot *slot)
{
    struct bench *bench = slot->connection->bench;
    bool is_echo = bench->options.workload.workload == WORKLOAD_echo;
    slot->sent_us = now_us();
    if (!atomic_load_explicit(&bench->is_over, memory_order_relaxed) &&
        (is_echo ? send_echo(slot) : send_operations(slot)) == STATUS_ok) {
        return;
    }
    pthread_mutex_lock(&bench->lock);
    bench->active--;
    pthread_cond_signal(&bench->has_ended);
    pthread_mutex_unlock(&bench->lock);
}

static void on_end(void *context, const struct client_completion *completion)
{
    struct bench_slot *slot = context;
    struct bench_connection *connection = slot->connection;
    bool counts = !atomic_load_explicit(&connection->bench->is_over, memory_order_relaxed);
    if (counts && completion->status == STATUS_ok) {
        histogram_record(&connection->latencies, now_us() - slot->sent_us);
        connection->ops++;
        atomic_fetch_add_explicit(&connection->bench->ops, 1, memory_order_relaxed);
    } else if (completion->status == STATUS_unknown_outcome) {
        connection->unknown++;
    } else if (completion->status != STATUS_ok) {
        connection->errors++;
    }
    slot_go_on(slot);
}

static enum status read_options(struct call *call, struct bench_options *ret_options)
{
    struct bench_options options = {
        .workload = {.workload = WORKLOAD_write, .keys = 10000, .size = 256},
        .clients = 64,
        .connections = 1,
        .seconds = 10};
    const struct arguments *arguments = &call->arguments;
    const char *name = arguments_text(arguments, "workload");
    if (name != NULL && !workload_from_name(name, &options.workload.workload)) {
        return failure_set(&call->failure, STATUS_bad_request,
                           "there is no workload %s: write, read, mixed, update, txn, find or echo",
                           name);
    }
    const struct {
        struct number_option option;
        uint64_t *into;
    } numbers[] = {
        {{"clients", 1, CLIENT_OUTSTANDING_MAX}, &options.clients},
        {{"connections", 1, CONNECTIONS_MAX}, &options.connections},
        {{"seconds", 1, SECONDS_MAX}, &options.seconds},
        {{"size", 0, DOCUMENT_SIZE_MAX / 2}, &options.workload.size},
        {{"keys", 1, KEYS_MAX}, &options.workload.keys},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        TRY(arguments_number(arguments, &numbers[i].option, numbers[i].into, &call->failure));
    }
    if (options.clients < options.connections) {
        options.connections = options.clients;
    }
    *ret_options = options;
    return STATUS_ok;
}

// Makes the index unless it is there, and waits until it serves.
static enum status prepare_index(struct bench *bench)
{
    AUTO(answer_release) struct answer answer = {0};
    struct client_loop *loop = bench->connections[0].loop;
    const struct operation index = workload_index();
    enum status status = index_create(bench->call, loop, &index, &answer);
    if (status == STATUS_exists) {
        return index_await(bench->call, loop, index.collection, index.index);
    }
    return status;
}

// Writes all documents once.
static enum status prepare(struct bench *bench)
{
    const struct workload_options *options = &bench->options.workload;
    AUTO(buffer_release) struct buffer operations = {0};
    uint64_t batch = PREPARE_SIZE / (options->size + 1);
    batch = batch > PREPARE_COUNT_MAX ? PREPARE_COUNT_MAX : batch + 1;
    for (uint64_t first = 0; first < options->keys; first += batch) {
        AUTO(answer_release) struct answer answer = {0};
        char text[64];
        uint64_t left = options->keys - first;
        workload_prepare(options, first, left < batch ? left : batch, &operations);
        TRY(connection_transact(bench->call, bench->connections[0].loop, buffer_bytes(&operations),
                                &answer));
        snprintf(text, sizeof text, "preparing: %llu of %llu documents", (unsigned long long)first,
                 (unsigned long long)options->keys);
        output_progress(text);
    }
    return STATUS_ok;
}

static void find_targets(struct bench *bench, const struct message_topology *topology)
{
    struct bytes members = topology->members;
    struct message_member member;
    while (bench->targets.count < MEMBER_COUNT_MAX && members_next(&members, &member)) {
        bool serves = member.role == ROLE_writer || member.role == ROLE_reader;
        if (serves && member.state != MEMBER_unreachable) {
            char *name = bench->targets.names[bench->targets.count++];
            memcpy(name, member.name.data, member.name.size);
            name[member.name.size] = '\0';
        }
    }
}

// Processor time of the cluster now; false if it can't be told.
static bool read_cpu_time(struct bench *bench, double *ret_seconds)
{
    AUTO(answer_release) struct answer answer = {0};
    struct client_loop *loop = bench->connections[0].loop;
    return connection_topology(bench->call, loop, &answer) == STATUS_ok &&
           cpu_time_of(&answer.reply.topology, ret_seconds);
}

// Shows the progress until the time is over.
static void watch_progress(struct bench *bench, uint64_t began_us)
{
    uint64_t until_us = began_us + bench->options.seconds * 1000000;
    for (uint64_t now = began_us; now < until_us; now = now_us()) {
        char text[96];
        uint64_t ops = atomic_load(&bench->ops);
        uint64_t elapsed_us = now > began_us ? now - began_us : 1;
        snprintf(text, sizeof text, "%s: %llu of %llu s, %llu requests a second",
                 workload_name(bench->options.workload.workload),
                 (unsigned long long)(elapsed_us / 1000000),
                 (unsigned long long)bench->options.seconds,
                 (unsigned long long)(ops * 1000000 / elapsed_us));
        output_progress(text);
        uint64_t left_us = until_us - now;
        usleep((useconds_t)(left_us < PROGRESS_US ? left_us : PROGRESS_US));
    }
    output_progress("");
}

// Runs all slots for the time of the bench; returns for how long they ran.
static uint64_t run_slots(struct bench *bench, struct bench_slot *slots)
{
    uint64_t count = bench->options.clients;
    bench->active = count;
    uint64_t began_us = now_us();
    for (uint64_t i = 0; i < count; i++) {
        slots[i].connection = &bench->connections[i % bench->options.connections];
        random_init(&slots[i].random, began_us + i);
        slot_go_on(&slots[i]);
    }
    watch_progress(bench, began_us);
    atomic_store(&bench->is_over, true);
    uint64_t elapsed_us = now_us() - began_us;
    pthread_mutex_lock(&bench->lock);
    while (bench->active > 0) {
        pthread_cond_wait(&bench->has_ended, &bench->lock);
    }
    pthread_mutex_unlock(&bench->lock);
    return elapsed_us;
}

static void pack_number(const char *name, uint64_t number, struct buffer *out)
{
    pack_text_literal(out, name);
    pack_u64(out, number);
}

static void print_result(struct bench *bench, uint64_t elapsed_us, double cpu_seconds)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct bench_connection sum = {0};
    for (uint64_t i = 0; i < bench->options.connections; i++) {
        const struct bench_connection *connection = &bench->connections[i];
        histogram_merge(&sum.latencies, &connection->latencies);
        sum.ops += connection->ops;
        sum.errors += connection->errors;
        sum.unknown += connection->unknown;
    }
    bool has_cpu = cpu_seconds > 0 && sum.ops > 0;
    pack_map(&out, has_cpu ? 9 : 8);
    pack_text_literal(&out, "workload");
    pack_text_literal(&out, workload_name(bench->options.workload.workload));
    pack_number("ops", sum.ops, &out);
    pack_number("ops_per_second", sum.ops * 1000000 / elapsed_us, &out);
    pack_number("p50_us", histogram_percentile(&sum.latencies, 50000), &out);
    pack_number("p99_us", histogram_percentile(&sum.latencies, 99000), &out);
    pack_number("p999_us", histogram_percentile(&sum.latencies, 99900), &out);
    pack_number("errors", sum.errors, &out);
    pack_number("unknown", sum.unknown, &out);
    if (has_cpu) {
        pack_text_literal(&out, "cpu_seconds_per_1000");
        pack_double(&out, round(cpu_seconds * 1e9 / (double)sum.ops) / 1e6);
    }
    output_value(&bench->call->output, buffer_bytes(&out));
}

static enum status measure(struct bench *bench)
{
    double before = 0;
    double after = 0;
    bool has_before = read_cpu_time(bench, &before);
    struct bench_slot *slots = calloc(bench->options.clients, sizeof *slots);
    ASSERT(slots != NULL);
    uint64_t elapsed_us = run_slots(bench, slots);
    bool has_after = has_before && read_cpu_time(bench, &after) && after > before;
    for (uint64_t i = 0; i < bench->options.clients; i++) {
        buffer_release(&slots[i].operations);
    }
    free(slots);
    print_result(bench, elapsed_us, has_after ? after - before : 0);
    return STATUS_ok;
}

static enum status run(struct bench *bench)
{
    AUTO(answer_release) struct answer answer = {0};
    for (uint64_t i = 0; i < bench->options.connections; i++) {
        bench->connections[i].bench = bench;
        TRY(connection_open(bench->call, &bench->connections[i].loop));
    }
    TRY(connection_topology(bench->call, bench->connections[0].loop, &answer));
    find_targets(bench, &answer.reply.topology);
    if (bench->options.workload.workload == WORKLOAD_echo && bench->targets.count == 0) {
        return failure_set(&bench->call->failure, STATUS_unavailable,
                           "there is no writer or reader to echo");
    }
    if (workload_needs_index(bench->options.workload.workload)) {
        TRY(prepare_index(bench));
    }
    if (workload_needs_documents(bench->options.workload.workload)) {
        TRY(prepare(bench));
    }
    return measure(bench);
}

enum status run_bench(struct call *call)
{
    struct bench bench = {.call = call};
    TRY(read_options(call, &bench.options));
    pthread_mutex_init(&bench.lock, NULL);
    pthread_cond_init(&bench.has_ended, NULL);
    bench.connections = calloc(bench.options.connections, sizeof *bench.connections);
    ASSERT(bench.connections != NULL);
    enum status status = run(&bench);
    for (uint64_t i = 0; i < bench.options.connections; i++) {
        client_loop_destroy(&bench.connections[i].loop);
    }
    free(bench.connections);
    pthread_cond_destroy(&bench.has_ended);
    pthread_mutex_destroy(&bench.lock);
    return status;
}
