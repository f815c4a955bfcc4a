/*
 * What RocksDB can do to us beyond the port: damaged files, a folder in use, copies taken while it
 * runs. What it shares with the memory twin is in test_state.c; a full disk needs a file system of
 * its own and is in tests/bench.
 */
#include "storage/rocksdb/state_rocksdb.h"

#include "base/random.h"
#include "tests/unit/fixture_folder.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static struct state *open_state(const char *path)
{
    struct state *state = NULL;
    struct buffer error = {0};
    cr_assert_eq(state_rocksdb_open(path, NULL, &state, &error), STATUS_ok);
    cr_assert_eq(error.size, 0);
    return state;
}

// Opening must fail so, and RocksDB's words must contain `words`.
static void expect_refused(const char *path, enum status wanted, const char *words)
{
    struct state *state = NULL;
    struct buffer error = {0};
    enum status status = state_rocksdb_open(path, NULL, &state, &error);
    buffer_append_u8(&error, 0);
    cr_assert_eq(status, wanted, "%s: %s", status_name(status), (const char *)error.data);
    cr_assert_not_null(strstr((const char *)error.data, words), "%s", (const char *)error.data);
    cr_assert_null(state);
    buffer_release(&error);
}

// Cell `n` has a value that LZ4 can't shorten.
static void put_cells(struct state *state, uint64_t first, uint64_t last)
{
    struct state_batch batch = {0};
    struct random random;
    for (uint64_t n = first; n <= last; n++) {
        char key[24];
        uint64_t value[32];
        random_init(&random, n);
        for (size_t i = 0; i < 32; i++) {
            value[i] = random_next(&random);
        }
        snprintf(key, sizeof key, "%016llu", (unsigned long long)n);
        state_batch_put(&batch, bytes_from_text(key), bytes_of(value, sizeof value));
    }
    cr_assert_eq(state_write(state, &batch), STATUS_ok);
    state_batch_release(&batch);
}

static enum status count_cells(struct state *state, size_t *ret_count)
{
    struct state_cursor *cursor;
    struct bytes none = {0};
    cr_assert_eq(state_cursor_new(state, NULL, none, none, &cursor), STATUS_ok);
    struct bytes key;
    struct bytes value;
    *ret_count = 0;
    while (state_cursor_next(cursor, state, &key, &value)) {
        ++*ret_count;
    }
    return state_cursor_destroy(state, &cursor);
}

static size_t count_files(const char *path, const char *part)
{
    DIR *folder = opendir(path);
    size_t count = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += strstr(entry->d_name, part) != NULL;
    }
    closedir(folder);
    return count;
}

Test(state_rocksdb, copy_of_the_folder_taken_while_it_runs_opens_at_the_last_flush)
{
    char path[FOLDER_PATH_SIZE];
    char copy[FOLDER_PATH_SIZE];
    folder_make(path);
    folder_make(copy);
    struct state *state = open_state(path);
    put_cells(state, 1, 100);
    cr_assert_eq(state_flush(state), STATUS_ok);
    put_cells(state, 101, 200);
    folder_copy(path, copy);
    struct state *copied = open_state(copy);
    size_t count;
    cr_assert_eq(count_cells(copied, &count), STATUS_ok);
    cr_assert_eq(count, 100);
    state_destroy(&copied);
    state_destroy(&state);
    folder_remove(path);
    folder_remove(copy);
}

Test(state_rocksdb, folder_in_use_is_refused)
{
    char path[FOLDER_PATH_SIZE];
    folder_make(path);
    struct state *state = open_state(path);
    expect_refused(path, STATUS_in_use, "lock");
    state_destroy(&state);
    state = open_state(path);
    state_destroy(&state);
    folder_remove(path);
}

Test(state_rocksdb, folder_that_can_not_be_made_is_an_internal_error)
{
    expect_refused("/nonexistent/above/state", STATUS_internal, "/nonexistent");
}

Test(state_rocksdb, damaged_table_fails_gets_and_scans_but_not_silently)
{
    char path[FOLDER_PATH_SIZE];
    folder_make(path);
    struct state *state = open_state(path);
    put_cells(state, 1, 1000);
    cr_assert_eq(state_flush(state), STATUS_ok);
    state_destroy(&state);
    cr_assert_eq(folder_damage(path, ".sst"), 1);
    state = open_state(path);
    size_t count;
    cr_assert_eq(count_cells(state, &count), STATUS_damaged);
    cr_assert(count < 1000);
    struct buffer words = {0};
    state_rocksdb_last_error(state, &words);
    cr_assert(bytes_starts_with(buffer_bytes(&words), bytes_from_text("Corruption:")));
    buffer_clear(&words);
    cr_assert_eq(state_get(state, NULL, bytes_from_text("0000000000000500"), &words),
                 STATUS_damaged);
    cr_assert_eq(words.size, 0);
    cr_assert_eq(state_get(state, NULL, bytes_from_text("0000000000000001"), &words), STATUS_ok);
    buffer_release(&words);
    state_destroy(&state);
    folder_remove(path);
}

Test(state_rocksdb, damaged_manifest_is_refused_as_damage)
{
    char path[FOLDER_PATH_SIZE];
    folder_make(path);
    struct state *state = open_state(path);
    put_cells(state, 1, 10);
    cr_assert_eq(state_flush(state), STATUS_ok);
    state_destroy(&state);
    DIR *folder = opendir(path);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (strncmp(entry->d_name, "MANIFEST", 8) == 0) {
            cr_assert_eq(folder_damage(path, entry->d_name), 1);
        }
    }
    closedir(folder);
    expect_refused(path, STATUS_damaged, "Corruption:");
    folder_remove(path);
}

Test(state_rocksdb, says_nothing_when_nothing_failed)
{
    char path[FOLDER_PATH_SIZE];
    folder_make(path);
    struct state *state = open_state(path);
    put_cells(state, 1, 10);
    struct buffer words = {0};
    cr_assert_eq(state_get(state, NULL, bytes_from_text("none"), &words), STATUS_absent);
    state_rocksdb_last_error(state, &words);
    cr_assert_eq(words.size, 0);
    cr_assert(state_rocksdb_memory(state) > 0);
    state_destroy(&state);
    folder_remove(path);
}

Test(state_rocksdb, keeps_few_files_of_log)
{
    char path[FOLDER_PATH_SIZE];
    folder_make(path);
    for (int i = 0; i < 8; i++) {
        struct state *state = open_state(path);
        state_destroy(&state);
    }
    cr_assert_leq(count_files(path, "LOG"), 4);
    folder_remove(path);
}
