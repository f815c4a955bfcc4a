/*
 * The model reads the effects of committed entries, change by change in the order in which the
 * primary made them. A document tells the version that wrote it. A removal doesn't, and neither
 * does a change of a collection's record; but every transaction that gets a version changes a
 * document or a record, and the workload's deletions, and what it asks about collections, are alone
 * in their transactions. So such a change has the version behind the change before it. Exceptions:
 * all documents that expire in an entry have one, and so has an index that is complete, or can't
 * be, together with them; and a collection that is made for an index has that of the index.
 *
 * Session records in the effects say which sequences ran: an outcome that changes, and a sequence
 * that runs twice, is a violation (rule 29). A record repeats outcomes that are known already.
 *
 * What must hold of documents whatever clients ask is checked here: a unique index that serves has
 * no number twice, and nothing expires before its time.
 */
#include "base/assert.h"
#include "storage/cells.h"
#include "storage/effects.h"
#include "storage/session_record.h"
#include "tests/sim/model.h"
#include "wire/cursor.h"
#include "wire/key.h"

#include <stdlib.h>

// An entry being taken in.
struct taking {
    struct model *model;
    const struct entry *entry;
    uint64_t version;              // of the change at hand, or of the last one before
    bool has_expired;              // a document in this entry has
    struct model_collection *made; // the last change has made this one; NULL: it was another change
};

// The change at hand is by a transaction that doesn't say its version.
static void count_transaction(struct taking *taking)
{
    taking->version++;
    if (taking->version > taking->entry->version) {
        world_violate(taking->model->world, "entry %llu holds more changes than transactions",
                      (unsigned long long)taking->entry->position);
    }
}

static struct model_document *add_version(struct model_history *history)
{
    if (history->count == history->capacity) {
        history->capacity = history->capacity == 0 ? 64 : 2 * history->capacity;
        history->items = reallocarray(history->items, history->capacity, sizeof *history->items);
        ASSERT(history->items != NULL);
    }
    return &history->items[history->count++];
}

static const struct model_schema *last_schema(const struct model_collection *collection)
{
    static const struct model_schema none = {0};
    return collection->schema_count == 0 ? &none
                                         : &collection->schemas[collection->schema_count - 1];
}

static const struct model_document *last_version(const struct model_history *history)
{
    return history->count == 0 ? NULL : &history->items[history->count - 1];
}

// All documents are gone at this version.
static void remove_documents(struct taking *taking, struct model_collection *collection)
{
    for (unsigned i = 0; i < DOCUMENT_COUNT_MAX; i++) {
        struct model_history *history = &collection->documents[i];
        const struct model_document *last = last_version(history);
        if (last != NULL && last->is_present) {
            *add_version(history) = (struct model_document){.version = taking->version};
        }
    }
}

// The collection, and its index, as a record says.
static struct model_schema read_schema(const struct collection_record *record)
{
    static const enum model_index states[] = {[INDEX_BUILDING] = MODEL_INDEX_building,
                                              [INDEX_READY] = MODEL_INDEX_ready,
                                              [INDEX_FAILED] = MODEL_INDEX_failed};
    struct model_schema schema = {.is_there = true};
    if (record->index_count > 0) {
        schema.index = states[record->indexes[0].state];
        schema.is_unique = record->indexes[0].is_unique;
    }
    return schema;
}

static void check_unique(struct taking *taking, unsigned collection, unsigned document)
{
    const struct model_collection *known = &taking->model->collections[collection];
    const struct model_schema *schema = last_schema(known);
    const struct model_document *mine = last_version(&known->documents[document]);
    if (!schema->is_unique || schema->index != MODEL_INDEX_ready || mine == NULL ||
        !mine->is_present) {
        return;
    }
    for (unsigned i = 0; i < DOCUMENT_COUNT_MAX; i++) {
        const struct model_document *other = last_version(&known->documents[i]);
        if (i != document && other != NULL && other->is_present && other->number == mine->number) {
            world_violate(taking->model->world,
                          "c%u/d%u and c%u/d%u both have the number %lld at version %llu",
                          collection, document, collection, i, (long long)mine->number,
                          (unsigned long long)taking->version);
        }
    }
}

