/*
 * The core of a storage node.
 *
 * 1. `vote` is what the newest queued vote write holds; `durable_*` is what is on the disk. Between
 *    the two an epoch is "in the course of being promised": it already counts against everything
 *    older (rules 7, 25), and nothing that relies on it has left yet (rules 2, 12).
 * 2. Writes finish in the order in which they were queued, so a vote queued after an append is a
 *    barrier behind it: when it is done, that append is durable or has failed for want of space.
 * 3. durable_position <= log.last.position; commit_position <= log.last.position.
 * 4. Nothing at or below commit_position is ever removed (rule 13).
 *
 * A failed write never comes back here: the shell has stopped the process (rule 21). Only a full
 * disk does, for appends; then the sides decide what to do with the entries in memory.
 */
#include "cluster/core.h"

#include "base/assert.h"
#include "base/bug.h"

enum status core_init(struct core *core, const struct process *process, struct bytes vote_record)
{
    struct message message;
    TRY(message_decode(&vote_record, &message));
    if (message.kind != MESSAGE_vote_record || vote_record.size != 0 ||
        !bytes_equal(message.vote_record.name, process->name) ||
        !bytes_equal(message.vote_record.cluster_name, process->cluster_name) ||
        message.vote_record.directory_id == 0) {
        return STATUS_bad_request;
    }
    *core = (struct core){.process = process, .vote = message.vote_record};
    core->vote.name = process->name;
    core->vote.cluster_name = process->cluster_name;
    core->durable_promised = core->vote.promised;
    core->durable_incarnation = core->vote.incarnation;
    core->durable_used = core->vote.appointment_used;
    return STATUS_ok;
}

void core_release(struct core *core)
{
    log_release(&core->log);
    buffer_release(&core->configuration_bytes);
    buffer_release(&core->committed_bytes);
}

bool core_has_room(const struct core *core)
{
    // An append may need a promise, a lowered mark and a truncation before it.
    return core->write_count + 4 <= CORE_WRITES_MAX;
}

static void core_queue(struct core *core, const struct core_write *write)
{
    ASSERT(core->write_count < CORE_WRITES_MAX);
    core->writes[(core->write_first + core->write_count) % CORE_WRITES_MAX] = *write;
    core->write_count++;
}

uint64_t core_request(struct core *core, struct disk_request *request, struct outbox *out)
{
    request->sequence = ++core->disk_sequence;
    outbox_disk(out, request);
    return request->sequence;
}

static void core_write(struct core *core, struct disk_request *request, struct core_write write,
                       struct outbox *out)
{
    write.kind = request->kind;
    write.epoch = core->vote.promised;
    write.sequence = core_request(core, request, out);
    core_queue(core, &write);
}

void core_write_vote(struct core *core, enum write_purpose purpose, uint64_t to, struct outbox *out)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    message_encode(&(struct message){.kind = MESSAGE_vote_record, .vote_record = core->vote},
                   &encoded);
    struct disk_request request = {.kind = DISK_VOTE, .bytes = buffer_bytes(&encoded)};
    struct core_write write = {.purpose = purpose,
                               .to = to,
                               .incarnation = core->vote.incarnation,
                               .used = core->vote.appointment_used};
    core_write(core, &request, write, out);
}

// The end of the log that a seal answers with: everything queued before it will be durable then.
static void core_note_end(struct core *core)
{
    uint64_t position = BUG(5) ? core->durable_position : core->log.last.position;
    ASSERT(log_epoch_at(&core->log, position, &core->vote.sealed_epoch));
    core->vote.sealed_position = position;
}

void core_promise(struct core *core, struct attempt attempt, enum write_purpose purpose,
                  uint64_t to, struct outbox *out)
{
    ASSERT(attempt.epoch >= core->vote.promised);
    core->vote.promised = attempt.epoch;
    core->vote.incarnation = attempt.incarnation;
    core->vote.appointment_used = false;
    core_note_end(core);
    core_write_vote(core, purpose, to, out);
}

bool core_correct_seal(struct core *core, uint64_t to, struct outbox *out)
{
    if (BUG(5) || core->vote.sealed_position == core->durable_position) {
        return false;
    }
    core_note_end(core);
    core_write_vote(core, WRITE_SEAL, to, out);
    return true;
}

void core_write_entries(struct core *core, struct bytes frames, enum write_purpose purpose,
                        uint64_t to, struct outbox *out)
{
    struct disk_request request = {.kind = DISK_APPEND, .bytes = frames};
    struct core_write write = {.purpose = purpose, .to = to, .position = core->log.last.position};
    core->unmarked_size += frames.size;
    core_write(core, &request, write, out);
}

static void core_take_configuration(struct core *core, struct bytes encoded, uint64_t position)
{
    struct configuration configuration;
    if (configuration_decode(encoded, &configuration) != STATUS_ok) {
        return; // applying it will stop the node (rule 38)
    }
    buffer_clear(&core->committed_bytes);
    buffer_append(&core->committed_bytes, buffer_bytes(&core->configuration_bytes));
    buffer_clear(&core->configuration_bytes);
    buffer_append(&core->configuration_bytes, encoded);
    core->configuration = configuration;
    core->configuration_position = position;
}

void core_append(struct core *core, struct bytes frame, const struct entry *entry)
{
    log_append(&core->log, frame, entry);
    if (entry->kind == ENTRY_CONFIGURATION) {
        core_take_configuration(core, entry->payload, entry->position);
    }
}

