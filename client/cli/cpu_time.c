/*
 * From /proc: a member's process id counts only if that process is a skeind whose command line
 * names the member, since a topology says nothing about machines. Time of processes that ended
 * meanwhile is lost, which shows as a sum that went down; whoever compares two sums must look.
 */
#include "client/cli/cpu_time.h"

#include "client/cli/connection.h"

#include <stdio.h>
#include <unistd.h>

enum { FILE_SIZE_MAX = 4096, TIME_FIELD = 14 };

// Reads a file of a process; size 0 when there is none.
static size_t read_file(uint32_t pid, const char *file, char ret_text[FILE_SIZE_MAX])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/%s", pid, file);
    FILE *in = fopen(path, "re");
    size_t size = in == NULL ? 0 : fread(ret_text, 1, FILE_SIZE_MAX - 1, in);
    if (in != NULL) {
        (void)fclose(in);
    }
    ret_text[size] = '\0';
    return size;
}

static bool has_word(const char *words, size_t size, struct bytes word)
{
    for (const char *next = words; next < words + size; next += strlen(next) + 1) {
        if (bytes_equal(bytes_from_text(next), word)) {
            return true;
        }
    }
    return false;
}

// Clock ticks of user and system time; false if the process is another one.
static bool ticks_of(const struct message_member *member, unsigned long long *ret_ticks)
{
    char text[FILE_SIZE_MAX];
    unsigned long long user, system;
    size_t size = read_file(member->pid, "cmdline", text);
    if (strstr(text, "skeind") == NULL || !has_word(text, size, member->name)) {
        return false;
    }
    // Fields are counted from behind the program's name, which may hold anything.
    (void)read_file(member->pid, "stat", text);
    const char *next = strrchr(text, ')');
    for (int field = 2; next != NULL && field < TIME_FIELD; field++) {
        next = strchr(next + 1, ' ');
    }
    if (next == NULL || sscanf(next, "%llu %llu", &user, &system) != 2) {
        return false;
    }
    *ret_ticks = user + system;
    return true;
}

bool cpu_time_of(const struct message_topology *topology, double *ret_seconds)
{
    struct bytes members = topology->members;
    struct message_member member;
    unsigned long long sum = 0;
    while (members_next(&members, &member)) {
        unsigned long long ticks = 0;
        if (member.state == MEMBER_unreachable) {
            continue;
        }
        if (!ticks_of(&member, &ticks)) {
            return false;
        }
        sum += ticks;
    }
    *ret_seconds = (double)sum / (double)sysconf(_SC_CLK_TCK);
    return sum > 0;
}
