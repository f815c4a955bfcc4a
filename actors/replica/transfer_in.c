/*
 * Receiving the state.
 *
 *   chunk 1 ──► fresh state of generation g+1 ──► chunks 2, 3, ... ──► last ──► DISK_INSTALL ──►
 * reboot
 *
 * 1. Chunks come one at a time, each answered before the next is sent, and again if the answer was
 *    lost; a chunk ahead of its turn, with a wrong checksum, or of another transfer ends the
 *    transfer.
 * 2. The cells go into a state of their own. The one in use is not touched: a crash at any moment
 *    before the vote file names the new generation leaves the old one current.
 * 3. The transferred state brings its applied record with it (place, version, configuration,
 *    sessions and digest are cells like all others), never the promise.
 * 4. A state older than what the node has committed is refused.
 */
#include "actors/replica/transfer_in.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "wire/cursor.h"

void transfer_in_init(struct transfer_in *transfer, struct core *core)
{
    *transfer = (struct transfer_in){.core = core};
    state_batch_init(&transfer->batch);
}

void transfer_in_release(struct transfer_in *transfer)
{
    transfer_in_abandon(transfer);
    state_batch_release(&transfer->batch);
}

void transfer_in_abandon(struct transfer_in *transfer)
{
    if (transfer->installing) {
        return;
    }
    state_destroy(&transfer->state);
    transfer->transfer = 0;
    transfer->sequence = 0;
}

void transfer_in_end_if_passed(struct transfer_in *transfer)
{
    if (transfer->state != NULL && transfer->position <= transfer->core->commit_position) {
        transfer_in_abandon(transfer);
    }
}

static void transfer_in_answer(const struct transfer_in *transfer, const struct event *event,
                               enum status status, struct outbox *out)
{
    const struct message_transfer_chunk *chunk = &event->message->transfer_chunk;
    struct message_transfer_reply reply = {.epoch = chunk->epoch,
                                           .directory_id = transfer->core->vote.directory_id,
                                           .transfer = chunk->transfer,
                                           .sequence = chunk->sequence,
                                           .promised = core_promised(transfer->core),
                                           .status = status,
                                           .complete = transfer->installing};
    outbox_send(out, event->from,
                &(struct message){.kind = MESSAGE_transfer_reply, .transfer_reply = reply});
}

// Reads where the transferred state stands.
static enum status transfer_in_place(const struct message_transfer_chunk *chunk,
                                     struct entry_place *ret_place)
{
    struct bytes encoded = chunk->applied;
    struct message message;
    TRY(message_decode(&encoded, &message));
    if (message.kind != MESSAGE_applied_record || encoded.size != 0) {
        return STATUS_bad_request;
    }
    *ret_place = (struct entry_place){.epoch = message.applied_record.epoch,
                                      .position = message.applied_record.position,
                                      .version = message.applied_record.version,
                                      .crc = message.applied_record.crc};
    return STATUS_ok;
}

static enum status transfer_in_begin(struct transfer_in *transfer,
                                     const struct message_transfer_chunk *chunk,
                                     const struct entry_place *place)
{
    transfer_in_abandon(transfer);
    if (place->position <= transfer->core->commit_position) {
        return STATUS_too_old;
    }
    TRY(transfer->factory->create(transfer->factory, transfer->core->vote.generation + 1,
                                  &transfer->state));
    transfer->transfer = chunk->transfer;
    transfer->epoch = chunk->epoch;
    transfer->sequence = 0;
    transfer->position = place->position;
    return STATUS_ok;
}

static enum status transfer_in_write(struct transfer_in *transfer,
                                     const struct message_transfer_chunk *chunk)
{
    if (crc32c(0, chunk->cells) != chunk->crc) {
        return STATUS_damaged;
    }
    struct cursor cursor = cursor_of(chunk->cells);
    state_batch_clear(&transfer->batch);
    while (!cursor_at_end(&cursor)) {
        struct bytes key;
        struct bytes value;
        TRY(cursor_binary(&cursor, &key));
        TRY(cursor_binary(&cursor, &value));
        if (key.size == 0) {
            return STATUS_bad_request;
        }
        state_batch_put(&transfer->batch, key, value);
    }
    return state_write(transfer->state, &transfer->batch);
}

static enum status transfer_in_take(struct transfer_in *transfer,
                                    const struct message_transfer_chunk *chunk, struct outbox *out)
{
    struct entry_place place;
    TRY(transfer_in_place(chunk, &place));
    if (transfer->installing) {
        return STATUS_busy;
    }
    if (chunk->sequence == 1) {
        TRY(transfer_in_begin(transfer, chunk, &place));
    }
    if (transfer->state == NULL || chunk->transfer != transfer->transfer ||
        chunk->epoch != transfer->epoch || chunk->sequence != transfer->sequence + 1) {
        return STATUS_gap;
    }
    TRY(transfer_in_write(transfer, chunk));
    transfer->sequence = chunk->sequence;
    if (chunk->last) {
        transfer->installing = true;
        transfer->state = NULL; // the shell's from now on
        core_install(transfer->core, &place, out);
    }
    return STATUS_ok;
}

void transfer_in_on_chunk(struct transfer_in *transfer, const struct event *event,
                          struct outbox *out)
{
    const struct message_transfer_chunk *chunk = &event->message->transfer_chunk;
    bool repeated = chunk->epoch == transfer->epoch && chunk->transfer == transfer->transfer &&
                    chunk->sequence <= transfer->sequence && chunk->sequence != 0;
    enum status status = repeated ? STATUS_ok : transfer_in_take(transfer, chunk, out);
    if (status != STATUS_ok) {
        outbox_log(out, LOG_WARNING, "event=transfer_refused status=%s chunk=%llu",
                   status_name(status), (unsigned long long)chunk->sequence);
        transfer_in_abandon(transfer);
    }
    transfer_in_answer(transfer, event, status, out);
}
