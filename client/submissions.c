/*
 * An array of submissions and one run of bytes, both emptied at once when the loop has taken all.
 * Bounded in number and in bytes; a single submission larger than the bound still goes into an
 * empty queue.
 */
#include "client/submissions.h"

#include "base/assert.h"

#include <stdlib.h>

void submissions_release(struct submissions *submissions)
{
    free(submissions->items);
    buffer_release(&submissions->bytes);
    *submissions = (struct submissions){0};
}

void submissions_clear(struct submissions *submissions)
{
    submissions->count = 0;
    buffer_clear(&submissions->bytes);
}

enum status submissions_add(struct submissions *submissions, const struct submission *submission,
                            struct bytes first, struct bytes second)
{
    size_t size = submissions->bytes.size + first.size + second.size;
    if (submissions->count == CLIENT_OUTSTANDING_MAX ||
        (size > SUBMISSIONS_SIZE_MAX && submissions->count > 0)) {
        return STATUS_busy;
    }
    if (submissions->count == submissions->capacity) {
        submissions->capacity = submissions->capacity == 0 ? 64 : 2 * submissions->capacity;
        submissions->items = reallocarray(submissions->items, submissions->capacity,
                                          sizeof *submissions->items);
        ASSERT(submissions->items != NULL);
    }
    struct submission *added = &submissions->items[submissions->count++];
    *added = *submission;
    added->at = submissions->bytes.size;
    added->first_size = first.size;
    added->second_size = second.size;
    buffer_append(&submissions->bytes, first);
    buffer_append(&submissions->bytes, second);
    return STATUS_ok;
}

struct bytes submission_first(const struct submissions *submissions,
                              const struct submission *submission)
{
    if (submission->first_size == 0) {
        return bytes_of(NULL, 0);
    }
    return bytes_of(submissions->bytes.data + submission->at, submission->first_size);
}

struct bytes submission_second(const struct submissions *submissions,
                               const struct submission *submission)
{
    if (submission->second_size == 0) {
        return bytes_of(NULL, 0);
    }
    return bytes_of(submissions->bytes.data + submission->at + submission->first_size,
                    submission->second_size);
}
