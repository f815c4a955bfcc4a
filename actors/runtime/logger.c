/*
 * 1. A line is written with one write(2), so lines of several threads never mix and nothing is lost
 *    in a buffer when the process dies.
 * 2. A line is one line: whatever a peer got into the text, control characters are replaced.
 * 3. Nobody can fill a disk through us: each event has a burst of LOGGER_BURST lines, then one line
 *    every LOGGER_REFILL_US. Events share LOGGER_BUCKET_COUNT buckets by the hash of their name,
 *    which only the program chooses.
 * 4. journald gets the same line with its pairs as fields (journald.h), stderr then nothing: that
 *    would end up in the journal, too.
 */
#include "actors/runtime/logger.h"

#include "actors/runtime/clock.h"
#include "actors/runtime/journald.h"
#include "base/assert.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_SIZE_MAX = 1024 };

static const char *const LEVEL_NAMES[] = {"debug", "info", "warning", "error"};
static const enum journald_priority LEVEL_PRIORITIES[] = {JOURNALD_DEBUG, JOURNALD_INFO,
                                                          JOURNALD_WARNING, JOURNALD_ERROR};

void logger_init(struct logger *logger, const char *role, const char *name)
{
    *logger = (struct logger){.level_min = LOG_INFO, .is_journal = journald_has_stderr()};
    snprintf(logger->role, sizeof logger->role, "%s", role);
    snprintf(logger->name, sizeof logger->name, "%s", name);
    ASSERT(pthread_mutex_init(&logger->mutex, NULL) == 0);
}

void logger_release(struct logger *logger)
{
    pthread_mutex_destroy(&logger->mutex);
}

void logger_set_debug(struct logger *logger, bool is_on)
{
    logger->level_min = is_on ? LOG_DEBUG : LOG_INFO;
}

// The bucket of the event named at the start of the text.
static struct logger_bucket *bucket_of(struct logger *logger, struct bytes text)
{
    const uint8_t *space = text.size == 0 ? NULL : memchr(text.data, ' ', text.size);
    struct bytes event = space == NULL ? text : bytes_of(text.data, (size_t)(space - text.data));
    return &logger->buckets[address_of_endpoint(event) % LOGGER_BUCKET_COUNT];
}

bool logger_bucket_take(struct logger_bucket *bucket, uint64_t now_us, uint32_t *ret_suppressed)
{
    uint64_t refills = (now_us - bucket->refilled_us) / LOGGER_REFILL_US;
    bucket->refilled_us += refills * LOGGER_REFILL_US;
    bucket->used = refills >= bucket->used ? 0 : bucket->used - (uint32_t)refills;
    if (bucket->used == LOGGER_BURST) {
        bucket->suppressed++;
        return false;
    }
    bucket->used++;
    *ret_suppressed = bucket->suppressed;
    bucket->suppressed = 0;
    return true;
}

static void append_clean(struct buffer *out, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        bool is_control = text.data[i] < 0x20 || text.data[i] == 0x7f;
        buffer_append_u8(out, is_control ? '?' : text.data[i]);
    }
}

static void append_time(struct buffer *out, uint64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char time[64];
    size_t size = strftime(time, sizeof time, " time=%Y-%m-%dT%H:%M:%S", &utc);
    buffer_append(out, bytes_of(time, size));
    int more = snprintf(time, sizeof time, ".%06" PRIu64 "Z", wall_us % 1000000);
    buffer_append(out, bytes_of(time, (size_t)more));
}

void logger_format(const struct logger *logger, enum log_level level, struct bytes text,
                   uint64_t wall_us, struct buffer *out)
{
    char head[sizeof logger->role + sizeof logger->name + 64];
    int size = snprintf(head, sizeof head, "level=%s role=%s%s%s ", LEVEL_NAMES[level],
                        logger->role, logger->name[0] != '\0' ? " name=" : "", logger->name);
    buffer_append(out, bytes_of(head, (size_t)size));
    append_clean(out, text);
    append_time(out, wall_us);
    buffer_append_u8(out, '\n');
}

static void write_line(const struct logger *logger, enum log_level level, struct bytes line)
{
    if (logger->is_journal) {
        journald_send(LEVEL_PRIORITIES[level], bytes_of(line.data, line.size - 1));
        return;
    }
    // A log that can't be written (a closed pipe, a full disk) is no reason to stop.
    ssize_t written = write(STDERR_FILENO, line.data, line.size);
    (void)written;
}

static bool may_write(struct logger *logger, struct bytes text, uint32_t *ret_suppressed)
{
    pthread_mutex_lock(&logger->mutex);
    bool may = logger_bucket_take(bucket_of(logger, text), clock_monotonic_us(), ret_suppressed);
    pthread_mutex_unlock(&logger->mutex);
    return may;
}

void logger_text(struct logger *logger, enum log_level level, struct bytes text)
{
    uint32_t suppressed = 0;
    if (level < logger->level_min || !may_write(logger, text, &suppressed)) {
        return;
    }
    struct buffer whole AUTO(buffer_release) = {0};
    buffer_append(&whole, text);
    if (suppressed > 0) {
        char more[32];
        int size = snprintf(more, sizeof more, " suppressed=%" PRIu32, suppressed);
        buffer_append(&whole, bytes_of(more, (size_t)size));
    }
    struct buffer line AUTO(buffer_release) = {0};
    logger_format(logger, level, buffer_bytes(&whole), clock_wall_us(), &line);
    write_line(logger, level, buffer_bytes(&line));
}

void logger_line(struct logger *logger, enum log_level level, const char *format, ...)
{
    char text[TEXT_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ASSERT(size >= 0);
    logger_text(logger, level, bytes_from_text(text));
}
