/*
 * Voters by script. They promise nothing that they would keep: what voters must do is tested where
 * they are; here an election has to behave whatever they answer.
 */
#include "tests/unit/fixture_electors.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void script_init(struct script *voter, size_t number, const char *voters)
{
    *voter = (struct script){.directory_id = stage_directory(number),
                             .promised = 4,
                             .last_epoch = 4,
                             .last_position = 100,
                             .voters = voters};
    snprintf(voter->name, sizeof voter->name, "s%zu", number + 1);
    snprintf(voter->endpoint, sizeof voter->endpoint, "tcp://s%zu:7310", number + 1);
}

void stage_open(struct stage *stage, const char *named)
{
    *stage = (struct stage){
        .process = {.name = bytes_from_text("c1"),
                    .role = ROLE_coordinator,
                    .endpoint = bytes_from_text("tcp://c1:7300"),
                    .cluster_name = bytes_from_text("flock"),
                    .incarnation = ELECTORS_INCARNATION,
                    .seed = 1,
                    .timings = timings_default()},
        .post = post_new(),
        .now_us = 10000 * MS,
        .named = named,
    };
    election_init(&stage->election, &stage->process);
    for (size_t i = 0; i < ELECTORS_VOTERS_MAX; i++) {
        script_init(&stage->voters[i], i, named);
    }
    for (size_t i = 0; i < strlen(named); i++) {
        struct script *voter = &stage->voters[named[i] - '1'];
        stage->seeds[i] = (struct voter_seed){.name = bytes_from_text(voter->name),
                                              .endpoint = bytes_from_text(voter->endpoint)};
        electorate_add_voter(&stage->election.electorate, &stage->seeds[i], &stage->post->out);
    }
    post_collect(stage->post);
}

void stage_close(struct stage *stage)
{
    post_destroy(&stage->post);
}

uint64_t stage_directory(size_t voter)
{
    return 101 + voter;
}

uint64_t stage_address(const struct stage *stage, size_t voter)
{
    return address_of_endpoint(bytes_from_text(stage->voters[voter].endpoint));
}

void stage_blank(struct stage *stage, size_t voter)
{
    stage->voters[voter].promised = 0;
    stage->voters[voter].last_epoch = 0;
    stage->voters[voter].last_position = 0;
    stage->voters[voter].voters = "";
}

static void encode_voters(const char *digits, struct buffer *out)
{
    struct configuration configuration = {0};
    if (digits[0] == '\0') {
        return;
    }
    cr_assert_eq(
        configuration_set_cluster(&configuration, ELECTORS_CLUSTER, bytes_from_text("flock")),
        STATUS_ok);
    for (const char *digit = digits; *digit != '\0'; digit++) {
        struct script voter;
        script_init(&voter, (size_t)(*digit - '1'), "");
        cr_assert_eq(configuration_add(&configuration, voter.directory_id,
                                       bytes_from_text(voter.name),
                                       bytes_from_text(voter.endpoint)),
                     STATUS_ok);
    }
    configuration_encode(&configuration, out);
}

static struct message script_answer_poll(const struct script *voter, const struct message *poll,
                                         struct bytes configuration)
{
    return (struct message){.kind = MESSAGE_poll_reply,
                            .poll_reply = {.request = poll->poll.request,
                                           .directory_id = voter->directory_id,
                                           .hears_primary = voter->hears_primary,
                                           .would_accept = !voter->refuses,
                                           .promised = voter->promised,
                                           .last_epoch = voter->last_epoch,
                                           .last_position = voter->last_position,
                                           .configuration = configuration}};
}

static struct message script_answer_seal(struct script *voter, const struct message *seal,
                                         struct bytes configuration)
{
    bool accepted = !voter->refuses && seal->seal.epoch > voter->promised;
    voter->promised = accepted ? seal->seal.epoch : voter->promised;
    struct message reply = {.kind = MESSAGE_seal_reply,
                            .seal_reply = {.epoch = seal->seal.epoch,
                                           .incarnation = seal->seal.incarnation,
                                           .accepted = accepted,
                                           .promised = voter->promised,
                                           .directory_id = voter->directory_id}};
    if (accepted) {
        reply.seal_reply.last_epoch = voter->last_epoch;
        reply.seal_reply.last_position = voter->last_position;
        reply.seal_reply.configuration = configuration;
    }
    return reply;
}

struct message script_answer(struct script *voter, const struct message *question,
                             struct buffer *configuration)
{
    encode_voters(voter->voters, configuration);
    if (question->kind == MESSAGE_poll) {
        return script_answer_poll(voter, question, buffer_bytes(configuration));
    }
    return script_answer_seal(voter, question, buffer_bytes(configuration));
}

void stage_answer_as(struct stage *stage, size_t voter, struct message answer)
{
    struct event event = {.kind = EVENT_MESSAGE,
                          .now_us = stage->now_us,
                          .from = stage_address(stage, voter),
                          .from_name = bytes_from_text(stage->voters[voter].name),
                          .message = &answer};
    election_on_message(&stage->election, &event, &stage->post->out);
    post_collect(stage->post);
}

