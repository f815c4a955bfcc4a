/*
 * Proposals.
 *
 *   transact ──► executor ──► open entry ──► closed ──────────────────► committed ──► answers
 *                                 │          to log, journal, streams
 *                                 └ waits for: the entry before durable here, room in the pipeline,
 *                                   about as many requests as lately (or gather_us)
 *
 * 1. Every answer waits for an entry closed no earlier than its execution (rule 24), failed and
 *    read-only ones too: an entry without effects is made for them if nothing else comes along.
 * 2. At most PIPELINE_ENTRIES_MAX entries are not committed (rule 17).
 * 3. Versions continue the log's; times never go backwards.
 * 4. Gathering: with n requests in the last entry, the next one waits until 0.9 n have come, at
 *    most gather_us after it could have been closed. An entry of one request is never followed by a
 *    wait. (Measured on a prototype: 31,000 writes per second without, 46,000 with.)
 * 5. A mark is an entry like any other with a flag; at most one every MARK_INTERVAL_MS_MIN.
 * 6. The primary's own work (storage/executor.h) goes part by part: the next one after the last one
 *    is committed and WORK_PAUSE_US later, so that it is slow where the cluster is; in small parts
 *    while there are requests.
 *
 * What happens to entries after they are closed is streaming's and the leader's business.
 */
#include "actors/primary/proposals.h"

#include "base/assert.h"
#include "base/bug.h"

enum {
    BUSY_RETRY_MS = 5,             // when to try again while everything is full
    EXPIRY_INTERVAL_US = 10000000, // between looks for idle sessions
    EXPIRY_CELLS = 256,            // session records looked at each time
    WORK_PAUSE_US = 2000,          // between parts of the primary's own work
    WORK_IDLE_FACTOR = 4,          // parts are so much larger while there are no requests
};

void proposals_init(struct proposals *proposals, struct core *core, struct state *state)
{
    *proposals = (struct proposals){.core = core, .executor = executor_new(state)};
}

void proposals_release(struct proposals *proposals)
{
    executor_destroy(&proposals->executor);
    buffer_release(&proposals->opened.bytes);
    for (size_t i = 0; i < PIPELINE_ENTRIES_MAX; i++) {
        buffer_release(&proposals->closed[i].bytes);
    }
    buffer_release(&proposals->payload);
    buffer_release(&proposals->frame);
}

static void answers_clear(struct answers *answers)
{
    buffer_clear(&answers->bytes);
    answers->count = 0;
}

// Adds an answer; it is encoded right into its place.
static void answers_add(struct answers *answers, uint64_t to, const struct message *message)
{
    size_t head = answers->bytes.size;
    buffer_extend(&answers->bytes, sizeof(to) + sizeof(uint32_t));
    message_encode(message, &answers->bytes);
    uint32_t size = (uint32_t)(answers->bytes.size - head - sizeof(to) - sizeof(uint32_t));
    memcpy(answers->bytes.data + head, &to, sizeof(to));
    memcpy(answers->bytes.data + head + sizeof(to), &size, sizeof(size));
    answers->count++;
}

static void answers_send(const struct answers *answers, struct outbox *out)
{
    size_t offset = 0;
    while (offset < answers->bytes.size) {
        uint64_t to = 0;
        uint32_t size = 0;
        memcpy(&to, answers->bytes.data + offset, sizeof(to));
        memcpy(&size, answers->bytes.data + offset + sizeof(to), sizeof(size));
        offset += sizeof(to) + sizeof(size);
        outbox_send_encoded(out, to, bytes_of(answers->bytes.data + offset, size));
        offset += size;
    }
}

void proposals_start(struct proposals *proposals, uint64_t time_us, uint64_t now_us)
{
    proposals_stop(proposals);
    proposals->time_us = time_us;
    proposals->expired_us = now_us;
}

void proposals_stop(struct proposals *proposals)
{
    executor_reset(proposals->executor);
    answers_clear(&proposals->opened);
    proposals->open = false;
    proposals->closed_count = 0;
    proposals->pending_count = 0;
    proposals->closable_us = 0;
    proposals->recent_count = 0;
    proposals->mark_count = 0;
    proposals->wants_mark = false;
    proposals->disk_full = false;
    proposals->worked = false;
    proposals->worked_position = 0;
}

static void proposals_open(struct proposals *proposals, const struct event *event)
{
    if (proposals->open) {
        return;
    }
    if (event->wall_us > proposals->time_us) {
        proposals->time_us = event->wall_us;
    }
    executor_open(proposals->executor, proposals->core->log.last.version, proposals->time_us);
    answers_clear(&proposals->opened);
    proposals->open = true;
}

// Whether the open entry takes no further transaction. All that come in one turn go into one entry,
// so what they look at is how long heartbeats wait.
static bool entry_is_full(const struct proposals *proposals)
{
    return proposals->opened.count >= ENTRY_TRANSACTIONS_MAX ||
           executor_open_size(proposals->executor) >= ENTRY_FILL_SIZE ||
           executor_open_examined_size(proposals->executor) >= ENTRY_EXAMINED_SIZE;
}

