/*
 * A bounded queue of letters between two threads, each a fixed head and some bytes. Letters are
 * copied in once; the taker gets all that have come since it last took, with one wake-up.
 */
#ifndef SKEIN_ACTORS_RUNTIME_MAILBOX_H
#define SKEIN_ACTORS_RUNTIME_MAILBOX_H

#include "base/buffer.h"

#include <pthread.h>

struct mailbox {
    pthread_mutex_t mutex;
    pthread_cond_t changed; // letters have come, have been taken, or the mailbox was closed
    struct buffer letters;  // not taken yet
    size_t size_max;        // bytes of letters from which on it is full
    int event_fd;           // readable while letters are there; -1 if nobody asked for it
    bool is_closed;         // no letters come any more
};

// One letter that was taken.
struct letter {
    const void *head;   // aligned for any struct of at most 8-byte fields
    struct bytes bytes; // both are borrowed from the buffer of mailbox_take()
};

// `size_max` is soft: the letter that goes beyond it is still taken in.
void mailbox_init(struct mailbox *mailbox, size_t size_max);
void mailbox_release(struct mailbox *mailbox);

// Puts a letter in. Never waits.
void mailbox_put(struct mailbox *mailbox, struct bytes head, struct bytes bytes);

// Waits until the mailbox is not full, or closed; then puts the letter in.
void mailbox_put_waiting(struct mailbox *mailbox, struct bytes head, struct bytes bytes);

bool mailbox_is_full(struct mailbox *mailbox);

// Takes all letters: `letters` is emptied and exchanged with what is in the mailbox. Never waits;
// false when there are none.
bool mailbox_take(struct mailbox *mailbox, struct buffer *letters);

// The same, but waits for letters. False when the mailbox is closed and empty.
bool mailbox_take_waiting(struct mailbox *mailbox, struct buffer *letters);

// A descriptor that is readable while letters are there, for a taker with a loop. To be called
// once, before the first letter.
int mailbox_open_fd(struct mailbox *mailbox);

// No letters will come any more: wakes whoever waits.
void mailbox_close(struct mailbox *mailbox);

// The next letter in what was taken, from *offset on (0 at first), whose head has `head_size`
// bytes. False at the end.
bool letter_next(const struct buffer *letters, size_t *offset, size_t head_size,
                 struct letter *ret_letter);

#endif
