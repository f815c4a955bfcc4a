/*
 * What the journal costs on a real disk: `bench_journal DIRECTORY`.
 *
 * 1. An append of one 256-byte entry and a sync, against a bare pwrite and fdatasync of as many
 *    bytes into a preallocated file, in alternating rounds so that both see the same disk. While
 *    the journal is measured the next segments are prepared as the journal thread does it.
 * 2. An append that begins a segment, which was prepared before, and one step of preparing.
 * 3. Opening a journal of 256 MiB: every entry read and checked.
 */
#include "actors/runtime/disk_files.h"
#include "base/limits.h"
#include "storage/journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    CLUSTER = 1,
    ROUND_COUNT = 20,
    ROUND_SIZE = 500, // appends, and bare writes, in one round
    ENTRY_SIZE = 256,
    SAMPLE_COUNT = ROUND_COUNT * ROUND_SIZE,
    BARE_FILE_SIZE = 16 * MIB,
    GROW_COUNT = 20, // segments
    OPEN_SIZE = 256 * MIB,
    OPEN_BATCH = 64,
};

// Durations of one kind, in nanoseconds.
struct samples {
    uint64_t taken[SAMPLE_COUNT];
    size_t count;
};

// The chain of entries that is appended.
struct chain {
    struct entry_place end;
    struct buffer frames; // of the entries made last
};

static void check(enum status status, const char *what)
{
    if (status != STATUS_ok) {
        fprintf(stderr, "%s: %s\n", what, status_name(status));
        exit(1);
    }
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct bytes make_entries(struct chain *chain, unsigned count)
{
    static const uint8_t payload[ENTRY_SIZE - ENTRY_HEADER_SIZE];
    buffer_clear(&chain->frames);
    for (unsigned i = 0; i < count; i++) {
        struct entry entry = {.kind = ENTRY_BATCH,
                              .epoch = 1,
                              .previous_crc = chain->end.crc,
                              .position = chain->end.position + 1,
                              .version = chain->end.position + 1,
                              .payload = bytes_of(payload, sizeof payload)};
        entry_encode(&entry, CLUSTER, &chain->frames);
        chain->end = entry_place_of(&entry);
    }
    return buffer_bytes(&chain->frames);
}

static struct journal *open_journal(struct disk *disk, const char *folder, uint64_t segment_size)
{
    struct journal *journal = NULL;
    struct journal_options options = {
        .folder = folder, .cluster_id = CLUSTER, .segment_size = segment_size};
    check(journal_open(disk, &options, &journal), "journal_open");
    return journal;
}

static void measure_journal(struct journal *journal, struct chain *chain, struct samples *samples)
{
    for (unsigned i = 0; i < ROUND_SIZE; i++) {
        struct bytes entry = make_entries(chain, 1);
        uint64_t begin = now_ns();
        check(journal_append(journal, entry), "journal_append");
        check(journal_sync(journal), "journal_sync");
        samples->taken[samples->count++] = now_ns() - begin;
    }
    while (journal_prepare(journal)) {
    }
}

static void measure_bare(int file, uint64_t *offset, struct samples *samples)
{
    static const uint8_t bytes[ENTRY_SIZE + 32];
    for (unsigned i = 0; i < ROUND_SIZE; i++) {
        uint64_t begin = now_ns();
        bool is_written = pwrite(file, bytes, sizeof bytes, (off_t)*offset) == sizeof bytes &&
                          fdatasync(file) == 0;
        check(is_written ? STATUS_ok : STATUS_internal, "bare write");
        samples->taken[samples->count++] = now_ns() - begin;
        *offset = (*offset + sizeof bytes) % (BARE_FILE_SIZE - sizeof bytes);
    }
}

static int make_bare_file(const char *directory)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/bare", directory);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    uint8_t *zeros = calloc(1, BARE_FILE_SIZE);
    bool is_made = file >= 0 && zeros != NULL &&
                   pwrite(file, zeros, BARE_FILE_SIZE, 0) == BARE_FILE_SIZE && fsync(file) == 0;
    check(is_made ? STATUS_ok : STATUS_internal, "bare file");
    free(zeros);
    return file;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void print_samples(const char *name, struct samples *samples)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < samples->count; i++) {
        sum += samples->taken[i];
    }
    qsort(samples->taken, samples->count, sizeof samples->taken[0], compare);
    printf("%-26s mean %4" PRIu64 " us  p50 %4" PRIu64 " us  p99 %5" PRIu64 " us  max %6" PRIu64
           " us\n",
           name, sum / samples->count / 1000, samples->taken[samples->count / 2] / 1000,
           samples->taken[samples->count * 99 / 100] / 1000,
           samples->taken[samples->count - 1] / 1000);
}

