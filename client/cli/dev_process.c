/*
 * Processes outlive the tool that starts them: each becomes the leader of a session of its own, has
 * no descriptor of ours, and its process id stands in DIR/run/NAME.pid. The file is only a hint: a
 * process is ours if its command line says `skeind ... --config DIR/skein.conf --name NAME`.
 *
 * Waiting for an end is done on a descriptor of the process (pidfd), taken before its command line
 * is read: what is signalled is what was looked at.
 */
#include "client/cli/dev_process.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMMAND_LINE_SIZE_MAX = 4096, LOG_TAIL_SIZE = 400 };

// The words that start a process.
struct command_line {
    char config[DEV_PATH_SIZE_MAX];
    const char *words[7]; // ends with NULL
};

static void command_line_init(struct command_line *line, const struct dev_cluster *cluster,
                              const struct dev_process *process, const char *program)
{
    dev_cluster_path(cluster, "", "skein.conf", line->config);
    const char *const words[] = {
        program, role_name(process->role), "--config", line->config, "--name", process->name, NULL};
    memcpy(line->words, words, sizeof words);
}

// Whether the process `pid` runs with the words of `line`; the program may be another copy.
static bool runs_with(pid_t pid, const struct command_line *line)
{
    char path[64];
    char words[COMMAND_LINE_SIZE_MAX];
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        return false;
    }
    size_t size = fread(words, 1, sizeof words - 1, in);
    (void)fclose(in);
    words[size] = '\0';
    const char *next = words;
    for (size_t i = 0; line->words[i] != NULL; i++) {
        if (next >= words + size || (i > 0 && strcmp(next, line->words[i]) != 0)) {
            return false;
        }
        next += strlen(next) + 1;
    }
    return true;
}

static void pid_path(const struct dev_cluster *cluster, const struct dev_process *process,
                     char ret_path[DEV_PATH_SIZE_MAX])
{
    char file[NAME_SIZE_MAX + 8];
    snprintf(file, sizeof file, "%s.pid", process->name);
    dev_cluster_path(cluster, "run", file, ret_path);
}

// The process id in the process's file; 0 when there is none.
static pid_t read_pid(const struct dev_cluster *cluster, const struct dev_process *process)
{
    char path[DEV_PATH_SIZE_MAX];
    char text[32] = "";
    pid_path(cluster, process, path);
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        return 0;
    }
    bool is_read = fgets(text, sizeof text, in) != NULL;
    (void)fclose(in);
    long pid = is_read ? strtol(text, NULL, 10) : 0;
    return pid > 0 ? (pid_t)pid : 0;
}

static enum status write_pid(const struct dev_cluster *cluster, const struct dev_process *process,
                             struct failure *failure)
{
    char path[DEV_PATH_SIZE_MAX];
    pid_path(cluster, process, path);
    FILE *out = fopen(path, "we");
    if (out == NULL || fprintf(out, "%d\n", (int)process->pid) < 0 || fclose(out) != 0) {
        return failure_set(failure, STATUS_unavailable, "can't write %s: %s", path,
                           strerror(errno));
    }
    return STATUS_ok;
}

// Whether the process id is that of a process of ours.
static bool is_running(const struct dev_cluster *cluster, const struct dev_process *process)
{
    struct command_line line;
    command_line_init(&line, cluster, process, "");
    return process->pid > 0 && runs_with(process->pid, &line);
}

void dev_processes_find(struct dev_cluster *cluster)
{
    for (size_t i = 0; i < cluster->process_count; i++) {
        struct dev_process *process = &cluster->processes[i];
        process->pid = read_pid(cluster, process);
        if (!is_running(cluster, process)) {
            process->pid = 0;
        }
    }
}

// The daemon beside this program.
static enum status find_daemon(char ret_path[DEV_PATH_SIZE_MAX], struct failure *failure)
{
    static const char daemon[] = "skeind";
    ssize_t size = readlink("/proc/self/exe", ret_path, DEV_PATH_SIZE_MAX - sizeof daemon);
    if (size <= 0) {
        return failure_set(failure, STATUS_unavailable, "can't find this program's own folder");
    }
    while (size > 0 && ret_path[size - 1] != '/') {
        size--;
    }
    memcpy(ret_path + size, daemon, sizeof daemon);
    if (access(ret_path, X_OK) != 0) {
        return failure_set(failure, STATUS_unavailable, "there is no program %s", ret_path);
    }
    return STATUS_ok;
}

