/*
 * Rules for answers. `floor` is the highest version that anybody had been told when the question
 * was asked; the log is the committed one when the answer comes.
 *
 * 1. A version in an answer is committed. Of a linearizable read and of a transaction it is not
 *    below the floor; of one that wrote, above it. Of a session read not below the session's.
 * 2. A read sees each document exactly as the log has it at the version of the reply, which is the
 *    end of an entry.
 * 3. A transaction that wrote has this version in the log, once, and its checks and gets agree with
 *    the state right before it.
 * 4. A transaction that failed on a document did so with right at some version between floor and
 *    now, and is not in the log, nor is one that certainly wasn't done.
 */
#include "tests/sim/history.h"

#include "base/assert.h"
#include "wire/cursor.h"

#include <stdlib.h>

void history_init(struct history *history, const struct model *model)
{
    *history = (struct history){.world = model->world, .ledger = model->ledger, .model = model};
}

void history_release(struct history *history)
{
    free(history->ruined);
    *history = (struct history){0};
}

void history_ask(const struct history *history, struct question *question)
{
    question->floor_version = history->floor_version;
}

// A document right after a version.
static struct seen state_after(const struct history *history, const struct step *step,
                               uint64_t version)
{
    const struct model_document *document = model_document_at(history->model, step->collection,
                                                              step->document, version);
    if (document == NULL || !document->is_present) {
        return (struct seen){0};
    }
    return (struct seen){.is_present = true,
                         .version = document->version,
                         .number = document->number,
                         .token = document->token};
}

static bool seen_equal(const struct seen *a, const struct seen *b)
{
    return a->is_present == b->is_present && a->version == b->version && a->number == b->number &&
           a->token == b->token;
}

// Compares the gets among the steps with the state after `version`.
static void check_gets(struct history *history, const struct question *question,
                       const struct answer *answer, uint64_t version)
{
    struct cursor cursor = cursor_of(answer->results);
    uint32_t count;
    if (cursor_array(&cursor, &count) != STATUS_ok || count != question->step_count) {
        world_violate(history->world, "an answer has not one result for each operation");
        return;
    }
    for (unsigned i = 0; i < question->step_count; i++) {
        const struct step *step = &question->steps[i];
        if (step->kind != OPERATION_get) {
            if (cursor_skip(&cursor, NULL) != STATUS_ok) {
                world_violate(history->world, "an answer has results that can't be read");
            }
            continue;
        }
        struct seen seen = {0};
        struct seen view = state_after(history, step, version);
        if (!history_read_result(&cursor, &seen) || !seen_equal(&view, &seen)) {
            world_violate(history->world,
                          "a read at version %llu saw c%u/d%u at %llu, the log has it at %llu",
                          (unsigned long long)version, step->collection, step->document,
                          (unsigned long long)seen.version, (unsigned long long)view.version);
            return;
        }
    }
}

// Rule 1; true if the version may be looked at.
static bool check_version(struct history *history, uint64_t version, uint64_t least,
                          const char *what)
{
    if (version > ledger_version(history->ledger)) {
        world_violate(history->world, "%s was answered at version %llu, only %llu is committed",
                      what, (unsigned long long)version,
                      (unsigned long long)ledger_version(history->ledger));
        return false;
    }
    if (version < least) {
        world_violate(history->world,
                      "%s was answered at version %llu, after version %llu was seen", what,
                      (unsigned long long)version, (unsigned long long)least);
        return false;
    }
    return true;
}

static void raise_floor(struct history *history, uint64_t version)
{
    if (version > history->floor_version) {
        history->floor_version = version;
    }
}

static void answer_read(struct history *history, const struct question *question,
                        const struct answer *answer)
{
    uint64_t least = question->level == READ_linearizable ? question->floor_version
                     : question->level == READ_session    ? question->after_version
                                                          : 0;
    if (answer->status != STATUS_ok ||
        !check_version(history, answer->version, least, read_level_name(question->level))) {
        return;
    }
    if (question->level == READ_snapshot && answer->version != question->at_version) {
        world_violate(history->world, "a read at version %llu was answered at %llu",
                      (unsigned long long)question->at_version,
                      (unsigned long long)answer->version);
    }
    uint64_t position = model_position_of(history->model, answer->version);
    if (position > 0 && ledger_committed(history->ledger, position)->version != answer->version) {
        world_violate(history->world, "a read at version %llu, which is within an entry",
                      (unsigned long long)answer->version);
        return;
    }
    check_gets(history, question, answer, answer->version);
    raise_floor(history, answer->version);
}

