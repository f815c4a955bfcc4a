/*
 * What the operations mean, said once more and as simply as can be. An order by number is one by
 * number and id, as indexes and sorted rows have it.
 */
#include "tests/sim/rehearsal.h"

#include "base/assert.h"
#include "wire/document/find_digest.h"

#include <stdio.h>

void rehearsal_init(struct rehearsal *rehearsal, const struct model *model,
                    const struct question *question, uint64_t version)
{
    rehearsal->model = model;
    rehearsal->version = version;
    rehearsal->written = version + 1;
    rehearsal->token = question->token;
    rehearsal->change_count = 0;
}

struct seen rehearsal_see(const struct rehearsal *rehearsal, unsigned collection, unsigned document)
{
    for (unsigned i = rehearsal->change_count; i-- > 0;) {
        const struct rehearsed_change *change = &rehearsal->changes[i];
        if (change->collection == collection && change->document == document) {
            return change->seen;
        }
    }
    return model_see(rehearsal->model, collection, document, rehearsal->version);
}

static enum status change(struct rehearsal *rehearsal, const struct step *step, struct seen seen)
{
    ASSERT(rehearsal->change_count < QUESTION_STEPS_MAX);
    rehearsal->changes[rehearsal->change_count++] = (struct rehearsed_change){
        .collection = step->collection, .document = step->document, .seen = seen};
    return STATUS_ok;
}

static enum status write_number(struct rehearsal *rehearsal, const struct step *step,
                                int64_t number)
{
    if (step->collection == COLLECTION_FADING && number < FADING_LEAST) {
        return STATUS_refused;
    }
    return change(rehearsal, step,
                  (struct seen){.is_present = true,
                                .version = rehearsal->written,
                                .number = number,
                                .token = rehearsal->token});
}

// Whether the condition of the step holds.
static bool holds(const struct step *step, const struct seen *before)
{
    return !step->has_where || (before->is_present && before->number >= step->least);
}

static enum status do_update(struct rehearsal *rehearsal, const struct step *step,
                             const struct seen *before)
{
    if (!before->is_present && !step->upserts) {
        return STATUS_absent;
    }
    if (before->is_present && !holds(step, before)) {
        return STATUS_refused;
    }
    int64_t number = step->adds ? before->number + step->number : step->number;
    if (step->has_floor && number < step->floor) {
        return STATUS_refused;
    }
    return write_number(rehearsal, step, number);
}

static enum status do_delete(struct rehearsal *rehearsal, const struct step *step,
                             const struct seen *before)
{
    if (!before->is_present) {
        return STATUS_absent;
    }
    return holds(step, before) ? change(rehearsal, step, (struct seen){0}) : STATUS_refused;
}

static enum status do_check(const struct step *step, const struct seen *before)
{
    bool is_good = step->has_where ? holds(step, before) : before->version == step->expected;
    return is_good ? STATUS_ok : STATUS_refused;
}

static enum status do_unchanged(const struct rehearsal *rehearsal, const struct step *step,
                                const struct seen *before)
{
    if (!step->is_find) {
        return before->version == step->expected ? STATUS_ok : STATUS_conflict;
    }
    struct seen_row rows[DOCUMENT_COUNT_MAX];
    unsigned count = rehearsal_find(rehearsal, step, rows);
    if (step->find.limit > 0 && count > step->find.limit) {
        count = step->find.limit;
    }
    return rows_digest(rows, count) == step->digest ? STATUS_ok : STATUS_conflict;
}

static enum status do_schema(const struct rehearsal *rehearsal, const struct step *step)
{
    struct model_schema schema = model_schema_at(rehearsal->model, step->collection,
                                                 rehearsal->version);
    switch (step->kind) {
    case OPERATION_create_collection: return schema.is_there ? STATUS_exists : STATUS_ok;
    case OPERATION_drop_collection: return schema.is_there ? STATUS_ok : STATUS_absent;
    case OPERATION_create_index:
        return schema.index != MODEL_INDEX_none ? STATUS_exists : STATUS_ok;
    default: return schema.index == MODEL_INDEX_none ? STATUS_absent : STATUS_ok;
    }
}

enum status rehearsal_do(struct rehearsal *rehearsal, const struct step *step)
{
    struct seen before = rehearsal_see(rehearsal, step->collection, step->document);
    switch (step->kind) {
    case OPERATION_insert:
        return before.is_present ? STATUS_exists : write_number(rehearsal, step, step->number);
    case OPERATION_put: return write_number(rehearsal, step, step->number);
    case OPERATION_update: return do_update(rehearsal, step, &before);
    case OPERATION_delete: return do_delete(rehearsal, step, &before);
    case OPERATION_check: return do_check(step, &before);
    case OPERATION_unchanged: return do_unchanged(rehearsal, step, &before);
    case OPERATION_create_collection:
    case OPERATION_drop_collection:
    case OPERATION_create_index:
    case OPERATION_drop_index: return do_schema(rehearsal, step);
    default: return STATUS_ok;
    }
}

bool rehearsal_may_clash(const struct rehearsal *rehearsal, const struct step *step)
{
    struct model_schema schema = model_schema_at(rehearsal->model, step->collection,
                                                 rehearsal->version);
    bool writes = step->kind == OPERATION_insert || step->kind == OPERATION_put ||
                  step->kind == OPERATION_update;
    struct seen mine = rehearsal_see(rehearsal, step->collection, step->document);
    int64_t number = step->adds ? mine.number + step->number : step->number;
    if (!writes || !schema.is_unique || schema.index == MODEL_INDEX_none) {
        return false;
    }
    for (unsigned i = 0; i < DOCUMENT_COUNT_MAX; i++) {
        struct seen other = rehearsal_see(rehearsal, step->collection, i);
        if (i != step->document && other.is_present && other.number == number) {
            return true;
        }
    }
    return false;
}

bool find_matches(const struct asked_find *find, const struct seen *seen)
{
    return seen->is_present &&
           (!find->has_range || (seen->number >= find->low && seen->number <= find->high));
}

bool find_precedes(const struct model *model, const struct asked_find *find,
                   const struct seen_row *a, const struct seen_row *b)
{
    if (find->is_backwards) {
        const struct seen_row *swapped = a;
        a = b;
        b = swapped;
    }
    if (find->order == FIND_by_number && a->seen.number != b->seen.number) {
        return a->seen.number < b->seen.number;
    }
    return model->ranks[a->document] < model->ranks[b->document];
}

unsigned rehearsal_find(const struct rehearsal *rehearsal, const struct step *step,
                        struct seen_row rows[DOCUMENT_COUNT_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < DOCUMENT_COUNT_MAX; i++) {
        struct seen_row row = {.document = i,
                               .seen = rehearsal_see(rehearsal, step->collection, i)};
        if (!find_matches(&step->find, &row.seen)) {
            continue;
        }
        unsigned place = count++;
        while (place > 0 && find_precedes(rehearsal->model, &step->find, &row, &rows[place - 1])) {
            rows[place] = rows[place - 1];
            place--;
        }
        rows[place] = row;
    }
    return count;
}

uint64_t rows_digest(const struct seen_row *rows, unsigned count)
{
    uint64_t digest = find_digest_empty();
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%u", rows[i].document);
        struct document_id id = {.is_text = true, .text = bytes_from_text(name)};
        digest = find_digest_add(digest, &id, rows[i].seen.version);
    }
    return digest;
}