static void bench_append(struct disk *disk, const char *directory)
{
    static struct samples journal_samples;
    static struct samples bare_samples;
    struct chain chain = {.end = {0}};
    struct journal *journal = open_journal(disk, "journal/1", SEGMENT_SIZE);
    int file = make_bare_file(directory);
    uint64_t offset = 0;
    while (journal_prepare(journal)) {
    }
    for (unsigned round = 0; round < ROUND_COUNT; round++) {
        measure_journal(journal, &chain, &journal_samples);
        measure_bare(file, &offset, &bare_samples);
    }
    print_samples("journal append + sync", &journal_samples);
    print_samples("pwrite + fdatasync", &bare_samples);
    close(file);
    journal_destroy(&journal);
    buffer_release(&chain.frames);
}

static void measure_prepare(struct journal *journal, struct samples *samples)
{
    bool more = true;
    while (more) {
        uint64_t begin = now_ns();
        more = journal_prepare(journal);
        if (more) {
            samples->taken[samples->count++] = now_ns() - begin;
        }
    }
}

static void bench_grow(struct disk *disk)
{
    static struct samples first_samples;
    static struct samples prepare_samples;
    struct chain chain = {.end = {0}};
    struct journal *journal = open_journal(disk, "journal/3", 4 * MIB);
    while (first_samples.count < GROW_COUNT) {
        uint64_t size = journal_view(journal)->disk_size;
        struct bytes entries = make_entries(&chain, OPEN_BATCH);
        uint64_t begin = now_ns();
        check(journal_append(journal, entries), "journal_append");
        check(journal_sync(journal), "journal_sync");
        if (journal_view(journal)->disk_size > size) {
            first_samples.taken[first_samples.count++] = now_ns() - begin;
        }
        measure_prepare(journal, &prepare_samples);
    }
    print_samples("first append of a segment", &first_samples);
    print_samples("step of preparing", &prepare_samples);
    journal_destroy(&journal);
    buffer_release(&chain.frames);
}

static void bench_open(struct disk *disk)
{
    struct chain chain = {.end = {0}};
    struct journal *journal = open_journal(disk, "journal/2", SEGMENT_SIZE);
    uint64_t begin = now_ns();
    for (uint64_t size = 0; size < OPEN_SIZE; size += chain.frames.size) {
        check(journal_append(journal, make_entries(&chain, OPEN_BATCH)), "journal_append");
    }
    check(journal_sync(journal), "journal_sync");
    double seconds = (double)(now_ns() - begin) / 1e9;
    printf("filling %" PRIu64 " entries: %.0f MB/s\n", chain.end.position,
           (double)OPEN_SIZE / 1e6 / seconds);
    journal_destroy(&journal);
    begin = now_ns();
    journal = open_journal(disk, "journal/2", SEGMENT_SIZE);
    seconds = (double)(now_ns() - begin) / 1e9;
    uint64_t size = journal_view(journal)->disk_size;
    printf("opening %" PRIu64 " MB: %.0f MB/s\n", size / 1000000, (double)size / 1e6 / seconds);
    check(journal_reset(journal, &(struct entry_place){0}), "journal_reset");
    journal_destroy(&journal);
    buffer_release(&chain.frames);
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        fprintf(stderr, "usage: bench_journal DIRECTORY\n");
        return 2;
    }
    struct disk *disk = NULL;
    check(disk_files_open(arguments[1], &disk), arguments[1]);
    bench_append(disk, arguments[1]);
    bench_grow(disk);
    bench_open(disk);
    disk_files_destroy(&disk);
    return 0;
}
