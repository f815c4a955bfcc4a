/*
 * Transactions of any operations, one after another, through executor and state: whatever they do,
 * indexes, statistics and times of expiry fit the documents afterwards.
 */
#include "tests/fuzz/fuzz.h"

#include "storage/apply.h"
#include "storage/executor.h"
#include "storage/state_memory.h"
#include "tests/sim/cells_check.h"
#include "wire/cursor.h"
#include "wire/document/operation.h"

enum { TRANSACTIONS_MAX = 12, WORK_MAX = 200 };

struct primary {
    struct state *state;
    struct executor *executor;
    struct applied applied;
    uint64_t time_us;
};

static void open_entry(struct primary *self)
{
    executor_open(self->executor, self->applied.place.version, self->time_us);
}

// Closes the open entry, applies it, and opens the next one.
static void settle(struct primary *self)
{
    AUTO(buffer_release) struct buffer payload = {0};
    struct entry entry = {.kind = ENTRY_BATCH,
                          .epoch = 1,
                          .position = self->applied.place.position + 1,
                          .time_us = self->time_us,
                          .transactions = executor_open_transactions(self->executor)};
    entry.version = self->applied.place.version + entry.transactions;
    executor_close(self->executor, entry.position, &payload);
    entry.payload = buffer_bytes(&payload);
    ASSERT(apply_entry(self->state, 1, &entry, &self->applied) == STATUS_ok);
    executor_applied(self->executor, entry.position);
    open_entry(self);
}

static void check_outcome(const struct executor_outcome *outcome)
{
    struct cursor cursor = cursor_of(outcome->results);
    if (outcome->status == STATUS_ok) {
        ASSERT(cursor_skip(&cursor, NULL) == STATUS_ok && cursor_at_end(&cursor));
    } else {
        ASSERT(outcome->message.size > 0 && outcome->message.size < ERROR_MESSAGE_SIZE_MAX);
        ASSERT(outcome->status != STATUS_internal && outcome->status != STATUS_damaged);
    }
}

// Runs what a writer makes of the operations; it lets nothing else pass.
static void run(struct primary *self, struct bytes blob, uint64_t sequence)
{
    AUTO(buffer_release) struct buffer canonical = {0};
    struct operation_fault fault;
    struct executor_outcome outcome;
    struct executor_outcome again;
    if (operations_canonicalize(blob, &canonical, &fault) != STATUS_ok) {
        return;
    }
    const struct executor_request request = {.session = bytes_from_text("s"),
                                             .sequence = sequence,
                                             .operations = buffer_bytes(&canonical)};
    executor_run(self->executor, &request, &outcome);
    check_outcome(&outcome);
    enum status status = outcome.status;
    uint32_t transactions = executor_open_transactions(self->executor);
    if (status == STATUS_ok && transactions > 0) {
        executor_run(self->executor, &request, &again);
        ASSERT(again.status == STATUS_ok && again.replayed);
        ASSERT(executor_open_transactions(self->executor) == transactions);
    }
}

// Time passes, and the primary does what it has to.
static void work(struct primary *self, uint64_t us)
{
    self->time_us += us;
    settle(self);
    for (unsigned i = 0; i < WORK_MAX && executor_has_work(self->executor, self->time_us); i++) {
        executor_work(self->executor, 100);
        settle(self);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    struct primary self = {.state = state_memory_new(), .time_us = 1000000};
    applied_init(&self.applied);
    self.executor = executor_new(self.state);
    open_entry(&self);
    for (uint64_t i = 1; i <= TRANSACTIONS_MAX && input.size > 0; i++) {
        struct bytes blob;
        uint8_t pause = fuzz_take_u8(&input);
        struct cursor cursor = cursor_of(input);
        if (cursor_skip(&cursor, &blob) != STATUS_ok) {
            break;
        }
        input = cursor_rest(&cursor);
        run(&self, blob, i);
        if (pause > 0) {
            work(&self, (uint64_t)(pause - 1) * 1000000);
        }
    }
    work(&self, 1000000);
    ASSERT(cells_have_jobs(self.state) || cells_check(self.state) == NULL);
    executor_destroy(&self.executor);
    applied_release(&self.applied);
    ASSERT(state_memory_open_count(self.state) == 0);
    state_destroy(&self.state);
    return 0;
}
