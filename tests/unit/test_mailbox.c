/*
 * Letters between threads.
 */
#include "actors/runtime/mailbox.h"

#include <criterion/criterion.h>
#include <poll.h>

static struct mailbox mailbox;
static struct buffer taken;
static int fd;

static void setup(void)
{
    mailbox_init(&mailbox, 1000);
    fd = mailbox_open_fd(&mailbox);
    buffer_init(&taken);
}

static void teardown(void)
{
    mailbox_release(&mailbox);
    buffer_release(&taken);
}

static void put(uint64_t number, const char *text)
{
    mailbox_put(&mailbox, bytes_of(&number, sizeof number), bytes_from_text(text));
}

static void expect_next(size_t *offset, uint64_t number, const char *text)
{
    struct letter letter;
    cr_assert(letter_next(&taken, offset, sizeof number, &letter));
    cr_expect_eq(*(const uint64_t *)letter.head, number);
    cr_expect(bytes_equal(letter.bytes, bytes_from_text(text)));
}

static bool is_readable(void)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return poll(&item, 1, 0) == 1;
}

TestSuite(mailbox, .init = setup, .fini = teardown, .timeout = 30);

Test(mailbox, gives_all_letters_at_once_and_in_order)
{
    put(1, "one");
    put(2, "");
    put(3, "exactly8");
    cr_assert(mailbox_take(&mailbox, &taken));
    size_t offset = 0;
    struct letter letter;
    expect_next(&offset, 1, "one");
    expect_next(&offset, 2, "");
    expect_next(&offset, 3, "exactly8");
    cr_expect_not(letter_next(&taken, &offset, sizeof(uint64_t), &letter));
}

Test(mailbox, has_nothing_twice)
{
    put(1, "one");
    cr_assert(mailbox_take(&mailbox, &taken));
    cr_expect_not(mailbox_take(&mailbox, &taken));
    put(2, "two");
    cr_assert(mailbox_take(&mailbox, &taken));
    size_t offset = 0;
    expect_next(&offset, 2, "two");
}

Test(mailbox, is_readable_while_letters_are_there)
{
    cr_expect_not(is_readable());
    put(1, "one");
    put(2, "two");
    cr_expect(is_readable());
    cr_assert(mailbox_take(&mailbox, &taken));
    cr_expect_not(is_readable());
}

Test(mailbox, is_full_from_its_bound_on)
{
    char text[1001];
    memset(text, 'x', sizeof text);
    text[1000] = '\0';
    cr_expect_not(mailbox_is_full(&mailbox));
    put(1, text);
    cr_expect(mailbox_is_full(&mailbox));
    cr_assert(mailbox_take(&mailbox, &taken));
    cr_expect_not(mailbox_is_full(&mailbox));
}

Test(mailbox, a_closed_one_gives_what_it_has_and_then_ends)
{
    put(1, "one");
    mailbox_close(&mailbox);
    cr_expect(mailbox_take_waiting(&mailbox, &taken));
    cr_expect_not(mailbox_take_waiting(&mailbox, &taken));
}

static void *put_many(void *context)
{
    (void)context;
    for (uint64_t i = 0; i < 10000; i++) {
        mailbox_put_waiting(&mailbox, bytes_of(&i, sizeof i), bytes_from_text("0123456789"));
    }
    mailbox_close(&mailbox);
    return NULL;
}

Test(mailbox, carries_letters_between_threads_within_its_bound)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, put_many, NULL), 0);
    uint64_t expected = 0;
    while (mailbox_take_waiting(&mailbox, &taken)) {
        cr_expect_leq(taken.size, 1000 + 32);
        struct letter letter;
        for (size_t offset = 0; letter_next(&taken, &offset, sizeof expected, &letter);) {
            cr_assert_eq(*(const uint64_t *)letter.head, expected++);
        }
    }
    cr_expect_eq(expected, 10000);
    pthread_join(thread, NULL);
}
