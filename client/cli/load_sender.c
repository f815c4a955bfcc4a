/*
 * Batches are filled by the caller's thread, sent, and looked at again by that thread when they
 * have ended; the loop's thread only notes that they have.
 *
 *     FILLING ──flush──► SENT ──ended, stored──────────────────────────────► FREE
 *                         ▲ ├──busy, deadline, ...: certainly not done──┐
 *                         └─┼───────────────────────pause, send again◄──┘
 *                           └──unknown outcome──► ASKING ──► stored, or send again
 *
 * 1. A batch is sent again only when the one sent before is certain not to run any more: its
 *    session was asked, which claims a sequence that has not run.
 * 2. A document does not go out while one of the same id is outstanding, so the last line wins.
 *    Ids are told apart by their hash: a wrong match costs a short wait.
 * 3. The first failure that sending again can't mend ends the load; nothing new is sent then.
 *    What is stored stays: the same load can be done again.
 */
#include "client/cli/load_sender.h"

#include "base/assert.h"
#include "base/siphash.h"
#include "client/cli/answer.h"
#include "client/cli/reply.h"
#include "wire/document/operation.h"
#include "wire/pack.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BATCHES = 16,           // outstanding, at most
    BATCH_SIZE = 256 * KIB, // a batch of this size takes no further document
    ATTEMPTS_MAX = 6,       // each with the deadline of the call
    PAUSE_MS_MIN = 20,      // before a batch is sent again
    PAUSE_MS_MAX = 1000,
    HASH_SLOTS = 1 << 20,
    PLACE_SIZE = 40,
};

enum batch_state { BATCH_FREE, BATCH_FILLING, BATCH_SENT, BATCH_ASKING };

struct batch {
    struct load_sender *sender;
    enum batch_state state;
    bool has_ended;           // the request under way; guarded by the sender's lock
    uint32_t count;           // documents
    unsigned attempts;        // requests that came to nothing
    struct buffer operations; // packed, without the head of their array
    uint64_t *lines;          // owned; of each document
    uint64_t *hashes;         // owned; of each document's id
    struct answer answer;     // of the request that ended
};

struct load_sender {
    struct call *call;
    struct client_loop *loop;
    struct load_sender_options options;
    struct batch batches[BATCHES];
    struct batch *filling; // NULL: none
    uint16_t *outstanding; // owned; documents sent and not stored, by slots of hashes
    struct buffer packed;  // for the moment of sending
    uint64_t stored;       // documents
    uint64_t version;      // highest
    uint64_t failed_line;  // of the failure; 0 while there is none
    pthread_mutex_t lock;  // of has_ended
    pthread_cond_t ended;
};

struct load_sender *load_sender_new(struct call *call, struct client_loop *loop,
                                    const struct load_sender_options *options)
{
    struct load_sender *sender = calloc(1, sizeof *sender);
    ASSERT(sender != NULL);
    sender->call = call;
    sender->loop = loop;
    sender->options = *options;
    for (size_t i = 0; i < BATCHES; i++) {
        struct batch *batch = &sender->batches[i];
        batch->sender = sender;
        batch->lines = calloc(options->batch_count_max, sizeof *batch->lines);
        batch->hashes = calloc(options->batch_count_max, sizeof *batch->hashes);
        ASSERT(batch->lines != NULL && batch->hashes != NULL);
    }
    sender->outstanding = calloc(HASH_SLOTS, sizeof *sender->outstanding);
    ASSERT(sender->outstanding != NULL);
    pthread_mutex_init(&sender->lock, NULL);
    pthread_cond_init(&sender->ended, NULL);
    return sender;
}

void load_sender_destroy(struct load_sender **take_sender)
{
    struct load_sender *sender = *take_sender;
    *take_sender = NULL;
    if (sender == NULL) {
        return;
    }
    for (size_t i = 0; i < BATCHES; i++) {
        buffer_release(&sender->batches[i].operations);
        answer_release(&sender->batches[i].answer);
        free(sender->batches[i].lines);
        free(sender->batches[i].hashes);
    }
    free(sender->outstanding);
    buffer_release(&sender->packed);
    pthread_cond_destroy(&sender->ended);
    pthread_mutex_destroy(&sender->lock);
    free(sender);
}

static void on_end(void *context, const struct client_completion *completion)
{
    struct batch *batch = context;
    pthread_mutex_lock(&batch->sender->lock);
    answer_copy(&batch->answer, completion);
    batch->has_ended = true;
    pthread_cond_signal(&batch->sender->ended);
    pthread_mutex_unlock(&batch->sender->lock);
}