static void take_schema(struct taking *taking, unsigned number, struct model_schema schema)
{
    struct model_collection *collection = &taking->model->collections[number];
    const struct model_schema *last = last_schema(collection);
    bool is_progress = last->is_there && schema.is_there && last->index != MODEL_INDEX_none &&
                       schema.index != MODEL_INDEX_none;
    bool is_shared = is_progress ? taking->has_expired : taking->made == collection;
    if (!is_shared) {
        count_transaction(taking);
    }
    taking->made = last->is_there ? NULL : collection;
    if (collection->schema_count == collection->schema_capacity) {
        collection->schema_capacity = 2 * collection->schema_capacity + 8;
        collection->schemas = reallocarray(collection->schemas, collection->schema_capacity,
                                           sizeof *collection->schemas);
        ASSERT(collection->schemas != NULL);
    }
    if (is_progress && schema.index == MODEL_INDEX_failed) {
        coverage_take(&taking->model->world->coverage, BRANCH_failed_index);
    }
    schema.version = taking->version;
    collection->schemas[collection->schema_count++] = schema;
    world_trace(taking->model->world, "log: c%u at %llu: %s, index %u", number,
                (unsigned long long)schema.version, schema.is_there ? "is" : "dropped",
                schema.index);
    for (unsigned i = 0; i < DOCUMENT_COUNT_MAX && schema.is_unique; i++) {
        check_unique(taking, number, i);
    }
}

static void take_collection(struct taking *taking, struct bytes key, const struct bytes *value)
{
    AUTO(buffer_release) struct buffer name = {0};
    unsigned number;
    if (cell_key_name(key, &name) != STATUS_ok ||
        !answer_read_name(buffer_bytes(&name), 'c', COLLECTION_COUNT, &number)) {
        return;
    }
    struct model_collection *collection = &taking->model->collections[number];
    if (value == NULL) {
        collection->id = 0;
        take_schema(taking, number, (struct model_schema){0});
        remove_documents(taking, collection);
        return;
    }
    AUTO(collection_record_release) struct collection_record record = {0};
    if (collection_record_decode(*value, &record) != STATUS_ok) {
        world_violate(taking->model->world, "entry %llu holds a collection that can't be read",
                      (unsigned long long)taking->entry->position);
        return;
    }
    collection->id = record.id;
    take_schema(taking, number, read_schema(&record));
}

// Which document of the workload a cell is; false if it is none.
static bool read_document_key(const struct model *model, struct bytes key, unsigned *ret_collection,
                              unsigned *ret_document)
{
    struct bytes rest = bytes_of(key.data + 1, key.size - 1);
    AUTO(buffer_release) struct buffer id = {0};
    uint32_t collection_id;
    if (key_take_u32(&rest, &collection_id) != STATUS_ok ||
        document_id_take_key(&rest, &id) != STATUS_ok) {
        return false;
    }
    struct cursor cursor = cursor_of(buffer_bytes(&id));
    struct bytes text;
    if (cursor_text(&cursor, &text) != STATUS_ok ||
        !answer_read_name(text, 'd', DOCUMENT_COUNT_MAX, ret_document)) {
        return false;
    }
    for (unsigned i = 0; i < COLLECTION_COUNT; i++) {
        if (model->collections[i].id == collection_id) {
            *ret_collection = i;
            return true;
        }
    }
    return false;
}

// A document that was written.
static void take_written(struct taking *taking, struct bytes value, struct model_document *taken)
{
    struct stored_document stored;
    uint64_t before = taking->version;
    bool is_sound = stored_document_decode(value, &stored) == STATUS_ok &&
                    answer_read_document(stored.document, &taken->number, &taken->token);
    taken->is_present = true;
    taken->version = is_sound ? stored.version : 0;
    taken->time_us = is_sound ? stored.time_us : 0;
    if (taken->version < before || taken->version > before + 1 ||
        taken->version > taking->entry->version) {
        world_violate(taking->model->world, "entry %llu holds a document that nobody wrote so",
                      (unsigned long long)taking->entry->position);
    }
    taking->version = taken->version;
}

// A document that was removed: by a transaction, or because it has expired.
static void take_removed(struct taking *taking, unsigned collection,
                         const struct model_document *before, struct model_document *taken)
{
    bool expires = collection == COLLECTION_FADING;
    if (!expires || !taking->has_expired) {
        count_transaction(taking);
    }
    if (expires && (before == NULL ||
                    taking->entry->time_us < before->time_us + FADING_TTL_S * UINT64_C(1000000))) {
        world_violate(taking->model->world, "a document of c%u expired before its time",
                      collection);
    }
    taking->has_expired = taking->has_expired || expires;
    taken->version = taking->version;
    taken->time_us = taking->entry->time_us;
}

