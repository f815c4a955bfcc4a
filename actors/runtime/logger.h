/*
 * Log lines for the operator, one line an event, on stderr or to journald when stderr leads there:
 *
 *     level=info role=primary name=s1 event=elected epoch=4 time=...
 */
#ifndef SKEIN_ACTORS_RUNTIME_LOGGER_H
#define SKEIN_ACTORS_RUNTIME_LOGGER_H

#include "base/limits.h"
#include "cluster/machine.h"

#include <pthread.h>

enum {
    LOGGER_BUCKET_COUNT = 64,      // events told apart for the limit of repeated lines
    LOGGER_BURST = 20,             // lines of one event that may come at once
    LOGGER_REFILL_US = 500 * 1000, // then one in so long
};

// What is left of the burst of one event.
struct logger_bucket {
    uint64_t refilled_us; // when it was full or got its last line back
    uint32_t used;        // lines taken from the burst
    uint32_t suppressed;  // lines not written since the last one that was
};

struct logger {
    char role[16];                                     // word the process was started with
    char name[NAME_SIZE_MAX + 1];                      // of the process; empty before it has one
    enum log_level level_min;                          // lines below it are not written
    bool is_journal;                                   // stderr leads to journald
    pthread_mutex_t mutex;                             // guards the buckets
    struct logger_bucket buckets[LOGGER_BUCKET_COUNT]; // by hash of the event's name
};

// `role` and `name` begin every line; cut when they are too long.
void logger_init(struct logger *logger, const char *role, const char *name);
void logger_release(struct logger *logger);

// From now on lines of level debug are written, too, or not any more.
void logger_set_debug(struct logger *logger, bool is_on);

// True if a line may be written now; `ret_suppressed` is how many were not before it.
bool logger_bucket_take(struct logger_bucket *bucket, uint64_t now_us, uint32_t *ret_suppressed);

// Appends the line as it goes to stderr, with its end.
void logger_format(const struct logger *logger, enum log_level level, struct bytes text,
                   uint64_t wall_us, struct buffer *out);

// Writes one line. `text` is "event=NAME key=value ..."; control characters in it are replaced.
// More than LOGGER_BURST lines of one event at once are counted instead: the next line of the event
// ends with suppressed=COUNT. Any thread.
void logger_text(struct logger *logger, enum log_level level, struct bytes text);

// The same, formatted.
__attribute__((format(printf, 3, 4))) void logger_line(struct logger *logger, enum log_level level,
                                                       const char *format, ...);

#endif
