/*
 * Effects are checked once, here, before they come near the state: every size adds up, every key is
 * of a kind that we know and no longer than a key may be. The record of where the state stands is
 * written by apply alone.
 */
#include "storage/effects.h"

#include "base/limits.h"
#include "storage/cells.h"

void effects_encode(const struct state_batch *batch, struct buffer *payload)
{
    buffer_append_u8(payload, EFFECTS_FORMAT);
    buffer_append(payload, buffer_bytes(&batch->cells));
}

static enum status check_key(struct bytes key)
{
    if (key.size > CELL_KEY_SIZE_MAX) {
        return STATUS_bad_request;
    }
    if (!cell_kind_is_known(key.data[0])) {
        return STATUS_version_mismatch;
    }
    return key.data[0] == CELL_APPLIED ? STATUS_bad_request : STATUS_ok;
}

static enum status check_keys(const struct state_batch *batch, size_t offset)
{
    struct bytes key;
    struct bytes value;
    bool removed;
    while (state_batch_next(batch, &offset, &key, &value, &removed)) {
        TRY(check_key(key));
    }
    return STATUS_ok;
}

enum status effects_decode(struct bytes payload, struct state_batch *batch)
{
    if (payload.size == 0) {
        return STATUS_bad_request;
    }
    if (payload.data[0] != EFFECTS_FORMAT) {
        return STATUS_version_mismatch;
    }
    size_t size = batch->cells.size;
    uint32_t count = batch->count;
    TRY(state_batch_append(batch, bytes_of(payload.data + 1, payload.size - 1)));
    enum status status = check_keys(batch, size);
    if (status != STATUS_ok) {
        buffer_truncate(&batch->cells, size);
        batch->count = count;
    }
    return status;
}
