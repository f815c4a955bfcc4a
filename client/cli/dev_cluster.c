/*
 * The layout of a local cluster on disk.
 *
 * The list of processes is the truth about what belongs to the cluster; skein.conf is made from it
 * when the cluster is new and is the user's to edit afterwards. Both are written to a file beside
 * and renamed, the list last: a folder without a list holds no cluster, whatever else a start that
 * was cut off has left there.
 *
 * Ports, from P on: coordinators P, P+1, ...; storage P+10, P+11, ... Everybody else takes a free
 * one and registers with the coordinators.
 */
#include "client/cli/dev_cluster.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// How processes of a role are called and counted, in the order in which they are started.
struct dev_role {
    enum role role;
    char letter;    // names are the letter and a number from 1
    int first_port; // above the cluster's port; -1 for a free one
    uint64_t min;   // of them in a cluster
    uint64_t max;
    uint64_t usual; // when nobody says
};

static const struct dev_role DEV_ROLES[] = {
    {ROLE_coordinator, 'c', 0, 1, COORDINATOR_COUNT_MAX, 2},
    {ROLE_primary, 's', 10, 1, VOTER_COUNT_MAX, 3},
    {ROLE_writer, 'w', -1, 0, 16, 1},
    {ROLE_reader, 'r', -1, 0, 16, 2},
    {ROLE_gateway, 'g', -1, 0, 0, 0},
    {ROLE_monitor, 'm', -1, 0, 4, 0},
};

enum {
    DEV_ROLE_COUNT = sizeof DEV_ROLES / sizeof DEV_ROLES[0],
    PORT_MAX = 65535,
    PORTS_OF_CLUSTER = 20,
    LINE_SIZE_MAX = 16 + NAME_SIZE_MAX + ENDPOINT_SIZE_MAX + 4,
};

static_assert(2 * 7 + 2 * 16 + 4 <= DEV_PROCESSES_MAX, "the largest shape fits");

struct dev_shape dev_shape_unsaid(void)
{
    struct dev_shape shape = {.port = DEV_UNSAID};
    for (size_t i = 0; i < ROLE_client; i++) {
        shape.counts[i] = DEV_UNSAID;
    }
    return shape;
}

enum status dev_dir_default(char ret_dir[DEV_PATH_SIZE_MAX], struct failure *failure)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (state != NULL && state[0] == '/') {
        snprintf(ret_dir, DEV_PATH_SIZE_MAX, "%s/skein/dev", state);
    } else if (home != NULL && home[0] == '/') {
        snprintf(ret_dir, DEV_PATH_SIZE_MAX, "%s/.local/state/skein/dev", home);
    } else {
        return failure_set(failure, STATUS_bad_request,
                           "HOME is not set: say where the cluster is with --dir");
    }
    return STATUS_ok;
}

static enum status fail_with_errno(struct failure *failure, const char *what, const char *path)
{
    return failure_set(failure, STATUS_unavailable, "can't %s %s: %s", what, path, strerror(errno));
}

// Makes the folder and those above it.
static enum status make_folders(const char *path, struct failure *failure)
{
    char part[DEV_PATH_SIZE_MAX];
    size_t size = strlen(path);
    for (size_t end = 1; end <= size; end++) {
        if (path[end] != '/' && path[end] != '\0') {
            continue;
        }
        memcpy(part, path, end);
        part[end] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return fail_with_errno(failure, "make the folder", part);
        }
    }
    return STATUS_ok;
}

