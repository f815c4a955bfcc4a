/*
 * Interactive transactions: client/interactive.h with a clock and a client.
 *
 *   skein_begin ──► get, find (at the version) ──► writes ──► commit: checks, then writes
 *        ▲                                                      │
 *        └──────────────── skein_run: a pause, then anew ◄──────┘ conflict
 *
 * A read is never kept: reading a document again at the same version gives the same, so only its
 * version is. Within skein_run() every request ends with the deadline of the whole.
 */
#include "client/skein_interactive.h"

#include "base/assert.h"
#include "client/interactive.h"
#include "client/skein_internal.h"
#include "wire/document/find_digest.h"
#include "wire/pack.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

struct skein_interactive {
    struct skein *skein;              // borrowed
    struct interactive core;          // what it has read
    struct skein_transaction *writes; // owned
    uint64_t clears;                  // of `writes` when they were looked at
    struct skein_call call;           // of the last read; its timeout is that of each
    uint64_t end_us;                  // when all must be over; UINT64_MAX for never
};

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

// The time that a request gets: what the call allows, at most until `end_us`.
static uint32_t timeout_until(uint32_t timeout_ms, uint64_t end_us)
{
    uint64_t time_us = now_us();
    uint64_t left_ms = end_us > time_us ? (end_us - time_us) / 1000 : 0;
    left_ms = left_ms < timeout_ms ? left_ms : timeout_ms;
    return left_ms == 0 ? 1 : (uint32_t)left_ms;
}

/*
 * Its life.
 */

// Begins one all of whose requests end until `end_us`.
static enum skein_status begin(struct skein *skein, struct skein_call *call, uint64_t end_us,
                               struct skein_interactive **ret_interactive)
{
    struct skein_call marking = *call;
    struct interactive core;
    uint32_t timeout_ms = call_timeout_ms(skein, call);
    marking.timeout_ms = timeout_until(timeout_ms, end_us);
    interactive_init(&core, now_us());
    enum skein_status status = call_run_mark(skein, &marking, &core.position);
    call->version = marking.version;
    call->error = marking.error;
    if (status != SKEIN_ok) {
        return status;
    }
    core.version = marking.version;
    struct skein_interactive *interactive = calloc(1, sizeof *interactive);
    ASSERT(interactive != NULL);
    *interactive = (struct skein_interactive){.skein = skein,
                                              .core = core,
                                              .writes = skein_transaction_new(),
                                              .call = {.timeout_ms = timeout_ms},
                                              .end_us = end_us};
    *ret_interactive = interactive;
    return SKEIN_ok;
}

enum skein_status skein_begin(struct skein *skein, struct skein_call *call,
                              struct skein_interactive **ret_interactive)
{
    call_begin(call);
    *ret_interactive = NULL;
    return begin(skein, call, UINT64_MAX, ret_interactive);
}

void skein_interactive_destroy(struct skein_interactive **take_interactive)
{
    struct skein_interactive *interactive = *take_interactive;
    if (interactive != NULL) {
        interactive_release(&interactive->core);
        skein_transaction_destroy(&interactive->writes);
        free(interactive);
    }
    *take_interactive = NULL;
}

uint64_t skein_interactive_version(const struct skein_interactive *interactive)
{
    return interactive->core.version;
}

struct skein_transaction *skein_interactive_writes(struct skein_interactive *interactive)
{
    return interactive->writes;
}

const struct skein_error *skein_interactive_error(const struct skein_interactive *interactive)
{
    return &interactive->call.error;
}

// Clears what the last read left, and fails when the transaction may not go on.
static enum skein_status use(struct skein_interactive *interactive)
{
    struct skein_call *call = &interactive->call;
    const char *sentence;
    call_begin(call);
    enum status status = interactive_use(&interactive->core, now_us(), &sentence);
    if (status != STATUS_ok) {
        error_set(&call->error, (enum skein_status)status, sentence);
    }
    return call->error.status;
}

/*
 * Reads.
 */

