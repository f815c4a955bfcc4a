/*
 * What `skein bench` sends: every request of every workload is well-formed, and of the size told.
 */
#include "client/cli/workload.h"

#include <criterion/criterion.h>

enum { ROUNDS = 200 };

// Counts the operations of a kind; the blob must be one that servers take as it is.
static uint32_t count_kind(struct bytes blob, enum operation_kind kind)
{
    struct buffer canonical = {0};
    struct operations operations;
    struct operation operation;
    struct operation_fault fault = {0};
    uint32_t count = 0;
    cr_assert_eq(operations_canonicalize(blob, &canonical, &fault), STATUS_ok, "%s",
                 fault.sentence);
    cr_assert(bytes_equal(buffer_bytes(&canonical), blob));
    cr_assert_eq(operations_open(blob, &operations, &fault), STATUS_ok);
    while (operations_have_next(&operations)) {
        cr_assert_eq(operations_next(&operations, &operation, &fault), STATUS_ok);
        count += operation.kind == kind;
    }
    buffer_release(&canonical);
    return count;
}

// Counts them over many requests, and the reads among those.
static uint32_t count_over(enum workload workload, enum operation_kind kind, uint32_t *ret_reads)
{
    const struct workload_options options = {.workload = workload, .keys = 50, .size = 20};
    struct random random;
    struct buffer operations = {0};
    uint32_t count = 0;
    *ret_reads = 0;
    random_init(&random, 1);
    for (int i = 0; i < ROUNDS; i++) {
        bool is_read;
        workload_next(&options, &random, &operations, &is_read);
        count += count_kind(buffer_bytes(&operations), kind);
        *ret_reads += is_read;
    }
    buffer_release(&operations);
    return count;
}

Test(workload, sends_what_its_name_says)
{
    uint32_t reads;
    cr_assert_eq(count_over(WORKLOAD_write, OPERATION_put, &reads), ROUNDS);
    cr_assert_eq(reads, 0);
    cr_assert_eq(count_over(WORKLOAD_read, OPERATION_get, &reads), ROUNDS);
    cr_assert_eq(reads, ROUNDS);
    cr_assert_eq(count_over(WORKLOAD_update, OPERATION_update, &reads), ROUNDS);
    cr_assert_eq(reads, 0);
    cr_assert_eq(count_over(WORKLOAD_find, OPERATION_find, &reads), ROUNDS);
    cr_assert_eq(reads, ROUNDS);
    cr_assert_eq(count_over(WORKLOAD_txn, OPERATION_get, &reads), 5 * ROUNDS);
    cr_assert_eq(count_over(WORKLOAD_txn, OPERATION_put, &reads), 5 * ROUNDS);
    cr_assert_eq(reads, 0);
}

Test(workload, mixes_reads_and_writes)
{
    uint32_t reads;
    uint32_t puts = count_over(WORKLOAD_mixed, OPERATION_put, &reads);
    cr_assert_eq(puts + reads, ROUNDS);
    cr_assert(reads > ROUNDS / 4 && puts > ROUNDS / 4);
}

Test(workload, prepares_what_it_needs)
{
    struct buffer operations = {0};
    for (enum workload workload = WORKLOAD_write; workload <= WORKLOAD_echo; workload++) {
        const struct workload_options options = {.workload = workload, .keys = 50, .size = 20};
        workload_prepare(&options, 10, 30, &operations);
        cr_assert_eq(count_kind(buffer_bytes(&operations), OPERATION_put), 30);
        cr_assert(workload_needs_documents(workload) || !workload_needs_index(workload));
    }
    const struct operation index = workload_index();
    buffer_clear(&operations);
    buffer_append_u8(&operations, 0x91); // an array of one
    operation_pack(&index, &operations);
    cr_assert_eq(count_kind(buffer_bytes(&operations), OPERATION_create_index), 1);
    buffer_release(&operations);
}

Test(workload, is_found_by_its_name)
{
    enum workload workload;
    cr_assert(workload_from_name("find", &workload));
    cr_assert_eq(workload, WORKLOAD_find);
    cr_assert_not(workload_from_name("dance", &workload));
}
