/*
 * Asking the model. Histories of documents and collections are sorted by version, so the state at
 * any version is a binary search away. model_log.c makes them.
 */
#include "tests/sim/model.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

static int compare_ids(const void *a, const void *b)
{
    char left[16];
    char right[16];
    snprintf(left, sizeof left, "d%u", *(const unsigned *)a);
    snprintf(right, sizeof right, "d%u", *(const unsigned *)b);
    return strcmp(left, right);
}

void model_init(struct model *model, struct world *world, const struct ledger *ledger)
{
    *model = (struct model){.world = world, .ledger = ledger};
    state_batch_init(&model->batch);
    session_record_init(&model->record);
    unsigned by_id[DOCUMENT_COUNT_MAX];
    for (unsigned i = 0; i < DOCUMENT_COUNT_MAX; i++) {
        by_id[i] = i;
    }
    qsort(by_id, DOCUMENT_COUNT_MAX, sizeof by_id[0], compare_ids);
    for (unsigned i = 0; i < DOCUMENT_COUNT_MAX; i++) {
        model->ranks[by_id[i]] = i;
    }
}

void model_release(struct model *model)
{
    for (unsigned i = 0; i < COLLECTION_COUNT; i++) {
        struct model_collection *collection = &model->collections[i];
        free(collection->schemas);
        for (unsigned j = 0; j < DOCUMENT_COUNT_MAX; j++) {
            free(collection->documents[j].items);
        }
    }
    for (unsigned i = 0; i < model->session_count; i++) {
        free(model->sessions[i].outcomes);
    }
    state_batch_release(&model->batch);
    session_record_release(&model->record);
    *model = (struct model){0};
}

// How many items are not above `version`.
static size_t count_until(const struct model_history *history, uint64_t version)
{
    size_t low = 0;
    size_t high = history->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (history->items[middle].version <= version) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct model_document *model_document_at(const struct model *model, unsigned collection,
                                               unsigned document, uint64_t version)
{
    const struct model_history *history = &model->collections[collection].documents[document];
    size_t count = count_until(history, version);
    return count == 0 ? NULL : &history->items[count - 1];
}

static struct seen see(const struct model_document *known)
{
    if (known == NULL || !known->is_present) {
        return (struct seen){0};
    }
    return (struct seen){.is_present = true,
                         .version = known->version,
                         .number = known->number,
                         .token = known->token};
}

struct seen model_see(const struct model *model, unsigned collection, unsigned document,
                      uint64_t version)
{
    return see(model_document_at(model, collection, document, version));
}

struct seen model_see_until(const struct model *model, const struct step *step, uint64_t version,
                            uint64_t time_us)
{
    const struct model_document *items;
    size_t count = model_versions(model, step, version, &items);
    while (count > 0 && items[count - 1].time_us > time_us) {
        count--;
    }
    return see(count == 0 ? NULL : &items[count - 1]);
}

size_t model_versions(const struct model *model, const struct step *step, uint64_t version,
                      const struct model_document **ret_items)
{
    const struct model_history *history =
        &model->collections[step->collection].documents[step->document];
    *ret_items = history->items;
    return count_until(history, version);
}

struct model_schema model_schema_at(const struct model *model, unsigned collection,
                                    uint64_t version)
{
    const struct model_collection *known = &model->collections[collection];
    for (size_t i = known->schema_count; i-- > 0;) {
        if (known->schemas[i].version <= version) {
            return known->schemas[i];
        }
    }
    return (struct model_schema){0};
}

bool model_index_serves(const struct model *model, unsigned collection, uint64_t version)
{
    const struct model_collection *known = &model->collections[collection];
    for (size_t i = known->schema_count; i-- > 0 && known->schemas[i].version >= version;) {
        if (known->schemas[i].index != MODEL_INDEX_ready) {
            return false;
        }
    }
    return model_schema_at(model, collection, version).index == MODEL_INDEX_ready;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t model_next_change(const struct model *model, unsigned collection, unsigned document,
                           uint64_t after)
{
    const struct model_history *history = &model->collections[collection].documents[document];
    size_t count = count_until(history, after);
    return count == history->count ? UINT64_MAX : history->items[count].version;
}

uint64_t model_next_wide_change(const struct model *model, unsigned collection, uint64_t after)
{
    const struct model_collection *known = &model->collections[collection];
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < known->schema_count; i++) {
        if (known->schemas[i].version > after) {
            next = lower(next, known->schemas[i].version);
        }
    }
    for (unsigned i = 0; i < DOCUMENT_COUNT_MAX; i++) {
        next = lower(next, model_next_change(model, collection, i, after));
    }
    return next;
}

unsigned model_session(struct model *model, struct bytes name)
{
    for (unsigned i = model->session_count; i-- > 0;) {
        if (bytes_equal(bytes_from_text(model->sessions[i].name), name)) {
            return i;
        }
    }
    ASSERT(model->session_count < MODEL_SESSIONS_MAX && name.size <= SESSION_NAME_SIZE_MAX);
    struct model_session *session = &model->sessions[model->session_count];
    *session = (struct model_session){0};
    memcpy(session->name, name.data, name.size);
    return model->session_count++;
}

const struct model_outcome *model_outcome(const struct model *model, unsigned session,
                                          uint64_t sequence)
{
    const struct model_session *known = &model->sessions[session];
    if (sequence >= known->capacity || !known->outcomes[sequence].is_known) {
        return NULL;
    }
    return &known->outcomes[sequence];
}

uint64_t model_position_of(const struct model *model, uint64_t version)
{
    if (version == 0) {
        return 0;
    }
    uint64_t low = 1;
    uint64_t high = model->applied;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (ledger_committed(model->ledger, middle)->version >= version) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return high;
}