// Whether another request can be taken; if not it is told to come back.
static bool proposals_take(struct proposals *proposals, const struct event *event, uint64_t request,
                           struct outbox *out)
{
    bool full = proposals->pending_count >= NODE_PENDING_MAX ||
                proposals->opened.bytes.size >= ENTRY_ANSWERS_SIZE_MAX ||
                (proposals->open && entry_is_full(proposals));
    if (!full) {
        return true;
    }
    struct message_refusal refusal = {
        .request = request,
        .status = STATUS_busy,
        .retry_after_ms = BUSY_RETRY_MS,
        .message = bytes_from_text("The primary has as many transactions under way as it takes.")};
    outbox_send(out, event->from, &(struct message){.kind = MESSAGE_refusal, .refusal = refusal});
    return false;
}

static void proposals_answer(struct proposals *proposals, uint64_t to,
                             const struct message *message)
{
    answers_add(&proposals->opened, to, message);
    proposals->pending_count++;
}

void proposals_on_transact(struct proposals *proposals, const struct event *event,
                           struct outbox *out)
{
    const struct message_transact *transact = &event->message->transact;
    if (!proposals_take(proposals, event, transact->request, out)) {
        return;
    }
    proposals_open(proposals, event);
    struct executor_request request = {.session = transact->session,
                                       .sequence = transact->sequence,
                                       .done_below = transact->done_below,
                                       .operations = transact->operations};
    struct executor_outcome outcome;
    uint32_t before = executor_open_transactions(proposals->executor);
    executor_run(proposals->executor, &request, &outcome);
    struct message answer = {.kind = MESSAGE_outcome,
                             .outcome = {.request = transact->request,
                                         .status = outcome.status,
                                         .version = outcome.version,
                                         .time_us = outcome.time_us,
                                         .replayed = outcome.replayed,
                                         .results = outcome.results,
                                         .message = outcome.message,
                                         .operation = outcome.operation}};
    bool wrote = executor_open_transactions(proposals->executor) > before;
    if (BUG(16) && !wrote) {
        outbox_send(out, event->from, &answer);
        return;
    }
    proposals_answer(proposals, event->from, &answer);
}

void proposals_on_transact_status(struct proposals *proposals, const struct event *event,
                                  struct outbox *out)
{
    const struct message_transact_status *status = &event->message->transact_status;
    if (!proposals_take(proposals, event, status->request, out)) {
        return;
    }
    proposals_open(proposals, event);
    struct executor_outcome outcome;
    executor_claim(proposals->executor, status->session, status->sequence, &outcome);
    struct message_transact_status_reply reply = {.request = status->request,
                                                  .status = outcome.status,
                                                  .version = outcome.version,
                                                  .message = outcome.message};
    proposals_answer(
        proposals, event->from,
        &(struct message){.kind = MESSAGE_transact_status_reply, .transact_status_reply = reply});
}

void proposals_on_mark(struct proposals *proposals, const struct event *event, struct outbox *out)
{
    uint64_t request = event->message->mark.request;
    if (proposals->mark_count == MARK_REQUESTS_MAX) {
        outbox_refuse(out, event->from, request, STATUS_busy, "Too many marks are asked for.");
        return;
    }
    proposals->marks[proposals->mark_count++] = (struct mark_request){.to = event->from,
                                                                      .request = request};
}

void proposals_expire_sessions(struct proposals *proposals, const struct event *event)
{
    if (event->now_us - proposals->expired_us < EXPIRY_INTERVAL_US) {
        return;
    }
    proposals->expired_us = event->now_us;
    proposals_open(proposals, event);
    executor_expire_sessions(proposals->executor, EXPIRY_CELLS);
}

// Whether the open entry, or the next one, has room for a part of the primary's own work.
static bool proposals_have_room(const struct proposals *proposals)
{
    return !proposals->open ||
           (executor_open_size(proposals->executor) < ENTRY_FILL_SIZE &&
            executor_open_transactions(proposals->executor) < ENTRY_TRANSACTIONS_MAX);
}

void proposals_work(struct proposals *proposals, const struct event *event, struct outbox *out)
{
    bool is_early = event->now_us - proposals->worked_us < WORK_PAUSE_US;
    bool is_under_way = proposals->worked ||
                        proposals->worked_position > proposals->core->commit_position;
    if (is_early || is_under_way || !proposals_have_room(proposals)) {
        return;
    }
    uint64_t time_us = event->wall_us > proposals->time_us ? event->wall_us : proposals->time_us;
    proposals->worked_us = event->now_us;
    if (!executor_has_work(proposals->executor, time_us)) {
        return;
    }
    proposals_open(proposals, event);
    size_t cells = proposals->core->process->sizes.work_cells;
    bool is_busy = proposals->recent_count > 1;
    executor_work(proposals->executor, is_busy ? cells : cells * WORK_IDLE_FACTOR);
    proposals->worked = true;
    outbox_timer(out, LEADER_TIMER_WORK, event->now_us + WORK_PAUSE_US);
}