void stage_answer(struct stage *stage, size_t voter)
{
    enum message_kind kind = stage->election.state == ELECTION_POLL ? MESSAGE_poll : MESSAGE_seal;
    AUTO(buffer_release) struct buffer configuration = {0};
    const struct message *question = post_last(stage->post, stage_address(stage, voter), kind);
    stage_answer_as(stage, voter, script_answer(&stage->voters[voter], question, &configuration));
}

void stage_answer_all(struct stage *stage, const char *digits)
{
    enum election_state state = stage->election.state;
    for (const char *digit = digits; *digit != '\0' && stage->election.state == state; digit++) {
        size_t voter = (size_t)(*digit - '1');
        enum message_kind kind = state == ELECTION_POLL ? MESSAGE_poll : MESSAGE_seal;
        if (post_count(stage->post, stage_address(stage, voter), kind) > 0) {
            stage_answer(stage, voter);
        }
    }
}

void stage_answer_appoint(struct stage *stage, size_t voter, bool accepted)
{
    const struct message *appoint = post_last(stage->post, stage_address(stage, voter),
                                              MESSAGE_appoint);
    stage_answer_as(stage, voter,
                    (struct message){.kind = MESSAGE_appoint_reply,
                                     .appoint_reply = {.epoch = appoint->appoint.epoch,
                                                       .incarnation = appoint->appoint.incarnation,
                                                       .accepted = accepted,
                                                       .promised = appoint->appoint.epoch}});
}

void stage_wait(struct stage *stage, uint64_t us)
{
    uint64_t until_us = stage->now_us + us;
    uint64_t *due_us = &stage->post->timers[ELECTION_TIMER];
    while (*due_us != 0 && *due_us <= until_us) {
        stage->now_us = *due_us > stage->now_us ? *due_us : stage->now_us;
        *due_us = 0;
        election_on_timer(&stage->election, stage->now_us, &stage->post->out);
        post_collect(stage->post);
    }
    stage->now_us = until_us;
}

void stage_connect(struct stage *stage, size_t voter, bool is_up)
{
    struct event event = {.kind = is_up ? EVENT_PEER_UP : EVENT_PEER_DOWN,
                          .now_us = stage->now_us,
                          .from = stage_address(stage, voter)};
    election_on_peer(&stage->election, &event, &stage->post->out);
    post_collect(stage->post);
}

void stage_suspect(struct stage *stage)
{
    election_suspect(&stage->election, 4, stage->now_us, &stage->post->out);
    post_collect(stage->post);
}

void stage_suspect_to_seal(struct stage *stage, const char *agreeing)
{
    stage_suspect(stage);
    stage_answer_all(stage, agreeing);
    stage_check_state(stage, ELECTION_SEAL);
}

uint64_t stage_wait_for(struct stage *stage, enum election_state state)
{
    uint64_t begin_us = stage->now_us;
    while (stage->election.state != state) {
        stage_wait(stage, 10);
        cr_assert_lt(stage->now_us, begin_us + 100000 * MS);
    }
    return stage->now_us - begin_us;
}

void stage_repeat_to_seal(struct stage *stage, const char *digits)
{
    stage_wait_for(stage, ELECTION_BACK_OFF);
    post_forget(stage->post);
    stage_wait_for(stage, ELECTION_POLL);
    stage_answer_all(stage, digits);
    stage_check_state(stage, ELECTION_SEAL);
}

bool stage_hear_primary(struct stage *stage, uint64_t epoch, size_t voter)
{
    bool is_ours = election_hear_primary(&stage->election, epoch, stage_directory(voter),
                                         &stage->post->out);
    post_collect(stage->post);
    return is_ours;
}

uint64_t stage_sealed_epoch(const struct stage *stage, size_t voter)
{
    return post_last(stage->post, stage_address(stage, voter), MESSAGE_seal)->seal.epoch;
}

const struct message_appoint *stage_appointment(const struct stage *stage, size_t *ret_voter)
{
    cr_assert_eq(post_count(stage->post, 0, MESSAGE_appoint), 1);
    for (size_t i = 0; i < ELECTORS_VOTERS_MAX; i++) {
        if (post_count(stage->post, stage_address(stage, i), MESSAGE_appoint) == 1) {
            *ret_voter = i;
        }
    }
    return &post_last(stage->post, 0, MESSAGE_appoint)->appoint;
}

void stage_check_appointed(const struct stage *stage, size_t voter)
{
    size_t appointed = ELECTORS_VOTERS_MAX;
    const struct message_appoint *appoint = stage_appointment(stage, &appointed);
    cr_assert_eq(appointed, voter);
    cr_assert_eq(appoint->appointee, stage_directory(voter));
    cr_assert_eq(appoint->last_epoch, stage->voters[voter].last_epoch);
    cr_assert_eq(appoint->last_position, stage->voters[voter].last_position);
}

void stage_check_state(const struct stage *stage, enum election_state state)
{
    cr_assert_eq(stage->election.state, state, "state is %d, not %d", stage->election.state, state);
}