// Reads one operation at the version.
static enum skein_status read_one(struct skein_interactive *interactive,
                                  const struct skein_transaction *read, struct buffer *ret_results)
{
    struct skein_call *call = &interactive->call;
    AUTO(buffer_release) struct buffer operations = {0};
    if (transaction_pack(read, &operations, &call->error) != SKEIN_ok) {
        return call->error.status;
    }
    struct client_read ask = {.operations = buffer_bytes(&operations),
                              .level = READ_snapshot,
                              .at_version = interactive->core.version,
                              .at_position = interactive->core.position,
                              .timeout_ms = timeout_until(call->timeout_ms, interactive->end_us)};
    return call_run_read(interactive->skein, call, &ask, ret_results);
}

// Reads a document as it was at the version, and notes that; ok and no document if there was none.
static enum skein_status read_document(struct skein_interactive *interactive,
                                       const struct skein_key *key,
                                       struct skein_document *ret_document)
{
    struct skein_call *call = &interactive->call;
    AUTO(skein_transaction_destroy) struct skein_transaction *get = skein_transaction_new();
    AUTO(buffer_release) struct buffer results = {0};
    skein_transaction_get(get, key);
    if (read_one(interactive, get, &results) != SKEIN_ok) {
        return call->error.status;
    }
    enum skein_status status = call_take_document(call, buffer_bytes(&results), ret_document);
    if (status != SKEIN_ok && status != SKEIN_absent) {
        return status;
    }
    struct document_id id = id_inside(&key->id);
    read_set_add(&interactive->core.reads, bytes_from_text(key->collection), &id,
                 ret_document->document_version);
    call->error = (struct skein_error){0};
    return SKEIN_ok;
}

// Looks at writes that were added since the last time.
static enum skein_status update_writes(struct skein_interactive *interactive)
{
    const struct skein_transaction *writes = interactive->writes;
    struct own_writes *own = &interactive->core.own;
    struct operation_fault fault;
    if (interactive->clears != writes->clears) {
        own_writes_release(own);
        interactive->clears = writes->clears;
    }
    if (writes->fault.status != SKEIN_ok) {
        interactive->call.error = writes->fault;
        return writes->fault.status;
    }
    enum status status = own_writes_update(own, buffer_bytes(&writes->operations), writes->count,
                                           &fault);
    if (status != STATUS_ok) {
        error_set(&interactive->call.error, (enum skein_status)status, fault.sentence);
        interactive->call.error.operation = fault.operation;
    }
    return (enum skein_status)status;
}

// Puts what the transaction's own writes make of the document in its place.
static enum skein_status apply_writes(struct skein_interactive *interactive, struct bytes key,
                                      struct skein_document *document)
{
    struct timespec now;
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    struct buffer changed = {0};
    buffer_append(&changed, bytes_of(document->data, document->size));
    skein_document_release(document);
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t time_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    enum status status = own_writes_apply(&interactive->core.own, key, time_us, &changed, sentence);
    if (status == STATUS_ok && changed.size > 0) {
        *document = (struct skein_document){
            .data = changed.data, .size = changed.size, .time_us = time_us};
        return SKEIN_ok;
    }
    buffer_release(&changed);
    if (status != STATUS_ok) {
        error_set(&interactive->call.error, (enum skein_status)status, sentence);
    }
    return (enum skein_status)status;
}

static void key_pack(const struct skein_key *key, struct buffer *out)
{
    struct document_id id = id_inside(&key->id);
    key_of_document(bytes_from_text(key->collection == NULL ? "" : key->collection), &id, out);
}

enum skein_status skein_interactive_get(struct skein_interactive *interactive,
                                        const struct skein_key *key,
                                        struct skein_document *ret_document)
{
    AUTO(buffer_release) struct buffer packed = {0};
    *ret_document = (struct skein_document){0};
    if (use(interactive) != SKEIN_ok || update_writes(interactive) != SKEIN_ok) {
        return interactive->call.error.status;
    }
    key_pack(key, &packed);
    enum own_kind kind = own_writes_kind(&interactive->core.own, buffer_bytes(&packed));
    enum skein_status status = SKEIN_ok;
    if (kind != OWN_whole) {
        status = read_document(interactive, key, ret_document);
    }
    if (status == SKEIN_ok && kind != OWN_nothing) {
        status = apply_writes(interactive, buffer_bytes(&packed), ret_document);
    }
    if (status == SKEIN_ok && ret_document->data == NULL) {
        error_set(&interactive->call.error, SKEIN_absent, "there is no such document");
    }
    return interactive->call.error.status;
}

