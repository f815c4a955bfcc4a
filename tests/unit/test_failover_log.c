/*
 * The last failovers that a coordinator ran.
 */
#include "actors/coordinator/failover_log.h"

#include "wire/message.h"

#include <criterion/criterion.h>

static struct failover failover_of(uint64_t epoch)
{
    struct failover failover = {.epoch = epoch, .started_us = UINT64_MAX};
    memset(failover.old_primary, 'o', NAME_SIZE_MAX);
    memset(failover.new_primary, 'n', NAME_SIZE_MAX);
    memset(failover.cause, 'c', CAUSE_SIZE_MAX);
    for (size_t i = 0; i < PHASE_COUNT; i++) {
        failover.phases_us[i] = UINT64_MAX / PHASE_COUNT;
    }
    return failover;
}

// Fails the test unless the log tells of these epochs, from `first` down to `last`.
static void check_epochs(const struct failover_log *log, uint64_t first, uint64_t last)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    failover_log_encode(log, &encoded);
    cr_assert_leq(encoded.size, 64 * KIB);
    struct bytes rest = buffer_bytes(&encoded);
    for (uint64_t epoch = first; epoch >= last; epoch--) {
        struct message record;
        cr_assert_eq(message_decode(&rest, &record), STATUS_ok);
        cr_assert_eq(record.kind, MESSAGE_failover);
        cr_assert_eq(record.failover.epoch, epoch);
        cr_assert_eq(record.failover.phases, PHASE_COUNT);
        for (size_t i = 0; i < PHASE_COUNT; i++) {
            cr_assert_eq(message_decode(&rest, &record), STATUS_ok);
            cr_assert_eq(record.kind, MESSAGE_phase);
        }
    }
    cr_assert_eq(rest.size, 0);
}

Test(failover_log, is_empty_at_first)
{
    struct failover_log log = {0};
    AUTO(buffer_release) struct buffer encoded = {0};
    failover_log_encode(&log, &encoded);
    cr_assert_eq(encoded.size, 0);
}

Test(failover_log, tells_the_latest_first_and_keeps_thirty_two)
{
    struct failover_log log = {0};
    for (uint64_t epoch = 1; epoch <= 100; epoch++) {
        struct failover failover = failover_of(epoch);
        failover_log_add(&log, &failover);
        check_epochs(&log, epoch, epoch <= FAILOVERS_MAX ? 1 : epoch - FAILOVERS_MAX + 1);
    }
}

Test(failover_log, the_total_is_the_sum_of_the_phases)
{
    struct failover failover = {.phases_us = {1, 20, 300, 4000, 50000, 600000}};
    cr_assert_eq(failover_total_us(&failover), 654321);
}
