/*
 * Real folders for tests, under /tmp. Copying takes the files as they are while somebody writes
 * them, which is what a kill leaves; damage is one flipped bit, which is what a disk leaves. What
 * fails here is the machine's fault or the test's, so it is asserted.
 */
#include "tests/unit/fixture_folder.h"

#include "base/assert.h"
#include "base/status.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_make(char ret_path[FOLDER_PATH_SIZE])
{
    snprintf(ret_path, FOLDER_PATH_SIZE, "/tmp/skein-test-XXXXXX");
    ASSERT(mkdtemp(ret_path) != NULL);
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *where)
{
    (void)stat;
    (void)flag;
    (void)where;
    return remove(path);
}

void folder_remove(const char *path)
{
    ASSERT(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

// Calls `each` with the path of every file in the folder whose name ends so.
static size_t each_file(const char *path, const char *ending,
                        void (*each)(const char *file, const char *name, const void *context),
                        const void *context)
{
    DIR *folder = opendir(path);
    ASSERT(folder != NULL);
    size_t count = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        size_t size = strlen(entry->d_name);
        bool ends = size >= strlen(ending) &&
                    strcmp(entry->d_name + size - strlen(ending), ending) == 0;
        if (ends && entry->d_type == DT_REG) {
            char file[PATH_MAX];
            snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
            each(file, entry->d_name, context);
            count++;
        }
    }
    closedir(folder);
    return count;
}

static void copy_one(const char *file, const char *name, const void *to)
{
    char target[PATH_MAX];
    snprintf(target, sizeof target, "%s/%s", (const char *)to, name);
    int in = open(file, O_RDONLY);
    int out = open(target, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ASSERT(in >= 0 && out >= 0);
    while (sendfile(out, in, NULL, 1024 * 1024) > 0) {
    }
    close(in);
    close(out);
}

void folder_copy(const char *from, const char *to)
{
    each_file(from, "", copy_one, to);
}

static void damage_one(const char *file, const char *name, const void *context)
{
    (void)name;
    (void)context;
    int fd = open(file, O_RDWR);
    struct stat stat;
    ASSERT(fd >= 0 && fstat(fd, &stat) == 0 && stat.st_size > 0);
    unsigned char byte;
    ASSERT(pread(fd, &byte, 1, stat.st_size / 2) == 1);
    byte ^= 1;
    ASSERT(pwrite(fd, &byte, 1, stat.st_size / 2) == 1);
    close(fd);
}

size_t folder_damage(const char *path, const char *ending)
{
    return each_file(path, ending, damage_one, NULL);
}