static bool is_writing(const struct question *question)
{
    for (unsigned i = 0; i < question->step_count; i++) {
        enum operation_kind kind = question->steps[i].kind;
        if (kind != OPERATION_get && kind != OPERATION_check) {
            return true;
        }
    }
    return false;
}

// Rule 3: what the log has of a document that the transaction wrote.
static void check_written(struct history *history, const struct question *question,
                          const struct step *step, uint64_t version)
{
    const struct model_document *document = model_document_at(history->model, step->collection,
                                                              step->document, version);
    bool is_there = document != NULL && document->version == version;
    bool is_ours = is_there && document->is_present && document->token == question->token &&
                   document->number == step->number;
    bool is_removed = is_there && !document->is_present && step->kind == OPERATION_delete;
    if (!is_ours && !is_removed) {
        world_violate(history->world,
                      "version %llu was acknowledged, its c%u/d%u is not in the log",
                      (unsigned long long)version, step->collection, step->document);
    }
}

static void check_steps(struct history *history, const struct question *question,
                        const struct answer *answer)
{
    uint64_t before = is_writing(question) ? answer->version - 1 : answer->version;
    for (unsigned i = 0; i < question->step_count; i++) {
        const struct step *step = &question->steps[i];
        struct seen view = state_after(history, step, before);
        bool is_wrong = (step->kind == OPERATION_check && view.version != step->expected) ||
                        (step->kind == OPERATION_insert && view.is_present) ||
                        (step->kind == OPERATION_delete && !view.is_present);
        if (is_wrong) {
            world_violate(history->world,
                          "version %llu: operation %u succeeded, c%u/d%u was at %llu",
                          (unsigned long long)answer->version, i, step->collection, step->document,
                          (unsigned long long)view.version);
        }
        if (step->kind != OPERATION_check && step->kind != OPERATION_get) {
            check_written(history, question, step, answer->version);
        }
    }
    if (!answer->replayed) {
        check_gets(history, question, answer, before);
    }
}

static void answer_done(struct history *history, const struct question *question,
                        const struct answer *answer)
{
    bool writes = is_writing(question);
    uint64_t least = question->floor_version + (writes ? 1 : 0);
    if (!check_version(history, answer->version, least, "a transaction")) {
        return;
    }
    const struct model_outcome *outcome = model_outcome(history->model, question->session,
                                                        question->sequence);
    bool is_logged = outcome != NULL && !outcome->is_claimed && outcome->version == answer->version;
    if (writes && !is_logged) {
        world_violate(history->world,
                      "transaction %llu of session %u was acknowledged at %llu, "
                      "the log has not that",
                      (unsigned long long)question->sequence, question->session,
                      (unsigned long long)answer->version);
        return;
    }
    history->acknowledged++;
    check_steps(history, question, answer);
    raise_floor(history, answer->version);
}

// The transaction was not done and never will be.
static void ruin(struct history *history, unsigned session, uint64_t sequence)
{
    if (history->ruined_count == history->ruined_capacity) {
        history->ruined_capacity = history->ruined_capacity == 0 ? 256
                                                                 : 2 * history->ruined_capacity;
        history->ruined = reallocarray(history->ruined, history->ruined_capacity,
                                       sizeof *history->ruined);
        ASSERT(history->ruined != NULL);
    }
    history->ruined[history->ruined_count++] = (struct ruined){.session = session,
                                                               .sequence = sequence};
    const struct model_outcome *outcome = model_outcome(history->model, session, sequence);
    if (outcome != NULL && !outcome->is_claimed) {
        world_violate(history->world,
                      "transaction %llu of session %u was said not to be done, it is "
                      "version %llu",
                      (unsigned long long)sequence, session, (unsigned long long)outcome->version);
    }
}

