/*
 * Folders for tests that need real files: each test gets one of its own.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_FOLDER_H
#define SKEIN_TESTS_UNIT_FIXTURE_FOLDER_H

#include <stddef.h>

enum { FOLDER_PATH_SIZE = 64 };

// Makes an empty folder and says where.
void folder_make(char ret_path[FOLDER_PATH_SIZE]);

// Removes it with all that is in it.
void folder_remove(const char *path);

// Copies the files of one folder into another, as they are at that moment, as after a kill.
void folder_copy(const char *from, const char *to);

// Flips one bit in the middle of every file whose name ends so; returns how many.
size_t folder_damage(const char *path, const char *ending);

#endif
