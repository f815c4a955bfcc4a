/*
 * Progress of what takes long, as one line on standard error if that is a terminal:
 *
 *     loading [=============>                ]  45 %  120000 documents, 30000 a second
 */
#ifndef SKEIN_CLIENT_CLI_PROGRESS_H
#define SKEIN_CLIENT_CLI_PROGRESS_H

#include "base/buffer.h"

struct progress {
    const char *what;  // is being done: "loading"; static text
    const char *unit;  // of what is counted: "documents"; static text
    uint64_t total;    // of it; 0 when it is not known
    uint64_t began_us; // when it began
    uint64_t shown_us; // when it was last shown; 0 for never
};

// Begins now.
void progress_init(struct progress *progress, const char *what, const char *unit, uint64_t total);

// Shows how much is done, a few times a second at most.
void progress_show(struct progress *progress, uint64_t done);

// Clears the line.
void progress_end(struct progress *progress);

// Appends the line as it is `elapsed_us` after the beginning.
void progress_print(const struct progress *progress, uint64_t done, uint64_t elapsed_us,
                    struct buffer *out);

#endif