// Sends the batch; has it end as busy if the client has no room.
static void send_batch(struct batch *batch)
{
    struct load_sender *sender = batch->sender;
    buffer_clear(&sender->packed);
    pack_array(&sender->packed, batch->count);
    buffer_append(&sender->packed, buffer_bytes(&batch->operations));
    const struct client_transaction ask = {.operations = buffer_bytes(&sender->packed),
                                           .timeout_ms = sender->call->timeout_ms};
    batch->state = BATCH_SENT;
    enum status status = client_loop_transact(sender->loop, &ask, on_end, batch);
    if (status != STATUS_ok) {
        const struct client_completion refused = {.status = status};
        on_end(batch, &refused);
    }
}

// Asks what became of a batch whose outcome is unknown.
static void ask_batch(struct batch *batch)
{
    AUTO(buffer_release) struct buffer session = {0};
    const struct client_completion *completion = &batch->answer.completion;
    buffer_append(&session, completion->session);
    const struct client_status ask = {.session = buffer_bytes(&session),
                                      .sequence = completion->sequence,
                                      .timeout_ms = batch->sender->call->timeout_ms};
    batch->state = BATCH_ASKING;
    enum status status = client_loop_status(batch->sender->loop, &ask, on_end, batch);
    if (status != STATUS_ok) {
        const struct client_completion refused = {
            .status = status, .session = ask.session, .sequence = ask.sequence};
        on_end(batch, &refused);
    }
}

static void free_batch(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->sender->outstanding[batch->hashes[i] % HASH_SLOTS]--;
    }
    batch->state = BATCH_FREE;
    batch->count = 0;
    batch->attempts = 0;
    buffer_clear(&batch->operations);
}

static void note_stored(struct batch *batch)
{
    struct load_sender *sender = batch->sender;
    uint64_t version = batch->answer.completion.version;
    sender->stored += batch->count;
    sender->version = version > sender->version ? version : sender->version;
    free_batch(batch);
}

// Keeps the failure of the earliest line; one that only came behind another tells nothing new.
static void note_failure(struct batch *batch)
{
    struct load_sender *sender = batch->sender;
    const struct client_completion *completion = &batch->answer.completion;
    uint32_t operation = completion->operation;
    bool has_place = operation > 0 && operation <= batch->count;
    uint64_t line = batch->lines[has_place ? operation - 1 : 0];
    bool is_first = sender->failed_line == 0;
    if (is_first || (line < sender->failed_line && !status_may_retry(completion->status))) {
        char place[PLACE_SIZE];
        snprintf(place, sizeof place, "%s %" PRIu64 ": ", has_place ? "line" : "from line", line);
        reply_failure(completion, &sender->call->failure);
        failure_wrap(&sender->call->failure, place, "");
        sender->failed_line = line;
    }
    free_batch(batch);
}

static void pause_for(uint32_t wanted_ms)
{
    uint32_t pause_ms = wanted_ms < PAUSE_MS_MIN ? PAUSE_MS_MIN : wanted_ms;
    usleep((pause_ms < PAUSE_MS_MAX ? pause_ms : PAUSE_MS_MAX) * 1000);
}

// Whether the batch may be sent again, after a pause.
static bool may_send_again(struct batch *batch)
{
    bool may = batch->sender->failed_line == 0 && ++batch->attempts < ATTEMPTS_MAX;
    if (may) {
        pause_for(batch->answer.completion.retry_after_ms);
    }
    return may;
}

// Looks at a transaction that has ended.
static void settle_sent(struct batch *batch)
{
    enum status status = batch->answer.completion.status;
    if (status == STATUS_ok) {
        note_stored(batch);
    } else if (status == STATUS_unknown_outcome) {
        ask_batch(batch);
    } else if (status_may_retry(status) && may_send_again(batch)) {
        send_batch(batch);
    } else {
        note_failure(batch);
    }
}

// Looks at a question that was answered.
static void settle_asked(struct batch *batch)
{
    enum status status = batch->answer.completion.status;
    bool is_certain = status == STATUS_absent || status == STATUS_expired;
    if (status == STATUS_ok) {
        note_stored(batch);
    } else if (is_certain && may_send_again(batch)) {
        send_batch(batch);
    } else if (!is_certain && status_may_retry(status) && may_send_again(batch)) {
        ask_batch(batch);
    } else {
        note_failure(batch);
    }
}

