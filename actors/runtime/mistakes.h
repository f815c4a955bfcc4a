/*
 * What is wrong with a configuration, for the person who wrote it: all mistakes of one reading, one
 * line each, with the place.
 */
#ifndef SKEIN_ACTORS_RUNTIME_MISTAKES_H
#define SKEIN_ACTORS_RUNTIME_MISTAKES_H

#include "base/buffer.h"

// Where something was written.
struct place {
    const char *source; // name of a file, or the KEY=VALUE of a --set; borrowed
    unsigned line;      // in the file, from 1; 0 for the file as a whole, and for a setting
    bool is_setting;    // written on the command line
};

struct mistakes {
    struct buffer text; // "FILE:LINE: sentence\n", repeated
    size_t count;       // number of lines in it
};

void mistakes_init(struct mistakes *mistakes);
void mistakes_release(struct mistakes *mistakes);

// Adds one line. The sentence says what was found and what would be right.
__attribute__((format(printf, 3, 4))) void
mistakes_add(struct mistakes *mistakes, struct place place, const char *format, ...);

#endif