void core_load(struct core *core, struct bytes frame, const struct entry *entry)
{
    log_load(&core->log, frame, entry);
    if (entry->kind == ENTRY_CONFIGURATION) {
        core_take_configuration(core, entry->payload, entry->position);
    }
}

// The log now ends at `position`: a configuration that came later never was.
static void core_drop_configuration(struct core *core, uint64_t position)
{
    if (core->configuration_position <= position) {
        return;
    }
    core->configuration = (struct configuration){0};
    core->configuration_position = 0;
    buffer_clear(&core->configuration_bytes);
    if (core->committed_bytes.size > 0) {
        buffer_append(&core->configuration_bytes, buffer_bytes(&core->committed_bytes));
        struct bytes encoded = buffer_bytes(&core->committed_bytes);
        ASSERT(configuration_decode(encoded, &core->configuration) == STATUS_ok);
    }
}

static void core_lower_high_water(struct core *core, const struct entry_place *place,
                                  struct outbox *out)
{
    if (core->vote.high_water_position > place->position) {
        core->vote.high_water_position = place->position;
        core->vote.high_water_epoch = place->epoch;
        core_write_vote(core, WRITE_NOTHING, 0, out);
    }
}

// Cuts the log in memory. An append under way says nothing any more of the entries that were cut:
// others may stand in their place before it is done.
static void core_cut(struct core *core, const struct entry_place *place)
{
    log_truncate(&core->log, place);
    core_drop_configuration(core, place->position);
    for (size_t i = 0; i < core->write_count; i++) {
        struct core_write *write = &core->writes[(core->write_first + i) % CORE_WRITES_MAX];
        if (write->kind == DISK_APPEND && write->position > place->position) {
            write->position = place->position;
        }
    }
    if (core->durable_position > place->position) {
        core->durable_position = place->position;
    }
}

void core_truncate(struct core *core, const struct entry_place *place, struct outbox *out)
{
    ASSERT(place->position >= core->commit_position);
    core_lower_high_water(core, place, out);
    core_cut(core, place);
    struct disk_request request = {.kind = DISK_TRUNCATE, .position = place->position};
    core_write(core, &request, (struct core_write){.position = place->position}, out);
}

void core_forget_unwritten(struct core *core, struct outbox *out)
{
    struct entry_place place;
    ASSERT(log_place_at(&core->log, core->durable_position, &place));
    core_cut(core, &place);
    if (core->commit_position > place.position) {
        core->commit_position = place.position; // the others have them
    }
    // One that is still on its way may find space after all.
    struct disk_request request = {.kind = DISK_TRUNCATE, .position = place.position};
    core_write(core, &request, (struct core_write){.position = place.position}, out);
}

void core_reset(struct core *core, const struct entry_place *base, struct outbox *out)
{
    core_lower_high_water(core, base, out);
    log_release(&core->log);
    log_init(&core->log, base, base, base);
    core_drop_configuration(core, base->position);
    core->durable_position = base->position;
    core->commit_position = base->position;
    struct disk_request request = {.kind = DISK_RESET, .base = *base};
    struct core_write write = {.purpose = WRITE_REPAIR, .position = base->position};
    core_write(core, &request, write, out);
}

void core_install(struct core *core, const struct entry_place *base, struct outbox *out)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    core->vote.generation++;
    core->vote.high_water_position = base->position;
    core->vote.high_water_epoch = base->epoch;
    message_encode(&(struct message){.kind = MESSAGE_vote_record, .vote_record = core->vote},
                   &encoded);
    struct disk_request request = {.kind = DISK_INSTALL,
                                   .bytes = buffer_bytes(&encoded),
                                   .generation = core->vote.generation,
                                   .base = *base};
    core_write(core, &request, (struct core_write){.purpose = WRITE_TRANSFER}, out);
}

bool core_finish_write(struct core *core, const struct disk_done *done,
                       struct core_write *ret_write)
{
    if (core->write_count == 0 || core->writes[core->write_first].sequence != done->sequence) {
        return false;
    }
    struct core_write write = core->writes[core->write_first];
    core->write_first = (core->write_first + 1) % CORE_WRITES_MAX;
    core->write_count--;
    if (write.kind == DISK_VOTE) {
        core->durable_promised = write.epoch;
        core->durable_incarnation = write.incarnation;
        core->durable_used = write.used;
    }
    bool appended = write.kind == DISK_APPEND && done->status == STATUS_ok;
    if (appended && write.position > core->durable_position) {
        core->durable_position = write.position;
    }
    *ret_write = write;
    return true;
}

void core_commit(struct core *core, uint64_t position)
{
    ASSERT(position >= core->commit_position && position <= core->log.last.position);
    core->commit_position = position;
    if (core->configuration_position != 0 && core->configuration_position <= position) {
        core->configuration_position = 0;
    }
}

void core_set_configuration(struct core *core, struct bytes encoded)
{
    if (encoded.size > 0) {
        core_take_configuration(core, encoded, 0);
    }
}

void core_raise_high_water(struct core *core, struct outbox *out)
{
    uint64_t epoch = 0;
    core->unmarked_size = 0;
    if (core->durable_position <= core->vote.high_water_position ||
        !log_epoch_at(&core->log, core->durable_position, &epoch)) {
        return;
    }
    core->vote.high_water_position = core->durable_position;
    core->vote.high_water_epoch = epoch;
    core_write_vote(core, WRITE_NOTHING, 0, out);
}

bool core_is_voter(const struct core *core, uint64_t directory_id)
{
    return configuration_find(&core->configuration, directory_id) != NULL;
}
