/*
 * The electorate.
 *
 * 1. The configuration file is a hint for whom to ask, and so is the configuration that the last
 *    answers made count: whoever one of them names is a voter as far as known (rule 32). Storage
 *    nodes that registered are asked in polls, for the file may be out of date altogether.
 * 2. An answer is kept with the directory id that it states; the address it came from says only
 *    which question it answers.
 * 3. A promise that someone claims counts for the next epoch only within 2^32 above the lowest
 *    promise of the voters: no liar can make this coordinator try epochs that nobody would take.
 * 4. The table is bounded; who is no voter gives way to one.
 */
#include "cluster/electorate.h"

#include "base/assert.h"

#define EPOCH_JUMP_MAX (UINT64_C(1) << 32) // rule 9

void electorate_add_voter(struct electorate *self, const struct voter_seed *seed,
                          struct outbox *out)
{
    ASSERT(self->named_count < VOTER_COUNT_MAX);
    electorate_add_node(self, seed->endpoint, out);
    electorate_find(self, address_of_endpoint(seed->endpoint))->seed = seed;
    self->named_count++;
}

void electorate_add_node(struct electorate *self, struct bytes endpoint, struct outbox *out)
{
    bool is_known = electorate_find(self, address_of_endpoint(endpoint)) != NULL;
    if (!is_known && self->count < ELECTORS_MAX) {
        uint64_t address = outbox_connect(out, endpoint);
        self->electors[self->count++] = (struct elector){.address = address};
    }
}

// Makes room for one more if need be.
static void electorate_make_room(struct electorate *self, struct outbox *out)
{
    for (size_t i = 0; i < self->count && self->count == ELECTORS_MAX; i++) {
        if (!electorate_is_voter(self, &self->electors[i])) {
            outbox_disconnect(out, self->electors[i].address);
            self->electors[i] = self->electors[--self->count];
        }
    }
}

void electorate_believe(struct electorate *self, const struct configuration *configuration,
                        struct outbox *out)
{
    self->configuration = *configuration;
    for (size_t i = 0; i < self->configuration.voter_count; i++) {
        struct bytes endpoint = bytes_from_text(self->configuration.voters[i].endpoint);
        if (electorate_find(self, address_of_endpoint(endpoint)) == NULL) {
            electorate_make_room(self, out);
            electorate_add_node(self, endpoint, out);
        }
    }
}

struct elector *electorate_find(struct electorate *self, uint64_t address)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->electors[i].address == address) {
            return &self->electors[i];
        }
    }
    return NULL;
}

bool electorate_is_voter(const struct electorate *self, const struct elector *elector)
{
    const struct configuration *configuration = &self->configuration;
    if (elector->seed != NULL || configuration_find(configuration, elector->directory_id)) {
        return true;
    }
    for (size_t i = 0; i < configuration->voter_count; i++) {
        struct bytes endpoint = bytes_from_text(configuration->voters[i].endpoint);
        if (address_of_endpoint(endpoint) == elector->address) {
            return true;
        }
    }
    return false;
}

void elector_hear_promise(struct elector *elector, uint64_t promised)
{
    elector->is_heard = true;
    if (promised > elector->promised) {
        elector->promised = promised;
    }
}

// The lowest promise among the voters heard; 0 when none was.
static uint64_t electorate_lowest_promise(const struct electorate *self)
{
    const struct configuration *configuration = &self->configuration;
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < self->count; i++) {
        const struct elector *elector = &self->electors[i];
        bool counts = configuration->voter_count == 0
                          ? elector->seed != NULL
                          : configuration_find(configuration, elector->directory_id) != NULL;
        if (counts && elector->is_heard && elector->promised < lowest) {
            lowest = elector->promised;
        }
    }
    return lowest == UINT64_MAX ? 0 : lowest;
}

uint64_t electorate_highest_promise(const struct electorate *self)
{
    uint64_t lowest = electorate_lowest_promise(self);
    uint64_t highest = lowest;
    for (size_t i = 0; i < self->count; i++) {
        uint64_t promised = self->electors[i].promised;
        if (promised > highest && promised - lowest < EPOCH_JUMP_MAX) {
            highest = promised;
        }
    }
    return highest;
}

void electorate_begin_step(struct electorate *self)
{
    for (size_t i = 0; i < self->count; i++) {
        self->electors[i].is_asked = false;
        self->electors[i].has_answered = false;
        self->electors[i].agrees = false;
    }
}

bool electorate_is_settled(const struct electorate *self)
{
    for (size_t i = 0; i < self->count; i++) {
        const struct elector *elector = &self->electors[i];
        if (elector->is_asked && !elector->has_answered && !elector->is_down) {
            return false;
        }
    }
    return true;
}

void electorate_include_all(struct electorate *self)
{
    for (size_t i = 0; i < self->count; i++) {
        self->electors[i].is_excluded = false;
    }
}

enum status elector_take_answer(struct elector *elector, const struct elector_answer *answer)
{
    elector->has_answered = true;
    elector->agrees = false;
    bool is_blank = answer->last_position == 0;
    if (answer->directory_id == 0 || is_blank != (answer->last_epoch == 0) ||
        is_blank != (answer->configuration.size == 0)) {
        return STATUS_bad_request;
    }
    struct ballot_answer kept = {
        .directory_id = answer->directory_id,
        .last_epoch = answer->last_epoch,
        .last_position = answer->last_position,
    };
    if (!is_blank &&
        configuration_decode(answer->configuration, &kept.configuration) != STATUS_ok) {
        return STATUS_bad_request;
    }
    kept.is_named = elector->seed != NULL && bytes_equal(elector->seed->name, answer->from_name);
    kept.is_preferred = kept.is_named && elector->seed->preferred;
    elector->answer = kept;
    elector->directory_id = answer->directory_id;
    elector->agrees = answer->agrees;
    return STATUS_ok;
}

enum ballot_verdict electorate_decide(const struct electorate *self, uint64_t target,
                                      bool with_excluded, const struct ballot_answer **ret_best)
{
    struct ballot ballot = {.named_count = self->named_count, .target = target};
    for (size_t i = 0; i < self->count; i++) {
        const struct elector *elector = &self->electors[i];
        if (elector->agrees && (with_excluded || !elector->is_excluded)) {
            ballot.answers[ballot.count++] = &elector->answer;
        }
    }
    return ballot_decide(&ballot, ret_best);
}

uint64_t electorate_address_of(const struct electorate *self, const struct ballot_answer *answer)
{
    for (size_t i = 0; i < self->count; i++) {
        if (&self->electors[i].answer == answer) {
            return self->electors[i].address;
        }
    }
    UNREACHABLE();
}

enum status electorate_make_birth(const struct electorate *self,
                                  struct configuration *ret_configuration)
{
    struct configuration born = {0};
    for (size_t i = 0; i < self->count; i++) {
        const struct elector *elector = &self->electors[i];
        if (elector->agrees && elector->answer.is_named) {
            TRY(configuration_add(&born, elector->answer.directory_id, elector->seed->name,
                                  elector->seed->endpoint));
        }
    }
    *ret_configuration = born;
    return STATUS_ok;
}
