/*
 * Ids made for inserts: the shape that other systems know as ULID, and an order that follows time,
 * version and operation. That they are unique follows from the versions, which the log makes so.
 */
#include "storage/generated_id.h"

#include <criterion/criterion.h>
#include <string.h>

static void make(char text[GENERATED_ID_SIZE + 1], uint64_t version, uint64_t time_us,
                 uint32_t operation)
{
    generated_id(version, time_us, operation, (uint8_t *)text);
    text[GENERATED_ID_SIZE] = 0;
}

Test(generated_id, is_a_ulid_of_time_version_and_operation)
{
    char id[GENERATED_ID_SIZE + 1];
    make(id, 1, 1469918176385000, 0);
    cr_assert_str_eq(id, "01ARYZ6S410000000000002000");
    make(id, UINT64_MAX, UINT64_MAX, UINT16_MAX);
    cr_assert_eq(strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), GENERATED_ID_SIZE);
}

Test(generated_id, sorts_by_time_then_version_then_operation)
{
    char ids[5][GENERATED_ID_SIZE + 1];
    make(ids[0], 8, 1000, 9);
    make(ids[1], 7, 2000, 9);
    make(ids[2], 8, 2000, 0);
    make(ids[3], 8, 2000, 1);
    make(ids[4], 9, 2000, 0);
    for (int i = 1; i < 5; i++) {
        cr_assert_lt(strcmp(ids[i - 1], ids[i]), 0, "%s %s", ids[i - 1], ids[i]);
    }
}
