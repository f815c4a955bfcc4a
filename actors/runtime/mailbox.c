/*
 * Letters lie one after another in a buffer, which changes hands as a whole:
 *
 *     0            8                head           bytes
 *     +------------+----------------+--------------+---------+
 *     | bytes size | head           | bytes        | padding |   to a multiple of 8
 *     +------------+----------------+--------------+---------+
 *
 * The event descriptor is written when the first letter comes and read when they are taken, so it
 * costs two system calls a batch, not a letter. Threads without a loop wait for the condition.
 */
#include "actors/runtime/mailbox.h"

#include "base/assert.h"
#include "base/limits.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum { ALIGNMENT = 8, KEPT_SIZE_MAX = 256 * KIB };

void mailbox_init(struct mailbox *mailbox, size_t size_max)
{
    *mailbox = (struct mailbox){.size_max = size_max, .event_fd = -1};
    ASSERT(pthread_mutex_init(&mailbox->mutex, NULL) == 0);
    ASSERT(pthread_cond_init(&mailbox->changed, NULL) == 0);
}

void mailbox_release(struct mailbox *mailbox)
{
    pthread_mutex_destroy(&mailbox->mutex);
    pthread_cond_destroy(&mailbox->changed);
    buffer_release(&mailbox->letters);
    if (mailbox->event_fd >= 0) {
        close(mailbox->event_fd);
    }
}

static void append_padded(struct buffer *out, struct bytes bytes)
{
    static const uint8_t padding[ALIGNMENT];
    buffer_append(out, bytes);
    buffer_append(out, bytes_of(padding, (ALIGNMENT - bytes.size % ALIGNMENT) % ALIGNMENT));
}

// With the mutex held.
static void put_letter(struct mailbox *mailbox, struct bytes head, struct bytes bytes)
{
    bool was_empty = mailbox->letters.size == 0;
    uint64_t size = bytes.size;
    buffer_append(&mailbox->letters, bytes_of(&size, sizeof size));
    append_padded(&mailbox->letters, head);
    append_padded(&mailbox->letters, bytes);
    if (was_empty) {
        pthread_cond_broadcast(&mailbox->changed);
    }
    if (was_empty && mailbox->event_fd >= 0) {
        ASSERT(eventfd_write(mailbox->event_fd, 1) == 0);
    }
}

void mailbox_put(struct mailbox *mailbox, struct bytes head, struct bytes bytes)
{
    pthread_mutex_lock(&mailbox->mutex);
    put_letter(mailbox, head, bytes);
    pthread_mutex_unlock(&mailbox->mutex);
}

void mailbox_put_waiting(struct mailbox *mailbox, struct bytes head, struct bytes bytes)
{
    pthread_mutex_lock(&mailbox->mutex);
    while (mailbox->letters.size >= mailbox->size_max && !mailbox->is_closed) {
        pthread_cond_wait(&mailbox->changed, &mailbox->mutex);
    }
    put_letter(mailbox, head, bytes);
    pthread_mutex_unlock(&mailbox->mutex);
}

bool mailbox_is_full(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool is_full = mailbox->letters.size >= mailbox->size_max;
    pthread_mutex_unlock(&mailbox->mutex);
    return is_full;
}

// With the mutex held.
static bool take_letters(struct mailbox *mailbox, struct buffer *letters)
{
    if (mailbox->letters.size == 0) {
        return false;
    }
    if (letters->capacity > KEPT_SIZE_MAX) {
        buffer_release(letters);
    }
    buffer_clear(letters);
    struct buffer taken = mailbox->letters;
    mailbox->letters = *letters;
    *letters = taken;
    eventfd_t count;
    ASSERT(mailbox->event_fd < 0 || eventfd_read(mailbox->event_fd, &count) == 0);
    pthread_cond_broadcast(&mailbox->changed);
    return true;
}

bool mailbox_take(struct mailbox *mailbox, struct buffer *letters)
{
    pthread_mutex_lock(&mailbox->mutex);
    bool is_taken = take_letters(mailbox, letters);
    pthread_mutex_unlock(&mailbox->mutex);
    return is_taken;
}

bool mailbox_take_waiting(struct mailbox *mailbox, struct buffer *letters)
{
    pthread_mutex_lock(&mailbox->mutex);
    while (mailbox->letters.size == 0 && !mailbox->is_closed) {
        pthread_cond_wait(&mailbox->changed, &mailbox->mutex);
    }
    bool is_taken = take_letters(mailbox, letters);
    pthread_mutex_unlock(&mailbox->mutex);
    return is_taken;
}

int mailbox_open_fd(struct mailbox *mailbox)
{
    mailbox->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ASSERT(mailbox->event_fd >= 0);
    return mailbox->event_fd;
}

void mailbox_close(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    mailbox->is_closed = true;
    pthread_cond_broadcast(&mailbox->changed);
    pthread_mutex_unlock(&mailbox->mutex);
}

static size_t padded(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

bool letter_next(const struct buffer *letters, size_t *offset, size_t head_size,
                 struct letter *ret_letter)
{
    if (*offset == letters->size) {
        return false;
    }
    const uint8_t *begin = letters->data + *offset;
    uint64_t size;
    memcpy(&size, begin, sizeof size);
    const uint8_t *head = begin + sizeof size;
    *ret_letter = (struct letter){.head = head,
                                  .bytes = bytes_of(head + padded(head_size), (size_t)size)};
    *offset += sizeof size + padded(head_size) + padded((size_t)size);
    return true;
}
