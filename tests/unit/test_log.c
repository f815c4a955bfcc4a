/*
 * The log in memory against a plain array of epochs.
 */
#include "cluster/log.h"

#include "base/random.h"

#include <criterion/criterion.h>

enum { CLUSTER = 3, ENTRIES_MAX = 400 };

// Appends an entry of `epoch` with a payload of `size` bytes.
static void append(struct log *log, uint64_t epoch, size_t size)
{
    static const uint8_t payload[64];
    AUTO(buffer_release) struct buffer frame = {0};
    struct entry entry = {.kind = ENTRY_BATCH,
                          .previous_crc = log->last.crc,
                          .epoch = epoch,
                          .position = log->last.position + 1,
                          .version = log->last.version + 1,
                          .payload = bytes_of(payload, size)};
    entry_encode(&entry, CLUSTER, &frame);
    log_append(log, buffer_bytes(&frame), &entry);
}

static struct log empty_log(void)
{
    struct log log;
    struct entry_place zero = {0};
    log_init(&log, &zero, &zero, &zero);
    return log;
}

Test(log, knows_the_epoch_of_every_entry_also_of_forgotten_ones)
{
    AUTO(log_release) struct log log = empty_log();
    append(&log, 1, 0);
    append(&log, 1, 0);
    append(&log, 4, 0);
    log_forget(&log, 2);
    uint64_t epoch = 99;
    cr_assert(log_epoch_at(&log, 0, &epoch) && epoch == 0);
    cr_assert(log_epoch_at(&log, 2, &epoch) && epoch == 1);
    cr_assert(log_epoch_at(&log, 3, &epoch) && epoch == 4);
    cr_assert_not(log_epoch_at(&log, 4, &epoch));
    cr_assert_null(log_find(&log, 2));
    cr_assert_eq(log_run_start(&log, 2), 1);
    cr_assert_eq(log_run_start(&log, 3), 3);
}

Test(log, holds_nothing_from_before_its_base)
{
    AUTO(log_release) struct log log = empty_log();
    append(&log, 1, 0);
    append(&log, 1, 0);
    struct entry_place second = log.last;
    append(&log, 1, 0);
    log_set_base(&log, &second);
    cr_assert_null(log_find(&log, 2));
    cr_assert_not_null(log_find(&log, 3));
    cr_assert_eq(log.floor.position, 2);
}

Test(log, truncation_brings_back_the_place_before)
{
    AUTO(log_release) struct log log = empty_log();
    append(&log, 1, 10);
    struct entry_place first = log.last;
    append(&log, 2, 10);
    append(&log, 3, 10);
    struct entry_place place;
    cr_assert(log_place_at(&log, 1, &place));
    log_truncate(&log, &place);
    cr_assert_eq(log.last.crc, first.crc);
    append(&log, 5, 10);
    uint64_t epoch = 0;
    cr_assert(log_epoch_at(&log, 2, &epoch) && epoch == 5);
}

Test(log, gathers_at_least_one_entry_and_no_more_than_fit)
{
    AUTO(log_release) struct log log = empty_log();
    AUTO(buffer_release) struct buffer out = {0};
    for (int i = 0; i < 5; i++) {
        append(&log, 1, 28);
    }
    uint64_t last = 0;
    cr_assert(log_gather(&log, 2, 1, &out, &last));
    cr_assert_eq(last, 2);
    buffer_clear(&out);
    cr_assert(log_gather(&log, 2, 250, &out, &last));
    cr_assert_eq(last, 3);
    log_forget(&log, 3);
    cr_assert_not(log_gather(&log, 2, 250, &out, &last));
}

Test(log, loads_what_the_journal_holds_before_it_grows)
{
    AUTO(log_release) struct log source = empty_log();
    for (int i = 0; i < 4; i++) {
        append(&source, 1, 8);
    }
    struct entry_place floor;
    struct entry_place zero = {0};
    cr_assert(log_place_at(&source, 2, &floor));
    AUTO(log_release) struct log log;
    log_init(&log, &zero, &source.last, &floor);
    log_add_run(&log, 1, 1);
    cr_assert_not(log_is_loaded(&log));
    for (uint64_t position = 3; position <= 4; position++) {
        const struct log_item *item = log_find(&source, position);
        log_load(&log, bytes_of(item->frame, item->size), &item->entry);
    }
    cr_assert(log_is_loaded(&log));
    append(&log, 2, 8);
    cr_assert_eq(log.last.position, 5);
}

// One random change of the log and of the array of its epochs.
static void change(struct random *random, struct log *log, uint64_t *epochs, uint64_t *committed)
{
    uint64_t last = log->last.position;
    if (random_below(random, 10) < 7 && last < ENTRIES_MAX - 1) {
        epochs[last + 1] = epochs[last] + random_below(random, 5) / 4;
        epochs[last + 1] = epochs[last + 1] == 0 ? 1 : epochs[last + 1];
        append(log, epochs[last + 1], random_below(random, 64));
    } else if (random_below(random, 2) == 0) {
        struct entry_place place;
        uint64_t position = random_between(random, *committed, last);
        cr_assert(log_place_at(log, position, &place));
        log_truncate(log, &place);
    } else {
        *committed = random_between(random, *committed, last);
        log_forget(log, *committed);
    }
}

Test(log, agrees_with_a_plain_array_in_random_histories)
{
    struct random random;
    random_init(&random, 5);
    for (int round = 0; round < 200; round++) {
        AUTO(log_release) struct log log = empty_log();
        uint64_t epochs[ENTRIES_MAX] = {0};
        uint64_t committed = 0;
        for (int i = 0; i < 300; i++) {
            change(&random, &log, epochs, &committed);
            uint64_t position = random_between(&random, 0, log.last.position);
            uint64_t epoch = 0;
            cr_assert(log_epoch_at(&log, position, &epoch));
            cr_assert_eq(epoch, epochs[position]);
            cr_assert_eq(log_find(&log, position) != NULL, position > log.floor.position);
        }
    }
}