// Sets the absolute path of `dir`, which need not exist.
static enum status set_dir(struct dev_cluster *cluster, const char *dir, struct failure *failure)
{
    char here[DEV_PATH_SIZE_MAX] = "";
    if (dir[0] != '/' && getcwd(here, sizeof here) == NULL) {
        return fail_with_errno(failure, "find", "the current folder");
    }
    const char *between = dir[0] == '/' ? "" : "/";
    // Room is left for what dev_cluster_path() appends.
    size_t room = sizeof cluster->dir - NAME_SIZE_MAX - 32;
    int size = snprintf(cluster->dir, room, "%s%s%s", here, between, dir);
    if (dir[0] == '\0' || size < 0 || (size_t)size >= room) {
        return failure_set(failure, STATUS_bad_request, "the path \"%s\" is %s", dir,
                           dir[0] == '\0' ? "empty" : "too long");
    }
    size_t end = strlen(cluster->dir);
    while (end > 1 && cluster->dir[end - 1] == '/') {
        cluster->dir[--end] = '\0';
    }
    return STATUS_ok;
}

static void add_process(struct dev_cluster *cluster, const struct dev_role *kind, uint64_t number,
                        uint64_t port)
{
    ASSERT(cluster->process_count < DEV_PROCESSES_MAX);
    struct dev_process *process = &cluster->processes[cluster->process_count++];
    *process = (struct dev_process){.role = kind->role};
    if (kind->role == ROLE_primary && number > 1) {
        process->role = ROLE_replica;
    }
    snprintf(process->name, sizeof process->name, "%c%llu", kind->letter,
             (unsigned long long)number);
    if (kind->first_port < 0) {
        memcpy(process->endpoint, "*", 2);
        return;
    }
    snprintf(process->endpoint, sizeof process->endpoint, "tcp://127.0.0.1:%llu",
             (unsigned long long)(port + (uint64_t)kind->first_port + number - 1));
}

// Processes of a kind that the cluster has.
static uint64_t count_of(const struct dev_cluster *cluster, const struct dev_role *kind)
{
    uint64_t count = 0;
    for (size_t i = 0; i < cluster->process_count; i++) {
        enum role role = cluster->processes[i].role;
        count += role == kind->role || (role_is_storage(role) && role_is_storage(kind->role));
    }
    return count;
}

// The port that the cluster was made with: the first coordinator's.
static uint64_t port_of(const struct dev_cluster *cluster)
{
    for (size_t i = 0; i < cluster->process_count; i++) {
        if (cluster->processes[i].role == ROLE_coordinator) {
            return strtoull(strrchr(cluster->processes[i].endpoint, ':') + 1, NULL, 10);
        }
    }
    return 0;
}

// Writes DIR/FILE as one step.
static enum status write_file(const struct dev_cluster *cluster, const char *file,
                              struct bytes content, struct failure *failure)
{
    char path[DEV_PATH_SIZE_MAX];
    char beside[DEV_PATH_SIZE_MAX];
    dev_cluster_path(cluster, "", file, path);
    dev_cluster_path(cluster, "", "new", beside);
    FILE *out = fopen(beside, "we");
    if (out == NULL) {
        return fail_with_errno(failure, "write", beside);
    }
    bool is_written = fwrite(content.data, 1, content.size, out) == content.size;
    if (fclose(out) != 0 || !is_written || rename(beside, path) != 0) {
        return fail_with_errno(failure, "write", path);
    }
    return STATUS_ok;
}

__attribute__((format(printf, 2, 3))) static void append_line(struct buffer *out,
                                                              const char *format, ...)
{
    char line[DEV_PATH_SIZE_MAX + 64];
    va_list values;
    va_start(values, format);
    int size = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    ASSERT(size >= 0 && (size_t)size < sizeof line);
    buffer_append(out, bytes_of(line, (size_t)size));
    buffer_append_u8(out, '\n');
}

static enum status write_list(const struct dev_cluster *cluster, struct failure *failure)
{
    AUTO(buffer_release) struct buffer text = {0};
    for (size_t i = 0; i < cluster->process_count; i++) {
        const struct dev_process *process = &cluster->processes[i];
        append_line(&text, "%s %s %s", role_name(process->role), process->name, process->endpoint);
    }
    return write_file(cluster, "processes", buffer_bytes(&text), failure);
}