static void take_document(struct taking *taking, struct bytes key, const struct bytes *value)
{
    struct model *model = taking->model;
    unsigned collection;
    unsigned document;
    struct model_document taken = {0};
    if (!read_document_key(model, key, &collection, &document)) {
        return;
    }
    struct model_history *history = &model->collections[collection].documents[document];
    taking->made = NULL;
    if (value != NULL) {
        take_written(taking, *value, &taken);
    } else {
        take_removed(taking, collection, last_version(history), &taken);
    }
    world_trace(model->world, "log: c%u/d%u at %llu: %s %lld", collection, document,
                (unsigned long long)taken.version, taken.is_present ? "is" : "removed, was",
                (long long)taken.number);
    *add_version(history) = taken;
    check_unique(taking, collection, document);
}

static struct model_outcome *outcome_slot(struct model_session *session, uint64_t sequence)
{
    if (sequence >= session->capacity) {
        size_t capacity = session->capacity == 0 ? 256 : session->capacity;
        while (capacity <= sequence) {
            capacity *= 2;
        }
        session->outcomes = reallocarray(session->outcomes, capacity, sizeof *session->outcomes);
        ASSERT(session->outcomes != NULL);
        memset(session->outcomes + session->capacity, 0,
               (capacity - session->capacity) * sizeof *session->outcomes);
        session->capacity = capacity;
    }
    return &session->outcomes[sequence];
}

static void take_outcome(struct taking *taking, struct model_session *session,
                         const struct session_outcome *outcome)
{
    const struct entry *entry = taking->entry;
    struct world *world = taking->model->world;
    struct model_outcome *known = outcome_slot(session, outcome->sequence);
    if (known->is_known) {
        if (known->is_claimed != outcome->claimed ||
            (!outcome->claimed && known->version != outcome->version)) {
            world_violate(world, "transaction %llu of session %s has two outcomes",
                          (unsigned long long)outcome->sequence, session->name);
        }
        return;
    }
    bool is_new = outcome->claimed || (outcome->version <= entry->version &&
                                       outcome->version > entry->version - entry->transactions);
    if (!is_new) {
        world_violate(world, "transaction %llu of session %s is said to have run before it did",
                      (unsigned long long)outcome->sequence, session->name);
    }
    if (outcome->claimed) {
        coverage_take(&world->coverage, BRANCH_claimed);
    }
    *known = (struct model_outcome){.is_known = true,
                                    .is_claimed = outcome->claimed,
                                    .version = outcome->version,
                                    .position = entry->position};
}

static void take_session(struct taking *taking, struct bytes key, struct bytes value)
{
    struct model *model = taking->model;
    AUTO(buffer_release) struct buffer name = {0};
    if (cell_key_name(key, &name) != STATUS_ok ||
        session_record_decode(value, &model->record) != STATUS_ok) {
        world_violate(model->world, "entry %llu holds a session record that can't be read",
                      (unsigned long long)taking->entry->position);
        return;
    }
    unsigned number = model_session(model, buffer_bytes(&name));
    for (uint32_t i = 0; i < model->record.count; i++) {
        take_outcome(taking, &model->sessions[number], &model->record.outcomes[i]);
    }
}

static void take_job(struct taking *taking, struct bytes key)
{
    struct bytes rest = bytes_of(key.data + 1, key.size - 1);
    uint64_t number;
    if (key_take_u64(&rest, &number) != STATUS_ok) {
        return;
    }
    struct model_job *job = &taking->model->jobs[number % MODEL_JOBS_MAX];
    if (job->number == number && job->epoch != taking->entry->epoch) {
        coverage_take(&taking->model->world->coverage, BRANCH_resumed_job);
    }
    *job = (struct model_job){.number = number, .epoch = taking->entry->epoch};
}

static void take_entry(struct model *model, const struct entry *entry)
{
    state_batch_clear(&model->batch);
    if (effects_decode(entry->payload, &model->batch) != STATUS_ok) {
        world_violate(model->world, "the effects of entry %llu can't be read",
                      (unsigned long long)entry->position);
        return;
    }
    struct taking taking = {
        .model = model, .entry = entry, .version = entry->version - entry->transactions};
    size_t offset = 0;
    struct bytes key;
    struct bytes value;
    bool is_removed;
    while (state_batch_next(&model->batch, &offset, &key, &value, &is_removed)) {
        const struct bytes *put = is_removed ? NULL : &value;
        switch (key.data[0]) {
        case CELL_COLLECTION: take_collection(&taking, key, put); break;
        case CELL_DOCUMENT: take_document(&taking, key, put); break;
        case CELL_SESSION: take_session(&taking, key, value); break;
        case CELL_JOB: take_job(&taking, key); break;
        default: break;
        }
    }
}

void model_update(struct model *model)
{
    while (model->applied < model->ledger->committed_count) {
        model->applied++;
        const struct entry *entry = ledger_committed(model->ledger, model->applied);
        if (entry->kind == ENTRY_BATCH) {
            take_entry(model, entry);
        }
    }
}