// What happens between fork and exec: log, folder, session, default signals.
static int spawn(const struct dev_cluster *cluster, struct dev_process *process,
                 struct command_line *line)
{
    char log[DEV_PATH_SIZE_MAX];
    dev_cluster_path(cluster, "log", process->name, log);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawn_file_actions_addchdir_np(&actions, cluster->dir);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn(&process->pid, line->words[0], &actions, &attributes,
                            (char *const *)line->words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

enum status dev_processes_start(struct dev_cluster *cluster, struct failure *failure)
{
    char program[DEV_PATH_SIZE_MAX];
    TRY(find_daemon(program, failure));
    for (size_t i = 0; i < cluster->process_count; i++) {
        struct dev_process *process = &cluster->processes[i];
        if (process->pid != 0) {
            continue;
        }
        struct command_line line;
        command_line_init(&line, cluster, process, program);
        int error = spawn(cluster, process, &line);
        if (error != 0) {
            process->pid = 0;
            return failure_set(failure, STATUS_unavailable, "can't start %s: %s", program,
                               strerror(error));
        }
        TRY(write_pid(cluster, process, failure));
    }
    return STATUS_ok;
}

// The last lines of a process's log, as one line.
static void read_log_tail(const struct dev_cluster *cluster, const struct dev_process *process,
                          char ret_tail[LOG_TAIL_SIZE + 1])
{
    char path[DEV_PATH_SIZE_MAX];
    dev_cluster_path(cluster, "log", process->name, path);
    ret_tail[0] = '\0';
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        return;
    }
    if (fseek(in, -LOG_TAIL_SIZE, SEEK_END) != 0) {
        rewind(in);
    }
    size_t size = fread(ret_tail, 1, LOG_TAIL_SIZE, in);
    (void)fclose(in);
    while (size > 0 && ret_tail[size - 1] == '\n') {
        size--;
    }
    ret_tail[size] = '\0';
    for (char *c = strchr(ret_tail, '\n'); c != NULL; c = strchr(c, '\n')) {
        *c = ' ';
    }
}

enum status dev_processes_check(struct dev_cluster *cluster, struct failure *failure)
{
    for (size_t i = 0; i < cluster->process_count; i++) {
        struct dev_process *process = &cluster->processes[i];
        int how;
        pid_t ended = process->pid == 0 ? 0 : waitpid(process->pid, &how, WNOHANG);
        if (ended < 0 && !is_running(cluster, process)) {
            process->pid = 0;
        }
        if (ended <= 0) {
            continue;
        }
        char tail[LOG_TAIL_SIZE + 1];
        read_log_tail(cluster, process, tail);
        process->pid = 0;
        return failure_set(failure, STATUS_unavailable, "%s ended at once: %s", process->name,
                           tail);
    }
    return STATUS_ok;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// A descriptor of the process if it is ours and runs; -1 otherwise.
static int open_process(const struct dev_cluster *cluster, const struct dev_process *process)
{
    if (process->pid == 0) {
        return -1;
    }
    int descriptor = pidfd_open(process->pid, 0);
    if (descriptor >= 0 && !is_running(cluster, process)) {
        (void)close(descriptor);
        return -1;
    }
    return descriptor;
}

// Waits until the process has ended or `until_ms` has passed; true if it has ended.
static bool await_end(int descriptor, int64_t until_ms)
{
    for (;;) {
        int64_t left = until_ms - now_ms();
        struct pollfd item = {.fd = descriptor, .events = POLLIN};
        int count = poll(&item, 1, left > 0 ? (int)left : 0);
        if (count > 0 || (count == 0 && left <= 0)) {
            return count > 0;
        }
    }
}

// In which turn processes of a role are stopped.
static int stop_turn(enum role role)
{
    if (role == ROLE_coordinator) {
        return 2;
    }
    return role_is_storage(role) ? 1 : 0;
}

// Stops those of one turn together.
static size_t stop_together(struct dev_cluster *cluster, int turn, int patience_ms)
{
    int descriptors[DEV_PROCESSES_MAX];
    size_t killed = 0;
    for (size_t i = 0; i < cluster->process_count; i++) {
        const struct dev_process *process = &cluster->processes[i];
        descriptors[i] = stop_turn(process->role) == turn ? open_process(cluster, process) : -1;
        if (descriptors[i] >= 0) {
            (void)pidfd_send_signal(descriptors[i], SIGTERM, NULL, 0);
        }
    }
    int64_t until_ms = now_ms() + patience_ms;
    for (size_t i = 0; i < cluster->process_count; i++) {
        if (descriptors[i] < 0) {
            continue;
        }
        if (!await_end(descriptors[i], until_ms)) {
            killed++;
            (void)pidfd_send_signal(descriptors[i], SIGKILL, NULL, 0);
            (void)await_end(descriptors[i], now_ms() + patience_ms);
        }
        (void)close(descriptors[i]);
    }
    return killed;
}

void dev_processes_stop(struct dev_cluster *cluster, int patience_ms, size_t *ret_killed)
{
    *ret_killed = 0;
    for (int turn = 0; turn <= 2; turn++) {
        *ret_killed += stop_together(cluster, turn, patience_ms);
    }
}
