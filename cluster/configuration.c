/*
 * Configurations.
 *
 * 1. Decoding takes nothing that encoding would not have written, so that every node that has one
 *    agrees about its bytes and about what a majority of it is.
 * 2. A voter is its directory; a name is for people, and unique in a configuration so that they
 *    are not misled. Answers are counted by directory only (rule 31).
 */
#include "cluster/configuration.h"

#include "base/assert.h"
#include "base/bug.h"
#include "cluster/word.h"
#include "wire/message.h"

enum { CONFIGURATION_FORMAT = 1 };

static enum status voter_read(const struct message_voter *message,
                              struct configuration_voter *ret_voter)
{
    struct configuration_voter voter = {.directory_id = message->directory_id};
    TRY(word_copy(message->name, voter.name, sizeof voter.name));
    TRY(word_copy(message->endpoint, voter.endpoint, sizeof voter.endpoint));
    if (voter.directory_id == 0 || voter.name[0] == '\0' || voter.endpoint[0] == '\0') {
        return STATUS_bad_request;
    }
    *ret_voter = voter;
    return STATUS_ok;
}

// Takes the next voter off the list; it must come after those that are there.
static enum status voters_decode_next(struct bytes *list, struct configuration *configuration)
{
    struct message message;
    TRY(message_decode(list, &message));
    if (message.kind != MESSAGE_voter) {
        return STATUS_bad_request;
    }
    size_t count = configuration->voter_count;
    const struct message_voter *voter = &message.voter;
    if (count > 0 && configuration->voters[count - 1].directory_id >= voter->directory_id) {
        return STATUS_bad_request;
    }
    enum status status = configuration_add(configuration, voter->directory_id, voter->name,
                                           voter->endpoint);
    return status == STATUS_ok ? STATUS_ok : STATUS_bad_request;
}

enum status configuration_decode(struct bytes encoded, struct configuration *ret_configuration)
{
    struct message message;
    TRY(message_decode(&encoded, &message));
    if (message.kind != MESSAGE_configuration || encoded.size > 0) {
        return STATUS_bad_request;
    }
    const struct message_configuration *fields = &message.configuration;
    if (fields->format != CONFIGURATION_FORMAT) {
        return STATUS_version_mismatch;
    }
    struct configuration configuration = {0};
    TRY(configuration_set_cluster(&configuration, fields->cluster_id, fields->cluster_name));
    struct bytes list = fields->voters;
    while (list.size > 0) {
        TRY(voters_decode_next(&list, &configuration));
    }
    if (configuration.voter_count == 0) {
        return STATUS_bad_request;
    }
    *ret_configuration = configuration;
    return STATUS_ok;
}

void configuration_encode(const struct configuration *configuration, struct buffer *out)
{
    ASSERT(configuration->cluster_id != 0 && configuration->voter_count > 0);
    AUTO(buffer_release) struct buffer voters = {0};
    for (size_t i = 0; i < configuration->voter_count; i++) {
        const struct configuration_voter *voter = &configuration->voters[i];
        struct message message = {
            .kind = MESSAGE_voter,
            .voter = {.name = bytes_from_text(voter->name),
                      .directory_id = voter->directory_id,
                      .endpoint = bytes_from_text(voter->endpoint)},
        };
        message_encode(&message, &voters);
    }
    struct message message = {
        .kind = MESSAGE_configuration,
        .configuration = {.format = CONFIGURATION_FORMAT,
                          .cluster_id = configuration->cluster_id,
                          .cluster_name = bytes_from_text(configuration->cluster_name),
                          .voters = buffer_bytes(&voters)},
    };
    message_encode(&message, out);
}

enum status configuration_set_cluster(struct configuration *configuration, uint64_t cluster_id,
                                      struct bytes cluster_name)
{
    if (cluster_id == 0) {
        return STATUS_bad_request;
    }
    TRY(word_copy(cluster_name, configuration->cluster_name, sizeof configuration->cluster_name));
    configuration->cluster_id = cluster_id;
    return STATUS_ok;
}

enum status configuration_add(struct configuration *configuration, uint64_t directory_id,
                              struct bytes name, struct bytes endpoint)
{
    struct message_voter message = {
        .name = name, .directory_id = directory_id, .endpoint = endpoint};
    struct configuration_voter voter;
    TRY(voter_read(&message, &voter));
    if (configuration_find(configuration, directory_id) != NULL ||
        configuration_find_name(configuration, name) != NULL) {
        return STATUS_exists;
    }
    if (configuration->voter_count == VOTER_COUNT_MAX) {
        return STATUS_too_large;
    }
    size_t at = configuration->voter_count++;
    for (; at > 0 && configuration->voters[at - 1].directory_id > directory_id; at--) {
        configuration->voters[at] = configuration->voters[at - 1];
    }
    configuration->voters[at] = voter;
    return STATUS_ok;
}

const struct configuration_voter *configuration_find(const struct configuration *configuration,
                                                     uint64_t directory_id)
{
    for (size_t i = 0; i < configuration->voter_count; i++) {
        if (configuration->voters[i].directory_id == directory_id) {
            return &configuration->voters[i];
        }
    }
    return NULL;
}

const struct configuration_voter *configuration_find_name(const struct configuration *configuration,
                                                          struct bytes name)
{
    for (size_t i = 0; i < configuration->voter_count; i++) {
        if (word_is(configuration->voters[i].name, name)) {
            return &configuration->voters[i];
        }
    }
    return NULL;
}

size_t majority_of(size_t voter_count)
{
    return BUG(3) ? voter_count / 2 : voter_count / 2 + 1;
}

bool configuration_has_majority(const struct configuration *configuration,
                                const uint64_t *directory_ids, size_t count)
{
    size_t present = 0;
    for (size_t i = 0; i < configuration->voter_count; i++) {
        bool is_present = false;
        for (size_t k = 0; k < count; k++) {
            is_present |= directory_ids[k] == configuration->voters[i].directory_id;
        }
        present += is_present;
    }
    return present >= majority_of(configuration->voter_count);
}
