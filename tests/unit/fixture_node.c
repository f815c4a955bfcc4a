/*
 * The hand-driven storage node.
 */
#include "tests/unit/fixture_node.h"

#include "storage/state_memory.h"

#include <criterion/criterion.h>

static void collect_send(struct node_fixture *self, const struct effect *effect)
{
    cr_assert_lt(self->sent_count, FIXTURE_SENT_MAX);
    struct sent_message *sent = &self->sent[self->sent_count++];
    sent->to = effect->to;
    buffer_append(&sent->bytes, outbox_effect_bytes(&self->out, effect));
    struct bytes rest = buffer_bytes(&sent->bytes);
    cr_assert_eq(message_decode(&rest, &sent->message), STATUS_ok);
}

static void collect_disk(struct node_fixture *self, const struct effect *effect)
{
    cr_assert_lt(self->waiting_count, FIXTURE_DISK_MAX);
    if (effect->disk.kind == DISK_VOTE) {
        buffer_clear(&self->vote);
        buffer_append(&self->vote, outbox_effect_bytes(&self->out, effect));
    }
    self->waiting[self->waiting_count++].request = effect->disk;
}

static void collect(struct node_fixture *self)
{
    for (size_t i = 0; i < self->out.count; i++) {
        const struct effect *effect = &self->out.effects[i];
        switch (effect->kind) {
        case EFFECT_SEND: collect_send(self, effect); break;
        case EFFECT_DISK: collect_disk(self, effect); break;
        case EFFECT_QUERY: self->query_count++; break;
        case EFFECT_STOP: self->stopped = effect->timer; break;
        case EFFECT_TIMER:
            if (effect->timer < 32) {
                self->timers[effect->timer] = effect->at_us;
            }
            break;
        default: break;
        }
    }
    outbox_clear(&self->out);
}

static void step(struct node_fixture *self, struct event event)
{
    event.now_us = self->now_us;
    event.wall_us = 1000000 + self->now_us;
    event.from_name = bytes_from_text("other");
    node_step(self->node, &event, &self->out);
    collect(self);
}

static void boot(struct node_fixture *self, const struct journal_view *journal)
{
    struct node_boot boot = {.vote_record = buffer_bytes(&self->vote),
                             .journal = *journal,
                             .state = self->state,
                             .marks = self->marks};
    struct journal_run runs[1] = {{.epoch = journal->end.epoch, .position = 1}};
    boot.runs = runs;
    boot.run_count = journal->end.position > 0 ? 1 : 0;
    cr_assert_eq(node_new(&self->process, &boot, &self->node), STATUS_ok);
    step(self, (struct event){.kind = EVENT_START});
}

void node_fixture_init(struct node_fixture *self)
{
    *self = (struct node_fixture){.now_us = 1000000, .stopped = UINT32_MAX};
    self->process = (struct process){.name = bytes_from_text("s1"),
                                     .role = ROLE_primary,
                                     .endpoint = bytes_from_text("sim://s1"),
                                     .cluster_name = bytes_from_text("flock"),
                                     .incarnation = 1,
                                     .seed = 1,
                                     .timings = timings_default(),
                                     .sizes = node_sizes_default()};
    struct message_vote_record record = {.format = 1,
                                         .name = self->process.name,
                                         .cluster_name = self->process.cluster_name,
                                         .directory_id = S1,
                                         .generation = 1};
    message_encode(&(struct message){.kind = MESSAGE_vote_record, .vote_record = record},
                   &self->vote);
    outbox_init(&self->out);
    self->state = state_memory_new();
    self->marks = marks_new(self->state);
    boot(self, &(struct journal_view){0});
}

void node_fixture_release(struct node_fixture *self)
{
    node_destroy(&self->node);
    marks_destroy(&self->marks);
    state_destroy(&self->state);
    node_fixture_forget(self);
    for (size_t i = 0; i < FIXTURE_SENT_MAX; i++) {
        buffer_release(&self->sent[i].bytes);
    }
    outbox_release(&self->out);
    buffer_release(&self->vote);
    buffer_release(&self->frames);
}

void node_fixture_restart(struct node_fixture *self, const struct journal_view *journal)
{
    node_destroy(&self->node);
    self->waiting_count = 0;
    boot(self, journal);
}

void node_fixture_message(struct node_fixture *self, uint64_t from, const struct message *message)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    message_encode(message, &encoded);
    step(self, (struct event){.kind = EVENT_MESSAGE,
                              .from = from,
                              .from_cluster_id = from == FROM_COORDINATOR ? 0 : FIXTURE_CLUSTER_ID,
                              .message = message,
                              .encoded = buffer_bytes(&encoded)});
}

void node_fixture_timer(struct node_fixture *self, uint32_t timer)
{
    step(self, (struct event){.kind = EVENT_TIMER, .timer = timer});
}

void node_fixture_event(struct node_fixture *self, enum event_kind kind, uint64_t from)
{
    step(self, (struct event){.kind = kind, .from = from});
}

void node_fixture_turn(struct node_fixture *self)
{
    step(self, (struct event){.kind = EVENT_TURN});
}