// Lets the waiting marks have the next entry, if the last mark is long enough ago.
static void proposals_take_marks(struct proposals *proposals, const struct event *event,
                                 struct outbox *out)
{
    uint64_t due_us = proposals->marked_us + (uint64_t)MARK_INTERVAL_MS_MIN * 1000;
    if (proposals->mark_count == 0 || proposals->wants_mark) {
        return;
    }
    if (proposals->marked_us != 0 && event->now_us < due_us) {
        outbox_timer(out, LEADER_TIMER_MARK, due_us);
        return;
    }
    proposals_open(proposals, event);
    proposals->wants_mark = true;
    proposals->marked_us = event->now_us;
}

static void proposals_answer_marks(struct proposals *proposals, const struct entry *entry)
{
    for (size_t i = 0; i < proposals->mark_count; i++) {
        struct message_mark_reply reply = {.request = proposals->marks[i].request,
                                           .status = STATUS_ok,
                                           .version = entry->version,
                                           .position = entry->position};
        proposals_answer(proposals, proposals->marks[i].to,
                         &(struct message){.kind = MESSAGE_mark_reply, .mark_reply = reply});
    }
    proposals->mark_count = 0;
    proposals->wants_mark = false;
}

// The answers of the open entry become those of the closed one; buffers are kept and swapped.
static void proposals_keep_answers(struct proposals *proposals, uint64_t position)
{
    ASSERT(proposals->closed_count < PIPELINE_ENTRIES_MAX);
    size_t slot = (proposals->closed_first + proposals->closed_count) % PIPELINE_ENTRIES_MAX;
    struct answers kept = proposals->closed[slot];
    proposals->closed[slot] = proposals->opened;
    proposals->closed[slot].position = position;
    proposals->opened = kept;
    answers_clear(&proposals->opened);
    proposals->closed_count++;
}

static void proposals_close(struct proposals *proposals, struct outbox *out)
{
    struct core *core = proposals->core;
    uint64_t position = core->log.last.position + 1;
    uint32_t transactions = executor_open_transactions(proposals->executor);
    buffer_clear(&proposals->payload);
    buffer_clear(&proposals->frame);
    executor_close(proposals->executor, position, &proposals->payload);
    struct entry entry = {.kind = ENTRY_BATCH,
                          .flags = proposals->wants_mark ? ENTRY_FLAG_MARK : 0,
                          .previous_crc = core->log.last.crc,
                          .epoch = core_promised(core),
                          .position = position,
                          .commit_position = core->commit_position,
                          .version = core->log.last.version + transactions,
                          .time_us = proposals->time_us,
                          .transactions = transactions,
                          .payload = buffer_bytes(&proposals->payload)};
    entry_encode(&entry, core->vote.cluster_id, &proposals->frame);
    if (proposals->wants_mark) {
        proposals_answer_marks(proposals, &entry);
    }
    if (proposals->opened.count > 0 || !proposals->worked) {
        proposals->recent_count = proposals->opened.count;
    }
    if (proposals->worked) {
        proposals->worked = false;
        proposals->worked_position = position;
    }
    proposals_keep_answers(proposals, position);
    proposals->open = false;
    proposals->closable_us = 0;
    core_append(core, buffer_bytes(&proposals->frame), &entry);
    core_write_entries(core, buffer_bytes(&proposals->frame), WRITE_LEAD, 0, out);
}

// Whether enough requests have come; if not, when to look again is set.
static bool proposals_gathered(struct proposals *proposals, uint64_t now_us, struct outbox *out)
{
    if (proposals->closable_us == 0) {
        proposals->closable_us = now_us;
    }
    uint64_t due_us = proposals->closable_us + proposals->core->process->timings.gather_us;
    bool enough = proposals->recent_count <= 1 ||
                  10 * proposals->opened.count >= 9 * proposals->recent_count ||
                  proposals->wants_mark;
    if (enough || now_us >= due_us) {
        return true;
    }
    outbox_timer(out, LEADER_TIMER_GATHER, due_us);
    return false;
}

void proposals_close_if_due(struct proposals *proposals, const struct event *event,
                            struct outbox *out)
{
    const struct core *core = proposals->core;
    bool may_close = core->durable_position == core->log.last.position &&
                     core->log.last.position - core->commit_position < PIPELINE_ENTRIES_MAX &&
                     proposals->closed_count < PIPELINE_ENTRIES_MAX && !proposals->disk_full &&
                     core_has_room(core);
    proposals_take_marks(proposals, event, out);
    if (!proposals->open || !may_close) {
        proposals->closable_us = 0;
        return;
    }
    if (proposals_gathered(proposals, event->now_us, out)) {
        proposals_close(proposals, out);
    }
}

void proposals_on_commit(struct proposals *proposals, uint64_t position, struct outbox *out)
{
    while (proposals->closed_count > 0) {
        struct answers *answers = &proposals->closed[proposals->closed_first];
        if (answers->position > position) {
            return;
        }
        answers_send(answers, out);
        proposals->pending_count -= answers->count;
        answers_clear(answers);
        proposals->closed_first = (proposals->closed_first + 1) % PIPELINE_ENTRIES_MAX;
        proposals->closed_count--;
    }
}

bool proposals_are_drained(const struct proposals *proposals)
{
    return !proposals->open && proposals->closed_count == 0;
}