// The digest of the rows of a page.
static uint64_t digest_of(const struct skein_page *page)
{
    uint64_t digest = find_digest_empty();
    for (size_t i = 0; i < page->count; i++) {
        struct document_id id = id_inside(&page->rows[i].id);
        digest = find_digest_add(digest, &id, page->rows[i].document_version);
    }
    return digest;
}

// Notes what a find returned.
static enum skein_status note_find(struct skein_interactive *interactive,
                                   const struct skein_transaction *read,
                                   const struct skein_page *page)
{
    struct operations walk = {.cursor = cursor_of(buffer_bytes(&read->operations)), .count = 1};
    struct operation operation;
    struct operation_fault fault;
    enum status status = operations_next(&walk, &operation, &fault);
    ASSERT(status == STATUS_ok); // it was answered
    status = interactive_add_find(&interactive->core, &operation, digest_of(page),
                                  (uint32_t)page->count, page->cursor != NULL);
    if (status != STATUS_ok) {
        error_set(&interactive->call.error, (enum skein_status)status,
                  "the find looked at as many documents as it may and found none so far; an index "
                  "would help");
    }
    return (enum skein_status)status;
}

enum skein_status skein_interactive_find(struct skein_interactive *interactive,
                                         const struct skein_find *find, struct skein_page *ret_page)
{
    struct skein_call *call = &interactive->call;
    AUTO(skein_transaction_destroy) struct skein_transaction *read = skein_transaction_new();
    AUTO(buffer_release) struct buffer results = {0};
    *ret_page = (struct skein_page){0};
    if (use(interactive) != SKEIN_ok) {
        return call->error.status;
    }
    struct skein_find whole = *find;
    whole.limit = find->limit == 0 ? PAGE_ROWS_DEFAULT : find->limit;
    skein_transaction_find(read, &whole);
    if (read_one(interactive, read, &results) != SKEIN_ok ||
        call_take_page(call, buffer_bytes(&results), ret_page) != SKEIN_ok) {
        return call->error.status;
    }
    if (note_find(interactive, read, ret_page) != SKEIN_ok) {
        skein_page_release(ret_page);
    }
    return call->error.status;
}

/*
 * Commit.
 */

// Takes the results of the checks off the front of those of the whole.
static void keep_results(struct bytes results, uint32_t checks, struct skein_results *ret_results)
{
    struct cursor cursor = cursor_of(results);
    struct buffer kept = {0};
    uint32_t count = 0;
    enum status status = cursor_array(&cursor, &count);
    for (uint32_t i = 0; i < checks && status == STATUS_ok; i++) {
        status = cursor_skip(&cursor, NULL);
    }
    pack_array(&kept, status == STATUS_ok && count > checks ? count - checks : 0);
    if (status == STATUS_ok) {
        buffer_append(&kept, cursor_rest(&cursor));
    }
    *ret_results = (struct skein_results){.data = kept.data, .size = kept.size};
}

// Sends checks and writes and waits for the outcome.
static enum skein_status commit_writes(struct skein_interactive *interactive,
                                       struct skein_call *call, struct skein_results *ret_results)
{
    const struct skein_transaction *writes = interactive->writes;
    AUTO(buffer_release) struct buffer operations = {0};
    AUTO(buffer_release) struct buffer results = {0};
    uint32_t checks = 0;
    if (interactive_pack(&interactive->core, buffer_bytes(&writes->operations), writes->count,
                         &operations, &checks) != STATUS_ok) {
        error_set(&call->error, SKEIN_too_large,
                  "what was read and what is written together are more than a transaction of 4 MiB "
                  "and 4096 operations holds");
        return call->error.status;
    }
    struct client_transaction ask = call_transaction(interactive->skein, call,
                                                     buffer_bytes(&operations));
    ask.timeout_ms = timeout_until(ask.timeout_ms, interactive->end_us);
    if (call_run_operations(interactive->skein, call, &ask, &results) == SKEIN_ok) {
        keep_results(buffer_bytes(&results), checks, ret_results);
    }
    uint32_t failed = call->error.operation;
    call->error.operation = failed > checks ? failed - checks : 0;
    return call->error.status;
}

