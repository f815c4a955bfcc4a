/*
 * The voters of a group: their bytes, and what a majority of them is (rule 31).
 */
#include "cluster/configuration.h"

#include "base/random.h"
#include "wire/message.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { CLUSTER = 77 };

static enum status add(struct configuration *configuration, uint64_t directory_id)
{
    char name[32];
    char endpoint[32];
    snprintf(name, sizeof name, "s%lu", (unsigned long)directory_id);
    snprintf(endpoint, sizeof endpoint, "tcp://s%lu:7310", (unsigned long)directory_id);
    return configuration_add(configuration, directory_id, bytes_from_text(name),
                             bytes_from_text(endpoint));
}

// A configuration of these directories.
static struct configuration made_of(const uint64_t *directory_ids, size_t count)
{
    struct configuration configuration = {0};
    cr_assert_eq(configuration_set_cluster(&configuration, CLUSTER, bytes_from_text("flock")),
                 STATUS_ok);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(add(&configuration, directory_ids[i]), STATUS_ok);
    }
    return configuration;
}

static void encode_voter(uint64_t directory_id, const char *name, struct buffer *out)
{
    struct message message = {.kind = MESSAGE_voter,
                              .voter = {.name = bytes_from_text(name),
                                        .directory_id = directory_id,
                                        .endpoint = bytes_from_text("tcp://x:1")}};
    message_encode(&message, out);
}

// What decoding says about a configuration with these voters in it.
static enum status decode_with(uint8_t format, uint64_t cluster_id, const struct buffer *voters)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    struct message message = {.kind = MESSAGE_configuration,
                              .configuration = {.format = format,
                                                .cluster_id = cluster_id,
                                                .cluster_name = bytes_from_text("flock"),
                                                .voters = buffer_bytes(voters)}};
    message_encode(&message, &encoded);
    struct configuration decoded;
    return configuration_decode(buffer_bytes(&encoded), &decoded);
}

Test(configuration, equal_sets_have_equal_bytes_whatever_the_order)
{
    AUTO(buffer_release) struct buffer a = {0};
    AUTO(buffer_release) struct buffer b = {0};
    struct configuration ordered = made_of((uint64_t[]){1, 2, 300}, 3);
    struct configuration shuffled = made_of((uint64_t[]){300, 1, 2}, 3);
    configuration_encode(&ordered, &a);
    configuration_encode(&shuffled, &b);
    cr_assert(bytes_equal(buffer_bytes(&a), buffer_bytes(&b)));
}

Test(configuration, survives_encoding)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    struct configuration made = made_of((uint64_t[]){9, 8, 7, 6, 5, 4, UINT64_MAX},
                                        VOTER_COUNT_MAX);
    configuration_encode(&made, &encoded);
    struct configuration decoded;
    cr_assert_eq(configuration_decode(buffer_bytes(&encoded), &decoded), STATUS_ok);
    cr_assert_eq(decoded.cluster_id, CLUSTER);
    cr_assert_str_eq(decoded.cluster_name, "flock");
    cr_assert_eq(decoded.voter_count, VOTER_COUNT_MAX);
    cr_assert_eq(decoded.voters[0].directory_id, 4);
    cr_assert_str_eq(configuration_find(&decoded, 7)->name, "s7");
    cr_assert_str_eq(configuration_find(&decoded, UINT64_MAX)->name, "s18446744073709551615");
    cr_assert_null(configuration_find(&decoded, 10));
}

Test(configuration, refuses_another_voter_of_the_same_directory_or_name)
{
    struct configuration configuration = made_of((uint64_t[]){1, 2}, 2);
    cr_assert_eq(add(&configuration, 2), STATUS_exists);
    cr_assert_eq(configuration_add(&configuration, 3, bytes_from_text("s1"),
                                   bytes_from_text("tcp://other:1")),
                 STATUS_exists);
    cr_assert_eq(configuration.voter_count, 2);
}

