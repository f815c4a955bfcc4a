/*
 * Opening goes from the outside in: directory and lock, vote file and journal (disk worker), state,
 * marks. Whatever is missing or strange ends it with a sentence and an exit code, so that a
 * supervisor can tell what a restart may heal (1) from what an operator must look at (3).
 *
 * Identity (rule 31): the vote record names node and cluster and holds a random directory id; a
 * directory that is not this node's is refused before anything in it is touched.
 */
#include "actors/runtime/storage_directory.h"

#include "actors/runtime/disk_files.h"
#include "actors/runtime/supervisor.h"
#include "base/assert.h"
#include "base/text.h"
#include "storage/rocksdb/state_rocksdb.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SENTENCE_SIZE_MAX = 512,
    FOLDER_MODE = 0750,
    OPEN_US_MAX = 300 * 1000 * 1000, // reading a large journal through
    OPEN_FOLDERS_MAX = 8,            // while a tree is removed
};

__attribute__((format(printf, 3, 4))) static int refuse(struct launch *launch, int exit_code,
                                                        const char *format, ...)
{
    char sentence[SENTENCE_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    ASSERT(size >= 0);
    logger_line(&launch->log, LOG_ERROR, "event=directory_refused why=\"%s\"", sentence);
    return exit_code;
}

static int refuse_unprepared(struct launch *launch, const char *path)
{
    return refuse(launch, EXIT_DAMAGED, "%s was not prepared: run skeind format --name %s", path,
                  launch->name);
}

static void make_path(const struct launch *launch, char path[static STORAGE_PATH_SIZE_MAX])
{
    snprintf(path, STORAGE_PATH_SIZE_MAX, "%s/%s", launch->config->data_folder, launch->name);
}

// Makes a name in a folder durable.
static bool sync_folder(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return false;
    }
    bool is_synced = fsync(descriptor) == 0;
    close(descriptor);
    return is_synced;
}

// Makes the folder and those above it, durably. False with errno set.
static bool make_folders(const char *path)
{
    char part[STORAGE_PATH_SIZE_MAX];
    char above[STORAGE_PATH_SIZE_MAX] = "/";
    for (const char *next = path + 1; *next != '\0';) {
        next += strcspn(next, "/");
        snprintf(part, sizeof part, "%.*s", (int)(next - path), path);
        bool is_made = mkdir(part, FOLDER_MODE) == 0;
        if ((!is_made && errno != EEXIST) || (is_made && !sync_folder(above))) {
            return false;
        }
        text_copy(above, sizeof above, part);
        next += strspn(next, "/");
    }
    return true;
}

static enum status write_vote_record(struct launch *launch, struct disk *disk)
{
    struct message record = {
        .kind = MESSAGE_vote_record,
        .vote_record = {.format = 1,
                        .name = launch->process.name,
                        .cluster_name = launch->process.cluster_name,
                        .directory_id = launch_random(),
                        .generation = 1},
    };
    struct buffer encoded AUTO(buffer_release) = {0};
    message_encode(&record, &encoded);
    TRY(disk_worker_format(disk, buffer_bytes(&encoded)));
    logger_line(&launch->log, LOG_INFO, "event=formatted directory_id=%016" PRIx64,
                record.vote_record.directory_id);
    return STATUS_ok;
}

static int open_disk(struct launch *launch, const char *path, struct disk **ret_disk)
{
    enum status status = disk_files_open(path, ret_disk);
    switch (status) {
    case STATUS_ok: return EXIT_CLEAN;
    case STATUS_absent: return refuse_unprepared(launch, path);
    case STATUS_in_use: return refuse(launch, EXIT_OTHER, "another process has %s", path);
    default: return refuse(launch, EXIT_OTHER, "%s can't be opened: %s", path, status_name(status));
    }
}

int storage_directory_format(struct launch *launch)
{
    char path[STORAGE_PATH_SIZE_MAX];
    make_path(launch, path);
    if (!make_folders(path)) {
        return refuse(launch, EXIT_OTHER, "%s can't be made: %s", path, strerror(errno));
    }
    struct disk *disk = NULL;
    int exit_code = open_disk(launch, path, &disk);
    if (exit_code != EXIT_CLEAN) {
        return exit_code;
    }
    enum status status = write_vote_record(launch, disk);
    disk_files_destroy(&disk);
    switch (status) {
    case STATUS_ok: return EXIT_CLEAN;
    case STATUS_exists: return refuse(launch, EXIT_DAMAGED, "%s was prepared before", path);
    default:
        return refuse(launch, EXIT_OTHER, "%s can't be prepared: %s", path, status_name(status));
    }
}

// Whether nothing was ever prepared in the directory, or it isn't there.
static bool is_unprepared(const char *path)
{
    char vote[STORAGE_PATH_SIZE_MAX + 8];
    struct stat stat_of_vote;
    snprintf(vote, sizeof vote, "%s/vote", path);
    return stat(vote, &stat_of_vote) != 0 && errno == ENOENT;
}

static int open_worker(struct storage_directory *directory)
{
    enum status status = disk_worker_open(directory->disk, directory->launch->process.sizes.segment,
                                          &directory->worker);
    const char *path = directory->path;
    switch (status) {
    case STATUS_ok: return EXIT_CLEAN;
    case STATUS_absent: return refuse_unprepared(directory->launch, path);
    case STATUS_read_only: return refuse(directory->launch, EXIT_OTHER, "the disk is full");
    case STATUS_internal:
        return refuse(directory->launch, EXIT_OTHER, "%s can't be read or written: %s", path,
                      strerror(disk_files_error(directory->disk)));
    default:
        return refuse(directory->launch, EXIT_DAMAGED, "vote file or journal in %s: %s", path,
                      status_name(status));
    }
}