static enum status write_configuration(const struct dev_cluster *cluster, struct failure *failure)
{
    AUTO(buffer_release) struct buffer text = {0};
    append_line(&text, "# A local cluster, made by `skein dev start`. deploy/skein.conf explains");
    append_line(&text, "# every key. What is changed here counts from the next start.");
    append_line(&text, "cluster = dev");
    append_line(&text, "data = %s/data", cluster->dir);
    append_line(&text, "listen = tcp://127.0.0.1:*");
    append_line(&text, "auto_format = 1");
    append_line(&text, "coordinators");
    for (size_t i = 0; i < cluster->process_count; i++) {
        const struct dev_process *process = &cluster->processes[i];
        if (process->role == ROLE_coordinator) {
            append_line(&text, "    %s = %s", process->name, process->endpoint);
        }
    }
    append_line(&text, "storage");
    for (size_t i = 0; i < cluster->process_count; i++) {
        const struct dev_process *process = &cluster->processes[i];
        if (role_is_storage(process->role)) {
            append_line(&text, "    %s", process->name);
            append_line(&text, "        role = %s", role_name(process->role));
            append_line(&text, "        endpoint = %s", process->endpoint);
        }
    }
    return write_file(cluster, "skein.conf", buffer_bytes(&text), failure);
}

// Reads one line of the list.
static enum status read_process(const char *line, struct dev_process *ret_process)
{
    char role[17];
    static_assert(NAME_SIZE_MAX == 64 && ENDPOINT_SIZE_MAX == 200, "the widths below");
    if (sscanf(line, "%16s %64s %200s", role, ret_process->name, ret_process->endpoint) != 3 ||
        !role_from_name(bytes_from_text(role), &ret_process->role)) {
        return STATUS_bad_request;
    }
    return STATUS_ok;
}

static enum status read_list(struct dev_cluster *cluster, FILE *in)
{
    char line[LINE_SIZE_MAX];
    cluster->process_count = 0;
    while (fgets(line, sizeof line, in) != NULL) {
        struct dev_process process = {0};
        if (cluster->process_count == DEV_PROCESSES_MAX) {
            return STATUS_bad_request;
        }
        TRY(read_process(line, &process));
        cluster->processes[cluster->process_count++] = process;
    }
    return cluster->process_count == 0 ? STATUS_bad_request : STATUS_ok;
}

enum status dev_cluster_lock(struct dev_cluster *cluster, const char *dir, struct failure *failure)
{
    TRY(set_dir(cluster, dir, failure));
    static const char *const folders[] = {"data", "log", "run"};
    char path[DEV_PATH_SIZE_MAX];
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        dev_cluster_path(cluster, "", folders[i], path);
        TRY(make_folders(path, failure));
    }
    dev_cluster_path(cluster, "", "lock", path);
    cluster->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (cluster->lock < 0 || flock(cluster->lock, LOCK_EX) != 0) {
        return fail_with_errno(failure, "lock", path);
    }
    return STATUS_ok;
}

enum status dev_cluster_open(struct dev_cluster *cluster, const char *dir, struct failure *failure)
{
    TRY(set_dir(cluster, dir, failure));
    char path[DEV_PATH_SIZE_MAX];
    dev_cluster_path(cluster, "", "processes", path);
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        return failure_set(failure, STATUS_absent,
                           "there is no cluster in %s; `skein dev start` makes one", cluster->dir);
    }
    enum status status = read_list(cluster, in);
    (void)fclose(in);
    if (status != STATUS_ok) {
        return failure_set(failure, status, "%s is no list of processes", path);
    }
    return STATUS_ok;
}

// The shape with what nobody said filled in.
static struct dev_shape complete(const struct dev_cluster *cluster, const struct dev_shape *shape)
{
    struct dev_shape full = *shape;
    bool is_new = cluster->process_count == 0;
    for (size_t i = 0; i < DEV_ROLE_COUNT; i++) {
        const struct dev_role *kind = &DEV_ROLES[i];
        if (full.counts[kind->role] == DEV_UNSAID) {
            full.counts[kind->role] = is_new ? kind->usual : count_of(cluster, kind);
        }
    }
    if (full.port == DEV_UNSAID) {
        full.port = is_new ? DEV_PORT_DEFAULT : port_of(cluster);
    }
    return full;
}

