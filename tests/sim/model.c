/*
 * The model reads the effects of committed entries. One entry holds the final state of each
 * document that it changes, so versions between the entry's first and last transaction are not seen
 * by anybody but the transactions themselves; what is asked for is always a version at the end of
 * an entry.
 *
 * Session records in the effects say which sequences ran: an outcome that changes, and a sequence
 * that runs twice, is a violation (rule 29). A record repeats outcomes that are known already.
 */
#include "tests/sim/model.h"

#include "base/assert.h"
#include "storage/cells.h"
#include "storage/effects.h"
#include "storage/session_record.h"
#include "wire/cursor.h"
#include "wire/key.h"

#include <stdio.h>
#include <stdlib.h>

void model_init(struct model *model, struct world *world, const struct ledger *ledger)
{
    *model = (struct model){.world = world, .ledger = ledger};
    state_batch_init(&model->batch);
    session_record_init(&model->record);
}

void model_release(struct model *model)
{
    for (unsigned i = 0; i < MODEL_COLLECTIONS_MAX * MODEL_DOCUMENTS_MAX; i++) {
        free(model->documents[i / MODEL_DOCUMENTS_MAX][i % MODEL_DOCUMENTS_MAX].items);
    }
    for (unsigned i = 0; i < model->session_count; i++) {
        free(model->sessions[i].outcomes);
    }
    state_batch_release(&model->batch);
    session_record_release(&model->record);
    *model = (struct model){0};
}

// The number in a name of the workload: a letter and digits.
static bool read_name(struct bytes name, char letter, unsigned bound, unsigned *ret_number)
{
    unsigned number = 0;
    if (name.size < 2 || name.data[0] != (uint8_t)letter) {
        return false;
    }
    for (size_t i = 1; i < name.size; i++) {
        number = number * 10 + (name.data[i] - '0');
        if (name.data[i] < '0' || name.data[i] > '9' || number >= bound) {
            return false;
        }
    }
    *ret_number = number;
    return true;
}

static void take_collection(struct model *model, struct bytes key, struct bytes value)
{
    AUTO(buffer_release) struct buffer name = {0};
    struct collection_record record;
    unsigned number;
    if (cell_key_name(key, &name) == STATUS_ok &&
        collection_record_decode(value, &record) == STATUS_ok &&
        read_name(buffer_bytes(&name), 'c', MODEL_COLLECTIONS_MAX, &number)) {
        model->collection_ids[number] = record.id;
    }
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
        !read_name(text, 'd', MODEL_DOCUMENTS_MAX, ret_document)) {
        return false;
    }
    for (unsigned i = 0; i < MODEL_COLLECTIONS_MAX; i++) {
        if (model->collection_ids[i] == collection_id) {
            *ret_collection = i;
            return true;
        }
    }
    return false;
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

// `*version` is that of the change before in the entry, and becomes that of this one.
static void take_document(struct model *model, const struct entry *entry, struct bytes key,
                          const struct bytes *value, uint64_t *version)
{
    unsigned collection;
    unsigned document;
    struct model_document taken = {.version = *version + 1, .position = entry->position};
    if (!read_document_key(model, key, &collection, &document)) {
        return;
    }
    struct stored_document stored;
    if (value != NULL) {
        bool is_sound = stored_document_decode(*value, &stored) == STATUS_ok &&
                        model_read_document(stored.document, &taken.number, &taken.token);
        taken.is_present = true;
        taken.version = is_sound ? stored.version : 0;
    }
    if (taken.version < *version || taken.version > *version + 1 ||
        taken.version > entry->version) {
        world_violate(model->world, "entry %llu holds a document that nobody wrote so",
                      (unsigned long long)entry->position);
    }
    *version = taken.version;
    world_trace(model->world, "log: c%u/d%u at %llu: %s %lld", collection, document,
                (unsigned long long)taken.version, taken.is_present ? "is" : "removed, was",
                (long long)taken.number);
    *add_version(&model->documents[collection][document]) = taken;
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

static void take_outcome(struct model *model, struct model_session *session,
                         const struct entry *entry, const struct session_outcome *outcome)
{
    struct model_outcome *known = outcome_slot(session, outcome->sequence);
    if (known->is_known) {
        if (known->is_claimed != outcome->claimed ||
            (!outcome->claimed && known->version != outcome->version)) {
            world_violate(model->world, "transaction %llu of session %s has two outcomes",
                          (unsigned long long)outcome->sequence, session->name);
        }
        return;
    }
    bool is_new = outcome->claimed || (outcome->version <= entry->version &&
                                       outcome->version > entry->version - entry->transactions);
    if (!is_new) {
        world_violate(model->world,
                      "transaction %llu of session %s is said to have run before it did",
                      (unsigned long long)outcome->sequence, session->name);
    }
    *known = (struct model_outcome){.is_known = true,
                                    .is_claimed = outcome->claimed,
                                    .version = outcome->version,
                                    .position = entry->position};
}

static void take_session(struct model *model, const struct entry *entry, struct bytes key,
                         struct bytes value)
{
    AUTO(buffer_release) struct buffer name = {0};
    if (cell_key_name(key, &name) != STATUS_ok ||
        session_record_decode(value, &model->record) != STATUS_ok) {
        world_violate(model->world, "entry %llu holds a session record that can't be read",
                      (unsigned long long)entry->position);
        return;
    }
    unsigned number = model_session(model, buffer_bytes(&name));
    for (uint32_t i = 0; i < model->record.count; i++) {
        take_outcome(model, &model->sessions[number], entry, &model->record.outcomes[i]);
    }
}

static void take_entry(struct model *model, const struct entry *entry)
{
    state_batch_clear(&model->batch);
    if (effects_decode(entry->payload, &model->batch) != STATUS_ok) {
        world_violate(model->world, "the effects of entry %llu can't be read",
                      (unsigned long long)entry->position);
        return;
    }
    uint64_t version = entry->version - entry->transactions;
    size_t offset = 0;
    struct bytes key;
    struct bytes value;
    bool is_removed;
    while (state_batch_next(&model->batch, &offset, &key, &value, &is_removed)) {
        switch (key.data[0]) {
        case CELL_COLLECTION: take_collection(model, key, value); break;
        case CELL_SESSION: take_session(model, entry, key, value); break;
        case CELL_DOCUMENT:
            take_document(model, entry, key, is_removed ? NULL : &value, &version);
            break;
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

const struct model_document *model_document_at(const struct model *model, unsigned collection,
                                               unsigned document, uint64_t version)
{
    const struct model_history *history = &model->documents[collection][document];
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
    return low == 0 ? NULL : &history->items[low - 1];
}

bool model_document_changes(const struct model *model, unsigned collection, unsigned document,
                            uint64_t after)
{
    const struct model_history *history = &model->documents[collection][document];
    return history->count > 0 && history->items[history->count - 1].version > after;
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

bool model_read_document(struct bytes document, int64_t *ret_number, uint64_t *ret_token)
{
    struct cursor cursor = cursor_of(document);
    uint32_t pairs;
    struct bytes field;
    struct value number;
    if (cursor_map(&cursor, &pairs) != STATUS_ok || pairs < 2 ||
        cursor_text(&cursor, &field) != STATUS_ok || cursor_value(&cursor, &number) != STATUS_ok ||
        cursor_text(&cursor, &field) != STATUS_ok || cursor_u64(&cursor, ret_token) != STATUS_ok) {
        return false;
    }
    *ret_number = number.kind == VALUE_NEGATIVE ? number.integer : (int64_t)number.natural;
    return number.kind == VALUE_NEGATIVE || number.kind == VALUE_UNSIGNED;
}