enum skein_status skein_interactive_commit(struct skein_interactive *interactive,
                                           struct skein_call *call,
                                           struct skein_results *ret_results)
{
    const struct skein_transaction *writes = interactive->writes;
    AUTO(skein_results_release) struct skein_results results = {0};
    call_begin(call);
    if (use(interactive) != SKEIN_ok) {
        call->error = interactive->call.error;
        return call->error.status;
    }
    interactive->core.is_over = true;
    if (writes->fault.status != SKEIN_ok) {
        call->error = writes->fault;
    } else if (writes->count > 0) {
        commit_writes(interactive, call, &results);
    } else {
        call->version = interactive->core.version;
    }
    if (ret_results != NULL) {
        *ret_results = results;
        results = (struct skein_results){0};
    }
    return call->error.status;
}

/*
 * Running one until it works out.
 */

// What a body gave up with, in the words of its last read if that is what it hands on.
static void take_body_error(struct skein_call *call, enum skein_status status,
                            const struct skein_interactive *interactive)
{
    if (interactive->call.error.status == status) {
        call->error = interactive->call.error;
    } else {
        error_set(&call->error, status, "the body of the transaction gave up");
    }
}

// What is run, and until when.
struct run {
    struct skein *skein;
    struct skein_call *call;
    enum skein_status (*body)(void *context, struct skein_interactive *interactive);
    void *context;   // for the body
    uint64_t end_us; // every request ends by then
};

static enum skein_status attempt(const struct run *run)
{
    struct skein_call *call = run->call;
    AUTO(skein_interactive_destroy) struct skein_interactive *interactive = NULL;
    if (begin(run->skein, call, run->end_us, &interactive) != SKEIN_ok) {
        return call->error.status;
    }
    enum skein_status status = run->body(run->context, interactive);
    if (status != SKEIN_ok) {
        take_body_error(call, status, interactive);
        return status;
    }
    return skein_interactive_commit(interactive, call, NULL);
}

// Whether the deadline of the run ended an attempt under way. Deadlines of requests are in whole
// milliseconds and may come by one earlier.
static bool was_cut_off(const struct run *run, enum skein_status status)
{
    return status == SKEIN_deadline && now_us() + 1000 >= run->end_us;
}

enum skein_status skein_run(struct skein *skein, struct skein_call *call,
                            enum skein_status (*body)(void *context,
                                                      struct skein_interactive *interactive),
                            void *context)
{
    uint64_t end_us = now_us() + call_timeout_ms(skein, call) * UINT64_C(1000);
    struct run run = {
        .skein = skein, .call = call, .body = body, .context = context, .end_us = end_us};
    uint64_t seed = now_us();
    struct random random;
    call_begin(call);
    if (call->session != NULL) {
        error_set(&call->error, SKEIN_bad_request,
                  "a transaction that may be run several times takes no session of its own");
        return call->error.status;
    }
    ssize_t size = getrandom(&seed, sizeof seed, GRND_NONBLOCK); // else the time serves as well
    (void)size;
    random_init(&random, seed);
    struct skein_error lost = {0};
    for (uint32_t number = 1;; number++) {
        enum skein_status status = attempt(&run);
        if (lost.status != SKEIN_ok && was_cut_off(&run, status)) {
            call->error = lost;
            return lost.status;
        }
        uint64_t pause_us = interactive_retry_us(&random, number);
        if (!interactive_may_retry((enum status)status) || now_us() + pause_us >= end_us) {
            return status;
        }
        lost = call->error;
        struct timespec pause = {.tv_sec = (time_t)(pause_us / 1000000),
                                 .tv_nsec = (long)(pause_us % 1000000) * 1000};
        nanosleep(&pause, NULL);
    }
}