// The directory must be this node's, in this cluster.
static int check_identity(struct storage_directory *directory)
{
    struct launch *launch = directory->launch;
    struct bytes rest = disk_worker_vote_record(directory->worker);
    struct message message;
    if (message_decode(&rest, &message) != STATUS_ok || message.kind != MESSAGE_vote_record) {
        return refuse(launch, EXIT_DAMAGED, "the vote file in %s holds no vote", directory->path);
    }
    const struct message_vote_record *record = &message.vote_record;
    if (!bytes_equal(record->name, launch->process.name)) {
        return refuse(launch, EXIT_DAMAGED, "%s belongs to the node %.*s", directory->path,
                      (int)record->name.size, (const char *)record->name.data);
    }
    if (!bytes_equal(record->cluster_name, launch->process.cluster_name)) {
        return refuse(launch, EXIT_DAMAGED, "%s belongs to the cluster %.*s", directory->path,
                      (int)record->cluster_name.size, (const char *)record->cluster_name.data);
    }
    return EXIT_CLEAN;
}

static void report_journal(struct storage_directory *directory)
{
    const struct journal_view *view = journal_view(disk_worker_journal(directory->worker));
    logger_line(&directory->launch->log, LOG_INFO,
                "event=journal_opened first=%" PRIu64 " last=%" PRIu64 " epoch=%" PRIu64
                " size=%" PRIu64 " cut=%" PRIu64,
                view->base.position + 1, view->end.position, view->end.epoch, view->disk_size,
                view->cut_size);
    if (view->damaged) {
        logger_line(&directory->launch->log, LOG_ERROR, "event=journal_damaged what=\"%s\"",
                    view->damage);
    }
}

static void generation_path(const struct storage_directory *directory, uint64_t generation,
                            char path[static STORAGE_PATH_SIZE_MAX + 32])
{
    snprintf(path, STORAGE_PATH_SIZE_MAX + 32, "%s/state/%" PRIu64, directory->path, generation);
}

static enum status open_generation(struct storage_directory *directory, uint64_t generation,
                                   struct state **ret_state)
{
    const struct config *config = directory->launch->config;
    struct state_rocksdb_options options = {
        .cache_size = (size_t)config->state_cache_mib * MIB,
        .write_buffer_size = (size_t)config->state_buffer_mib * MIB,
    };
    char path[STORAGE_PATH_SIZE_MAX + 32];
    generation_path(directory, generation, path);
    struct buffer error AUTO(buffer_release) = {0};
    enum status status = state_rocksdb_open(path, &options, ret_state, &error);
    if (status != STATUS_ok) {
        logger_line(&directory->launch->log, LOG_ERROR,
                    "event=state_refused status=%s path=%s why=\"%.*s\"", status_name(status), path,
                    (int)error.size, (const char *)error.data);
        return status;
    }
    state_use_cache(*ret_state, CACHED_CELLS_MAX);
    return STATUS_ok;
}

static int open_state(struct storage_directory *directory)
{
    char folder[STORAGE_PATH_SIZE_MAX + 8];
    snprintf(folder, sizeof folder, "%s/state", directory->path);
    if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST) {
        return refuse(directory->launch, EXIT_OTHER, "%s can't be made: %s", folder,
                      strerror(errno));
    }
    uint64_t generation = disk_worker_generation(directory->worker);
    enum status status = open_generation(directory, generation, &directory->state);
    if (status != STATUS_ok) {
        return status == STATUS_damaged ? EXIT_DAMAGED : EXIT_OTHER;
    }
    disk_worker_set_state(directory->worker, directory->state);
    directory->marks = marks_new(directory->state);
    return EXIT_CLEAN;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

// struct state_factory.
static enum status create_generation(struct state_factory *factory, uint64_t generation,
                                     struct state **ret_state)
{
    struct storage_directory *directory = (struct storage_directory *)(void *)factory;
    char path[STORAGE_PATH_SIZE_MAX + 32];
    generation_path(directory, generation, path);
    if (nftw(path, remove_one, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) {
        return STATUS_internal;
    }
    TRY(open_generation(directory, generation, ret_state));
    directory->created = *ret_state;
    return STATUS_ok;
}

int storage_directory_open(struct storage_directory *directory, struct launch *launch)
{
    *directory = (struct storage_directory){.factory.create = create_generation, .launch = launch};
    make_path(launch, directory->path);
    supervisor_extend(OPEN_US_MAX);
    if (launch->config->auto_format && is_unprepared(directory->path)) {
        int exit_code = storage_directory_format(launch);
        if (exit_code != EXIT_CLEAN) {
            return exit_code;
        }
    }
    int exit_code = open_disk(launch, directory->path, &directory->disk);
    if (exit_code == EXIT_CLEAN) {
        exit_code = open_worker(directory);
    }
    if (exit_code == EXIT_CLEAN) {
        exit_code = check_identity(directory);
    }
    if (exit_code == EXIT_CLEAN) {
        report_journal(directory);
        exit_code = open_state(directory);
    }
    return exit_code;
}

void storage_directory_release(struct storage_directory *directory)
{
    marks_destroy(&directory->marks);
    if (directory->state != NULL) {
        state_destroy(&directory->state);
    }
    disk_worker_destroy(&directory->worker);
    if (directory->disk != NULL) {
        disk_files_destroy(&directory->disk);
    }
}