// Rule 4: could this step have failed so at any version from the floor on?
static bool may_have_failed(const struct history *history, const struct question *question,
                            const struct step *step, enum status status)
{
    if (model_document_changes(history->model, step->collection, step->document,
                               question->floor_version)) {
        return true;
    }
    struct seen view = state_after(history, step, question->floor_version);
    switch (step->kind) {
    case OPERATION_check: return status == STATUS_refused && view.version != step->expected;
    case OPERATION_insert: return status == STATUS_exists && view.version != 0;
    case OPERATION_delete: return status == STATUS_absent && view.version == 0;
    default: return false;
    }
}

static void answer_failed(struct history *history, const struct question *question,
                          const struct answer *answer)
{
    ruin(history, question->session, question->sequence);
    for (unsigned i = 0; i < question->step_count; i++) {
        bool is_meant = answer->operation == 0 || answer->operation == i + 1;
        if (is_meant && may_have_failed(history, question, &question->steps[i], answer->status)) {
            return;
        }
    }
    world_violate(history->world,
                  "transaction %llu of session %u failed with %s at operation %u, "
                  "for which there was no reason since version %llu",
                  (unsigned long long)question->sequence, question->session,
                  status_name(answer->status), answer->operation,
                  (unsigned long long)question->floor_version);
}

static void answer_transaction(struct history *history, const struct question *question,
                               const struct answer *answer)
{
    switch (answer->status) {
    case STATUS_ok: answer_done(history, question, answer); break;
    case STATUS_unknown_outcome: break;
    case STATUS_refused:
    case STATUS_exists:
    case STATUS_absent: answer_failed(history, question, answer); break;
    case STATUS_unavailable:
    case STATUS_busy:
    case STATUS_deadline:
    case STATUS_expired:
    case STATUS_read_only: ruin(history, question->session, question->sequence); break;
    default:
        world_violate(history->world, "transaction %llu of session %u failed with %s",
                      (unsigned long long)question->sequence, question->session,
                      status_name(answer->status));
    }
}

static void answer_status(struct history *history, const struct question *question,
                          const struct answer *answer)
{
    const struct model_outcome *outcome = model_outcome(history->model, question->session,
                                                        question->sequence);
    if (answer->status == STATUS_absent) {
        ruin(history, question->session, question->sequence);
    } else if (answer->status == STATUS_ok &&
               (outcome == NULL || outcome->is_claimed || outcome->version != answer->version)) {
        world_violate(history->world,
                      "transaction %llu of session %u is said to be version %llu, "
                      "the log has not that",
                      (unsigned long long)question->sequence, question->session,
                      (unsigned long long)answer->version);
    }
}

void history_answer(struct history *history, const struct question *question,
                    const struct answer *answer)
{
    history->answered++;
    history->failed += answer->status != STATUS_ok;
    switch (question->kind) {
    case QUESTION_TRANSACTION: answer_transaction(history, question, answer); break;
    case QUESTION_READ: answer_read(history, question, answer); break;
    case QUESTION_STATUS: answer_status(history, question, answer); break;
    }
}

void history_check_end(struct history *history)
{
    for (size_t i = 0; i < history->ruined_count; i++) {
        unsigned session = history->ruined[i].session;
        uint64_t sequence = history->ruined[i].sequence;
        const struct model_outcome *outcome = model_outcome(history->model, session, sequence);
        if (outcome != NULL && !outcome->is_claimed) {
            world_violate(history->world,
                          "transaction %llu of session %u was said not to be done, "
                          "and became version %llu",
                          (unsigned long long)sequence, session,
                          (unsigned long long)outcome->version);
            return;
        }
    }
}

bool history_read_result(struct cursor *cursor, struct seen *ret_seen)
{
    struct seen seen = {0};
    uint32_t pairs;
    if (cursor_map(cursor, &pairs) != STATUS_ok) {
        return false;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes field;
        struct bytes value;
        if (cursor_text(cursor, &field) != STATUS_ok || cursor_skip(cursor, &value) != STATUS_ok) {
            return false;
        }
        struct cursor inner = cursor_of(value);
        enum value_kind kind;
        if (cursor_peek(&inner, &kind) != STATUS_ok || kind == VALUE_NIL) {
            continue;
        }
        if (bytes_equal(field, bytes_from_text("document_version")) &&
            cursor_u64(&inner, &seen.version) != STATUS_ok) {
            return false;
        }
        if (bytes_equal(field, bytes_from_text("document"))) {
            seen.is_present = model_read_document(value, &seen.number, &seen.token);
        }
    }
    *ret_seen = seen;
    return true;
}
