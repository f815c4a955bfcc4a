/*
 * Sending the state.
 *
 * 1. A snapshot of the state at one applied position is read by a cursor, chunk by chunk; the next
 *    chunk is made when the one before was answered, so that at most one is in memory.
 * 2. The cells include the applied record: the receiver's state stands exactly where the snapshot
 *    did, with version, configuration, sessions and digest (rule 37). The promise is not in it.
 * 3. One receiver at a time. A chunk that isn't answered is sent again, for the connection may have
 *    broken or the receiver begun anew, which then says so; one that never answers is given up and
 *    asks again by its mismatch. While another one waits, a receiver is given up sooner, when it is
 *    silent altogether.
 */
#include "actors/primary/transfer_out.h"

#include "base/assert.h"
#include "base/bug.h"
#include "base/crc32c.h"
#include "storage/cells.h"
#include "wire/pack.h"

enum {
    TRANSFER_RESEND_US = 500 * 1000,
    TRANSFER_PATIENCE_US = 5 * 1000 * 1000, // for the answer to a chunk
    TRANSFER_AWAITED_US = 500 * 1000,       // whoever did not ask for so long waits no longer
};

void transfer_out_init(struct transfer_out *transfer, struct core *core, struct state *state,
                       const struct applied *applied)
{
    *transfer = (struct transfer_out){.core = core, .state = state, .applied = applied};
}

void transfer_out_release(struct transfer_out *transfer)
{
    transfer_out_stop(transfer);
    buffer_release(&transfer->record);
    buffer_release(&transfer->cells);
}

void transfer_out_stop(struct transfer_out *transfer)
{
    if (transfer->cursor != NULL &&
        state_cursor_destroy(transfer->state, &transfer->cursor) != STATUS_ok) {
        transfer->cursor = NULL; // the scan ended early; the receiver never got a last chunk
    }
    state_snapshot_destroy(transfer->state, &transfer->snapshot);
    transfer->directory_id = 0;
}

// Fills `cells` with the next cells. False when there are no more.
static bool transfer_out_fill(struct transfer_out *transfer)
{
    struct bytes key;
    struct bytes value;
    buffer_clear(&transfer->cells);
    while (transfer->cells.size < transfer->core->process->sizes.transfer_chunk) {
        if (!state_cursor_next(transfer->cursor, transfer->state, &key, &value)) {
            return false;
        }
        if (BUG(24) && key.data[0] == CELL_SESSION) {
            continue;
        }
        pack_binary(&transfer->cells, key);
        pack_binary(&transfer->cells, value);
    }
    return true;
}

static void transfer_out_send(struct transfer_out *transfer, uint64_t now_us, struct outbox *out)
{
    struct message_transfer_chunk chunk = {.epoch = transfer->epoch,
                                           .leader = transfer->core->vote.directory_id,
                                           .transfer = transfer->number,
                                           .sequence = transfer->sequence,
                                           .applied = buffer_bytes(&transfer->record),
                                           .crc = crc32c(0, buffer_bytes(&transfer->cells)),
                                           .last = transfer->last,
                                           .cells = buffer_bytes(&transfer->cells)};
    transfer->sent_us = now_us;
    outbox_send(out, transfer->address,
                &(struct message){.kind = MESSAGE_transfer_chunk, .transfer_chunk = chunk});
}

static void transfer_out_send_next(struct transfer_out *transfer, uint64_t now_us,
                                   struct outbox *out)
{
    transfer->last = !transfer_out_fill(transfer);
    if (transfer->last && state_cursor_destroy(transfer->state, &transfer->cursor) != STATUS_ok) {
        outbox_log(out, LOG_ERROR, "event=transfer_failed reason=\"the state can't be read\"");
        transfer->cursor = NULL;
        transfer_out_stop(transfer);
        return;
    }
    transfer->sequence++;
    transfer->made_us = now_us;
    transfer_out_send(transfer, now_us, out);
}

void transfer_out_start(struct transfer_out *transfer, uint64_t directory_id, uint64_t address,
                        uint64_t now_us, struct outbox *out)
{
    if (transfer->directory_id != 0) {
        return;
    }
    AUTO(buffer_release) struct buffer key = {0};
    cell_key_applied(&key);
    buffer_clear(&transfer->record);
    bool opened = state_snapshot_new(transfer->state, &transfer->snapshot) == STATUS_ok &&
                  state_get(transfer->state, transfer->snapshot, buffer_bytes(&key),
                            &transfer->record) == STATUS_ok &&
                  state_cursor_new(transfer->state, transfer->snapshot, bytes_of(NULL, 0),
                                   bytes_of(NULL, 0), &transfer->cursor) == STATUS_ok;
    if (!opened) {
        transfer_out_stop(transfer);
        return;
    }
    transfer->directory_id = directory_id;
    transfer->awaited_us = 0;
    transfer->address = address;
    transfer->number++;
    transfer->sequence = 0;
    transfer->position = transfer->applied->place.position;
    outbox_log(out, LOG_INFO, "event=transfer_started position=%llu",
               (unsigned long long)transfer->position);
    transfer_out_send_next(transfer, now_us, out);
}

bool transfer_out_awaits(const struct transfer_out *transfer,
                         const struct message_transfer_reply *reply)
{
    return transfer->directory_id != 0 && reply->epoch == transfer->epoch &&
           reply->directory_id == transfer->directory_id && reply->transfer == transfer->number &&
           reply->sequence == transfer->sequence;
}

bool transfer_out_on_reply(struct transfer_out *transfer, const struct event *event,
                           struct outbox *out)
{
    const struct message_transfer_reply *reply = &event->message->transfer_reply;
    ASSERT(transfer_out_awaits(transfer, reply));
    if (reply->status != STATUS_ok) {
        outbox_log(out, LOG_WARNING, "event=transfer_given_up status=%s",
                   status_name((enum status)reply->status));
        transfer_out_stop(transfer);
        return false;
    }
    if (transfer->last) {
        outbox_log(out, LOG_INFO, "event=transfer_complete position=%llu chunks=%llu",
                   (unsigned long long)transfer->position, (unsigned long long)transfer->sequence);
        transfer_out_stop(transfer);
        return true;
    }
    transfer_out_send_next(transfer, event->now_us, out);
    return false;
}

bool transfer_out_expire(struct transfer_out *transfer, uint64_t heard_us, uint64_t silence_us,
                         uint64_t now_us, struct outbox *out)
{
    if (transfer->directory_id == 0) {
        return false;
    }
    uint64_t last_us = heard_us > transfer->made_us ? heard_us : transfer->made_us;
    bool is_awaited = transfer->awaited_us != 0 &&
                      now_us - transfer->awaited_us <= TRANSFER_AWAITED_US;
    if ((is_awaited && now_us - last_us > silence_us) ||
        now_us - transfer->made_us > TRANSFER_PATIENCE_US) {
        outbox_log(out, LOG_WARNING, "event=transfer_given_up status=deadline");
        transfer_out_stop(transfer);
        return true;
    }
    if (now_us - transfer->sent_us > TRANSFER_RESEND_US) {
        transfer_out_send(transfer, now_us, out);
    }
    return false;
}