Test(configuration, refuses_voters_without_identity_and_too_many)
{
    struct configuration configuration = made_of((uint64_t[]){1, 2, 3, 4, 5, 6, 7}, 7);
    cr_assert_eq(add(&configuration, 8), STATUS_too_large);
    struct configuration empty = {0};
    struct bytes name = bytes_from_text("s1");
    struct bytes nothing = bytes_of(NULL, 0);
    cr_assert_eq(configuration_add(&empty, 0, name, name), STATUS_bad_request);
    cr_assert_eq(configuration_add(&empty, 1, nothing, name), STATUS_bad_request);
    cr_assert_eq(configuration_add(&empty, 1, name, nothing), STATUS_bad_request);
    cr_assert_eq(configuration_add(&empty, 1, bytes_from_text("s 1"), name), STATUS_bad_request);
    cr_assert_eq(configuration_add(&empty, 1, bytes_of("s\0", 2), name), STATUS_bad_request);
    cr_assert_eq(empty.voter_count, 0);
}

Test(configuration, decoding_takes_only_what_encoding_writes)
{
    AUTO(buffer_release) struct buffer good = {0};
    encode_voter(1, "s1", &good);
    encode_voter(2, "s2", &good);
    cr_assert_eq(decode_with(1, CLUSTER, &good), STATUS_ok);
    cr_assert_eq(decode_with(2, CLUSTER, &good), STATUS_version_mismatch);
    cr_assert_eq(decode_with(1, 0, &good), STATUS_bad_request);
    AUTO(buffer_release) struct buffer none = {0};
    cr_assert_eq(decode_with(1, CLUSTER, &none), STATUS_bad_request);
    AUTO(buffer_release) struct buffer disordered = {0};
    encode_voter(2, "s2", &disordered);
    encode_voter(1, "s1", &disordered);
    cr_assert_eq(decode_with(1, CLUSTER, &disordered), STATUS_bad_request);
    AUTO(buffer_release) struct buffer twice = {0};
    encode_voter(1, "s1", &twice);
    encode_voter(2, "s1", &twice);
    cr_assert_eq(decode_with(1, CLUSTER, &twice), STATUS_bad_request);
}

Test(configuration, decoding_survives_any_cut_and_any_flipped_byte)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    struct configuration made = made_of((uint64_t[]){1, 2, 3}, 3);
    configuration_encode(&made, &encoded);
    struct configuration decoded;
    for (size_t size = 0; size < encoded.size; size++) {
        struct bytes cut = bytes_of(encoded.data, size);
        cr_assert_neq(configuration_decode(cut, &decoded), STATUS_ok);
    }
    for (size_t i = 0; i < encoded.size * 8; i++) {
        encoded.data[i / 8] ^= (uint8_t)(1U << i % 8);
        if (configuration_decode(buffer_bytes(&encoded), &decoded) == STATUS_ok) {
            cr_assert(decoded.voter_count >= 1 && decoded.voter_count <= VOTER_COUNT_MAX);
        }
        encoded.data[i / 8] ^= (uint8_t)(1U << i % 8);
    }
}

Test(configuration, a_majority_is_more_than_half)
{
    static const size_t expected[] = {1, 2, 2, 3, 3, 4, 4};
    for (size_t voters = 1; voters <= VOTER_COUNT_MAX; voters++) {
        cr_assert_eq(majority_of(voters), expected[voters - 1]);
    }
}

Test(configuration, counts_each_directory_once_and_strangers_never)
{
    struct configuration five = made_of((uint64_t[]){1, 2, 3, 4, 5}, 5);
    cr_assert(configuration_has_majority(&five, (uint64_t[]){5, 1, 3}, 3));
    cr_assert_not(configuration_has_majority(&five, (uint64_t[]){5, 1}, 2));
    cr_assert_not(configuration_has_majority(&five, (uint64_t[]){5, 5, 5, 1}, 4));
    cr_assert_not(configuration_has_majority(&five, (uint64_t[]){5, 1, 6, 7, 8}, 5));
    cr_assert_not(configuration_has_majority(&five, (uint64_t[]){0}, 0));
}
