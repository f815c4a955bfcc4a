/*
 * Optimistic: everything is read at one marked version, writes are buffered, and the transaction
 * that commits begins with `unchanged` for all that was read. The primary reads that again, by the
 * versions of documents and by the digests of what finds return, so a document that would be found
 * now and was not then is noticed, too.
 *
 * 1. A find that has more rows than it returned is checked with as many as it returned: those, in
 *    their order, are what the caller knows.
 * 2. The horizon is counted from before the mark was asked for, so the version is kept for longer
 *    than it is used.
 * 3. Pauses before it is run anew are random over their whole length: of those who met in a
 *    conflict one comes first.
 */
#include "client/interactive.h"

#include "base/limits.h"
#include "wire/pack.h"

void interactive_init(struct interactive *self, uint64_t begun_us)
{
    *self = (struct interactive){.begun_us = begun_us, .used_us = begun_us};
}

void interactive_release(struct interactive *self)
{
    read_set_release(&self->reads);
    own_writes_release(&self->own);
    *self = (struct interactive){.is_over = true};
}

static enum status end(struct interactive *self, enum status status)
{
    self->is_over = true;
    return status;
}

enum status interactive_use(struct interactive *self, uint64_t now_us, const char **ret_sentence)
{
    if (self->is_over) {
        *ret_sentence = "the interactive transaction is over; begin another one";
        return STATUS_bad_request;
    }
    if (now_us - self->used_us > INTERACTIVE_IDLE_MS_MAX * UINT64_C(1000)) {
        *ret_sentence = "the interactive transaction was idle for more than 10 s; begin it anew";
        return end(self, STATUS_expired);
    }
    if (now_us - self->begun_us > HORIZON_MS * UINT64_C(1000)) {
        *ret_sentence = "the interactive transaction is older than 30 s, and the version that it "
                        "reads is not kept any longer; begin it anew";
        return end(self, STATUS_too_old);
    }
    self->used_us = now_us;
    return STATUS_ok;
}

enum status interactive_add_find(struct interactive *self, const struct operation *find,
                                 uint64_t digest, uint32_t count, bool has_more)
{
    if (has_more && count == 0) {
        return STATUS_too_large;
    }
    struct operation known = *find;
    known.limit = has_more ? count : find->limit;
    read_set_add_find(&self->reads, &known, digest);
    return STATUS_ok;
}

enum status interactive_pack(const struct interactive *self, struct bytes operations,
                             uint32_t count, struct buffer *out, uint32_t *ret_checks)
{
    AUTO(buffer_release) struct buffer checks = {0};
    uint32_t check_count = read_set_pack(&self->reads, &checks);
    if (count + check_count > TRANSACTION_OPERATIONS_MAX ||
        operations.size + checks.size + KIB > TRANSACTION_SIZE_MAX) {
        return STATUS_too_large;
    }
    pack_array(out, check_count + count);
    buffer_append(out, buffer_bytes(&checks));
    buffer_append(out, operations);
    *ret_checks = check_count;
    return STATUS_ok;
}

bool interactive_may_retry(enum status status)
{
    return status == STATUS_conflict || status == STATUS_too_old;
}

uint64_t interactive_retry_us(struct random *random, uint32_t attempt)
{
    uint64_t pause_ms = INTERACTIVE_RETRY_MS_MIN;
    for (uint32_t i = 1; i < attempt && pause_ms < INTERACTIVE_RETRY_MS_MAX; i++) {
        pause_ms *= 2;
    }
    pause_ms = pause_ms < INTERACTIVE_RETRY_MS_MAX ? pause_ms : INTERACTIVE_RETRY_MS_MAX;
    return random_between(random, 0, pause_ms * 1000);
}