void node_fixture_disk(struct node_fixture *self, enum status status)
{
    cr_assert_gt(self->waiting_count, 0);
    struct disk_request request = self->waiting[0].request;
    self->waiting_count--;
    memmove(self->waiting, self->waiting + 1, self->waiting_count * sizeof(self->waiting[0]));
    struct disk_done done = {.kind = request.kind,
                             .sequence = request.sequence,
                             .status = status,
                             .position = request.position};
    step(self, (struct event){.kind = EVENT_DISK, .done = &done});
}

void node_fixture_disk_all(struct node_fixture *self)
{
    while (self->waiting_count > 0) {
        node_fixture_disk(self, STATUS_ok);
    }
}

const struct message *node_fixture_sent(const struct node_fixture *self, enum message_kind kind)
{
    for (size_t i = self->sent_count; i > 0; i--) {
        if (self->sent[i - 1].message.kind == kind) {
            return &self->sent[i - 1].message;
        }
    }
    return NULL;
}

size_t node_fixture_sent_count(const struct node_fixture *self, enum message_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < self->sent_count; i++) {
        count += self->sent[i].message.kind == kind ? 1 : 0;
    }
    return count;
}

void node_fixture_forget(struct node_fixture *self)
{
    for (size_t i = 0; i < self->sent_count; i++) {
        buffer_clear(&self->sent[i].bytes);
    }
    self->sent_count = 0;
}

void fixture_configuration(struct buffer *out)
{
    struct configuration configuration = {0};
    struct bytes cluster = bytes_from_text("flock");
    cr_assert_eq(configuration_set_cluster(&configuration, FIXTURE_CLUSTER_ID, cluster), STATUS_ok);
    const char *names[] = {"s1", "s2", "s3"};
    const char *endpoints[] = {"sim://s1", "sim://s2", "sim://s3"};
    for (uint64_t i = 0; i < 3; i++) {
        cr_assert_eq(configuration_add(&configuration, S1 + i, bytes_from_text(names[i]),
                                       bytes_from_text(endpoints[i])),
                     STATUS_ok);
    }
    configuration_encode(&configuration, out);
}

void node_fixture_lead(struct node_fixture *self, uint64_t epoch)
{
    struct node_view view = node_fixture_view(self);
    struct message_seal seal = {.epoch = epoch, .incarnation = FIXTURE_INCARNATION};
    node_fixture_message(self, FROM_COORDINATOR,
                         &(struct message){.kind = MESSAGE_seal, .seal = seal});
    node_fixture_disk_all(self);
    AUTO(buffer_release) struct buffer configuration = {0};
    struct message_appoint appoint = {.epoch = epoch,
                                      .incarnation = FIXTURE_INCARNATION,
                                      .appointee = S1,
                                      .last_epoch = view.last.epoch,
                                      .last_position = view.last.position};
    if (view.cluster_id == 0) {
        fixture_configuration(&configuration);
        appoint.birth_cluster_id = FIXTURE_CLUSTER_ID;
        appoint.birth_configuration = buffer_bytes(&configuration);
    }
    node_fixture_message(self, FROM_COORDINATOR,
                         &(struct message){.kind = MESSAGE_appoint, .appoint = appoint});
    node_fixture_disk_all(self);
}

void node_fixture_acknowledge(struct node_fixture *self, uint64_t from, uint64_t directory_id,
                              uint64_t epoch, uint64_t position)
{
    struct message_append_reply reply = {.epoch = epoch,
                                         .directory_id = directory_id,
                                         .promised = epoch,
                                         .accepted = true,
                                         .match_position = position};
    node_fixture_message(self, from,
                         &(struct message){.kind = MESSAGE_append_reply, .append_reply = reply});
}

void node_fixture_entry(struct node_fixture *self, uint64_t epoch)
{
    AUTO(buffer_release) struct buffer configuration = {0};
    bool birth = self->end.position == 0;
    fixture_configuration(&configuration);
    struct entry entry = {.kind = birth ? ENTRY_CONFIGURATION : ENTRY_NOOP,
                          .previous_crc = self->end.crc,
                          .epoch = epoch,
                          .position = self->end.position + 1,
                          .version = self->end.version,
                          .time_us = 1,
                          .payload = birth ? buffer_bytes(&configuration) : bytes_of(NULL, 0)};
    entry_encode(&entry, FIXTURE_CLUSTER_ID, &self->frames);
    self->end = entry_place_of(&entry);
}

void node_fixture_append(struct node_fixture *self, uint64_t epoch,
                         const struct entry_place *previous, uint64_t commit_position)
{
    struct message_append append = {.epoch = epoch,
                                    .leader = S2,
                                    .previous_epoch = previous->epoch,
                                    .previous_position = previous->position,
                                    .commit_position = commit_position,
                                    .round = 1,
                                    .entries = buffer_bytes(&self->frames)};
    node_fixture_message(self, FROM_S2,
                         &(struct message){.kind = MESSAGE_append, .append = append});
    buffer_clear(&self->frames);
}

struct node_view node_fixture_view(const struct node_fixture *self)
{
    struct node_view view;
    node_inspect(self->node, &view);
    return view;
}