static enum status check_shape(const struct dev_shape *shape, struct failure *failure)
{
    for (size_t i = 0; i < DEV_ROLE_COUNT; i++) {
        const struct dev_role *kind = &DEV_ROLES[i];
        unsigned long long count = shape->counts[kind->role];
        if (count < kind->min || count > kind->max) {
            return failure_set(failure, STATUS_bad_request,
                               "%llu processes %c1, %c2, ...: there can be %llu to %llu", count,
                               kind->letter, kind->letter, (unsigned long long)kind->min,
                               (unsigned long long)kind->max);
        }
    }
    if (shape->port < 1 || shape->port > PORT_MAX - PORTS_OF_CLUSTER) {
        return failure_set(failure, STATUS_bad_request, "the port is a number from 1 to %d",
                           PORT_MAX - PORTS_OF_CLUSTER);
    }
    return STATUS_ok;
}

// Coordinators, storage nodes and ports are in the configuration and stay.
static enum status check_same(const struct dev_cluster *cluster, const struct dev_shape *shape,
                              struct failure *failure)
{
    for (size_t i = 0; i < DEV_ROLE_COUNT; i++) {
        const struct dev_role *kind = &DEV_ROLES[i];
        unsigned long long count = count_of(cluster, kind);
        if (kind->first_port >= 0 && count != shape->counts[kind->role]) {
            return failure_set(failure, STATUS_bad_request,
                               "the cluster in %s has %llu processes %c1, ... and keeps them",
                               cluster->dir, count, kind->letter);
        }
    }
    if (shape->port != port_of(cluster)) {
        return failure_set(failure, STATUS_bad_request, "the cluster in %s has port %llu",
                           cluster->dir, (unsigned long long)port_of(cluster));
    }
    return STATUS_ok;
}

enum status dev_cluster_shape(struct dev_cluster *cluster, const struct dev_shape *shape,
                              struct failure *failure)
{
    struct dev_shape full = complete(cluster, shape);
    bool is_new = cluster->process_count == 0;
    size_t count_before = cluster->process_count;
    TRY(check_shape(&full, failure));
    if (!is_new) {
        TRY(check_same(cluster, &full, failure));
    }
    for (size_t i = 0; i < DEV_ROLE_COUNT; i++) {
        const struct dev_role *kind = &DEV_ROLES[i];
        for (uint64_t n = count_of(cluster, kind); n < full.counts[kind->role]; n++) {
            add_process(cluster, kind, n + 1, full.port);
        }
    }
    if (is_new) {
        TRY(write_configuration(cluster, failure));
    }
    return cluster->process_count == count_before ? STATUS_ok : write_list(cluster, failure);
}

void dev_cluster_release(struct dev_cluster *cluster)
{
    if (cluster->lock >= 0) {
        (void)close(cluster->lock);
        cluster->lock = -1;
    }
}

void dev_cluster_at(const struct dev_cluster *cluster, struct buffer *out)
{
    for (size_t i = 0; i < cluster->process_count; i++) {
        if (cluster->processes[i].role == ROLE_coordinator) {
            buffer_append(out, bytes_from_text(out->size == 0 ? "" : ","));
            buffer_append(out, bytes_from_text(cluster->processes[i].endpoint));
        }
    }
}

void dev_cluster_path(const struct dev_cluster *cluster, const char *folder, const char *file,
                      char ret_path[DEV_PATH_SIZE_MAX])
{
    int size = snprintf(ret_path, DEV_PATH_SIZE_MAX, "%s/%s%s%s", cluster->dir, folder,
                        folder[0] == '\0' ? "" : "/", file);
    ASSERT(size > 0 && size < DEV_PATH_SIZE_MAX);
}