// A batch whose request has ended; NULL if nothing is under way. Waits if need be.
static struct batch *await_ended(struct load_sender *sender)
{
    struct batch *ended = NULL;
    bool is_any = true;
    pthread_mutex_lock(&sender->lock);
    while (ended == NULL && is_any) {
        is_any = false;
        for (size_t i = 0; i < BATCHES && ended == NULL; i++) {
            struct batch *batch = &sender->batches[i];
            bool is_out = batch->state == BATCH_SENT || batch->state == BATCH_ASKING;
            ended = is_out && batch->has_ended ? batch : NULL;
            is_any = is_any || is_out;
        }
        if (ended == NULL && is_any) {
            pthread_cond_wait(&sender->ended, &sender->lock);
        }
    }
    if (ended != NULL) {
        ended->has_ended = false;
    }
    pthread_mutex_unlock(&sender->lock);
    return ended;
}

// Waits for one request to end and does what follows; false if nothing is under way.
static bool settle_one(struct load_sender *sender)
{
    struct batch *batch = await_ended(sender);
    if (batch == NULL) {
        return false;
    }
    if (batch->state == BATCH_ASKING) {
        settle_asked(batch);
    } else {
        settle_sent(batch);
    }
    return true;
}

static void settle_all(struct load_sender *sender)
{
    while (settle_one(sender)) {
    }
}

// Waits until there is a batch to fill.
static struct batch *await_free(struct load_sender *sender)
{
    for (;;) {
        for (size_t i = 0; i < BATCHES; i++) {
            if (sender->batches[i].state == BATCH_FREE) {
                sender->batches[i].state = BATCH_FILLING;
                return &sender->batches[i];
            }
        }
        bool is_under_way = settle_one(sender);
        ASSERT(is_under_way);
    }
}

static void flush(struct load_sender *sender)
{
    struct batch *batch = sender->filling;
    sender->filling = NULL;
    if (batch == NULL) {
        return;
    }
    if (sender->failed_line != 0) {
        batch->count = 0; // none of it is outstanding
        free_batch(batch);
        return;
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        sender->outstanding[batch->hashes[i] % HASH_SLOTS]++;
    }
    send_batch(batch);
}

static enum status failure_of(const struct load_sender *sender)
{
    return sender->failed_line == 0 ? STATUS_ok : sender->call->failure.status;
}

static uint64_t hash_of(const struct document_id *id)
{
    AUTO(buffer_release) struct buffer key = {0};
    document_id_append_key(id, &key);
    return siphash((struct siphash_key){0}, buffer_bytes(&key));
}

// Whether a document whose id has this hash was sent and is not stored.
static bool is_outstanding(const struct load_sender *sender, uint64_t hash)
{
    if (sender->outstanding[hash % HASH_SLOTS] == 0) {
        return false; // nearly always
    }
    for (size_t i = 0; i < BATCHES; i++) {
        const struct batch *batch = &sender->batches[i];
        bool is_out = batch->state == BATCH_SENT || batch->state == BATCH_ASKING;
        for (uint32_t k = 0; is_out && k < batch->count; k++) {
            if (batch->hashes[k] == hash) {
                return true;
            }
        }
    }
    return false;
}

enum status load_sender_add(struct load_sender *sender, const struct load_document *document)
{
    uint64_t hash = hash_of(&document->id);
    if (is_outstanding(sender, hash)) {
        flush(sender);
        settle_all(sender);
    }
    if (sender->filling == NULL) {
        sender->filling = await_free(sender);
    }
    struct batch *batch = sender->filling;
    const struct operation operation = {.kind = OPERATION_put,
                                        .collection = sender->options.collection,
                                        .has_id = true,
                                        .id = document->id,
                                        .document = document->document};
    operation_pack(&operation, &batch->operations);
    batch->lines[batch->count] = document->line;
    batch->hashes[batch->count] = hash;
    batch->count++;
    if (batch->count == sender->options.batch_count_max || batch->operations.size >= BATCH_SIZE) {
        flush(sender);
    }
    return failure_of(sender);
}

enum status load_sender_finish(struct load_sender *sender)
{
    flush(sender);
    settle_all(sender);
    return failure_of(sender);
}

uint64_t load_sender_stored(const struct load_sender *sender)
{
    return sender->stored;
}

uint64_t load_sender_version(const struct load_sender *sender)
{
    return sender->version;
}
