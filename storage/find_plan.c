/*
 * Plans. An index serves a find by the fields it begins with:
 *
 *   fields      state      town       age            where {"state": "new", "town": {"$gte": "K"}}
 *               equal      range      -
 *   key         ──────────┬──────────┬────────┬────  order "town"
 *               fixed     │ from..to │ any    │ id
 *
 * 1. First come fields that `where` says are equal to a value, then at most one that it bounds. All
 *    keys wanted are then one range. `where` is looked at again for every document, so a range may
 *    hold more than is wanted, but never less.
 * 2. The scan of an index is in the order of the field behind those that are equal, and trivially
 *    in that of an equal one; if all are equal, in the order of ids.
 * 3. The best index has a unique key that is known, else most equal fields, else the tighter range,
 *    else the wanted order, else the fewest fields. One that has nothing of all that is worse than
 *    the documents themselves: a document found through an index costs as much as several met in
 *    their own order.
 * 4. Nothing but the collection's record and the operation decides, so every page of a find at one
 *    version has the same plan.
 */
#include "storage/find_plan.h"

#include "wire/document/path.h"
#include "wire/document/predicate.h"
#include "wire/document/sentence.h"
#include "wire/key.h"

// What an index can do for a find.
struct fitness {
    size_t equal;    // fields at its front that equal a value
    unsigned bounds; // ends of the range of the field behind them: 0 to 2
    bool is_unique;  // no more than one document can have the values
    bool is_ordered; // its scan is in the wanted order
};

void find_plan_release(struct find_plan *plan)
{
    buffer_release(&plan->from);
    buffer_release(&plan->to);
}

static enum status read_order(struct bytes order, struct find_order *ret_order,
                              char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    *ret_order = (struct find_order){.is_wanted = order.size > 0};
    struct bytes path = order;
    if (path.size > 0 && path.data[0] == '-') {
        ret_order->is_backwards = true;
        path = bytes_of(path.data + 1, path.size - 1);
    }
    ret_order->is_by_id = bytes_equal(path, bytes_from_text("$id"));
    ret_order->path = path;
    if (order.size > 0 && !ret_order->is_by_id && !path_is_valid(path)) {
        return sentence_fail(ret_sentence, STATUS_bad_request,
                             "orders by \"%s\", which is no path of a field; \"$id\" is the id",
                             quote_of(path).text);
    }
    return STATUS_ok;
}

// Ends of a range that `where` gives for a field that isn't equal to a value.
static unsigned count_bounds(const struct predicate_bounds *bounds)
{
    return bounds->has_prefix ? 2 : (unsigned)bounds->has_low + (unsigned)bounds->has_high;
}

static bool scan_is_ordered(const struct index_record *index, const struct find_order *order,
                            size_t equal)
{
    if (!order->is_wanted || order->is_by_id) {
        return !order->is_wanted || equal == index->field_count;
    }
    size_t count = equal < index->field_count ? equal + 1 : equal;
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(index->fields[i], order->path)) {
            return true;
        }
    }
    return false;
}

static struct fitness judge(const struct index_record *index, const struct find_order *order,
                            struct bytes where)
{
    struct fitness fitness = {0};
    for (size_t i = 0; i < index->field_count; i++) {
        struct predicate_bounds bounds;
        predicate_bounds(where, index->fields[i], &bounds);
        if (!bounds.is_equal) {
            fitness.bounds = count_bounds(&bounds);
            break;
        }
        fitness.equal++;
    }
    fitness.is_unique = index->is_unique && fitness.equal == index->field_count;
    fitness.is_ordered = scan_is_ordered(index, order, fitness.equal);
    return fitness;
}

// One number out of what counts, the most important at its front.
static unsigned weigh(const struct fitness *fitness, const struct find_order *order)
{
    bool helps_order = order->is_wanted && fitness->is_ordered;
    return (unsigned)fitness->is_unique << 16 | (unsigned)fitness->equal << 8 |
           fitness->bounds << 4 | (unsigned)helps_order;
}

static enum status use_named(const struct collection_record *collection, struct bytes name,
                             struct find_plan *plan, char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    const struct index_record *index = collection_record_index(collection, name);
    if (index == NULL || index->state != INDEX_READY) {
        const char *why = index == NULL                    ? "doesn't exist"
                          : index->state == INDEX_BUILDING ? "is still being built"
                                                           : "could not be built";
        return sentence_fail(ret_sentence, STATUS_absent, "names the index \"%s\", which %s",
                             quote_of(name).text, why);
    }
    plan->index = index;
    return STATUS_ok;
}

static void choose(const struct collection_record *collection, struct bytes where,
                   struct find_plan *plan)
{
    bool has_order_by_id = plan->order.is_wanted && plan->order.is_by_id;
    unsigned best = has_order_by_id ? 1 : 0;
    for (size_t i = 0; i < collection->index_count; i++) {
        const struct index_record *index = &collection->indexes[i];
        if (index->state != INDEX_READY) {
            continue;
        }
        struct fitness fitness = judge(index, &plan->order, where);
        unsigned weight = weigh(&fitness, &plan->order);
        bool is_slimmer = plan->index != NULL && index->field_count < plan->index->field_count;
        if (weight > best || (weight == best && is_slimmer)) {
            best = weight;
            plan->index = index;
        }
    }
}

// Appends the key of a whole value.
static enum status append_value(struct buffer *key, struct bytes value)
{
    struct cursor cursor = cursor_of(value);
    return key_append_value(key, &cursor);
}

static enum value_kind kind_of(struct bytes value)
{
    struct cursor cursor = cursor_of(value);
    enum value_kind kind = VALUE_NIL;
    return cursor_peek(&cursor, &kind) == STATUS_ok ? kind : VALUE_NIL;
}

// Predicates compare values in the order of their keys (wire/value_order.h).
static enum status append_low(struct buffer *key, const struct predicate_bounds *bounds)
{
    if (bounds->has_low) {
        TRY(append_value(key, bounds->low));
        if (!bounds->includes_low) {
            key_append_end(key);
        }
    } else if (bounds->has_high) {
        key_append_type_begin(key, kind_of(bounds->high));
    }
    return STATUS_ok;
}

static enum status append_high(struct buffer *key, const struct predicate_bounds *bounds)
{
    if (bounds->has_high) {
        TRY(append_value(key, bounds->high));
        if (bounds->includes_high) {
            key_append_end(key);
        }
    } else if (bounds->has_low) {
        key_append_type_end(key, kind_of(bounds->low));
    } else {
        key_append_end(key);
    }
    return STATUS_ok;
}

// Replaces one end of a range by another one that leaves less.
static void tighten(struct buffer *key, const struct buffer *other, bool is_low)
{
    int order = bytes_compare(buffer_bytes(other), buffer_bytes(key));
    if (is_low ? order > 0 : order < 0) {
        buffer_clear(key);
        buffer_append(key, buffer_bytes(other));
    }
}

// Bounds the range, both ends of which are what the equal fields are, by another field.
static enum status add_bounds(struct find_plan *plan, const struct predicate_bounds *bounds)
{
    AUTO(buffer_release) struct buffer beginning = {0};
    buffer_append(&beginning, buffer_bytes(&plan->from));
    TRY(append_low(&plan->from, bounds));
    TRY(append_high(&plan->to, bounds));
    if (bounds->has_prefix) {
        key_append_text_beginning(&beginning, bounds->prefix);
        tighten(&plan->from, &beginning, true);
        key_append_end(&beginning);
        tighten(&plan->to, &beginning, false);
    }
    return STATUS_ok;
}

static enum status set_index_range(struct find_plan *plan, struct bytes where)
{
    cell_key_index(&plan->from, plan->index->id);
    plan->head_size = plan->from.size;
    struct predicate_bounds bounds = {0};
    for (size_t i = 0; i < plan->index->field_count; i++) {
        predicate_bounds(where, plan->index->fields[i], &bounds);
        if (!bounds.is_equal) {
            break;
        }
        TRY(append_value(&plan->from, bounds.low));
        bounds = (struct predicate_bounds){0};
    }
    plan->is_bounded = plan->from.size > plan->head_size || count_bounds(&bounds) > 0;
    buffer_append(&plan->to, buffer_bytes(&plan->from));
    return add_bounds(plan, &bounds);
}

static void set_document_range(struct find_plan *plan, uint32_t collection)
{
    cell_key_collection_kind(&plan->from, CELL_DOCUMENT, collection);
    plan->head_size = plan->from.size;
    buffer_append(&plan->to, buffer_bytes(&plan->from));
    key_append_end(&plan->to);
}

static void set_direction(struct find_plan *plan, struct bytes where)
{
    bool is_ordered = !plan->order.is_wanted || plan->order.is_by_id;
    if (plan->index != NULL) {
        is_ordered = judge(plan->index, &plan->order, where).is_ordered;
    }
    plan->is_sorted = !is_ordered;
    plan->is_backwards = is_ordered && plan->order.is_backwards;
}

enum status find_plan_make(const struct collection_record *collection,
                           const struct operation *operation, struct find_plan *ret_plan,
                           char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    *ret_plan = (struct find_plan){0};
    TRY(read_order(operation->order, &ret_plan->order, ret_sentence));
    if (operation->index.size > 0) {
        TRY(use_named(collection, operation->index, ret_plan, ret_sentence));
    } else {
        choose(collection, operation->where, ret_plan);
    }
    set_direction(ret_plan, operation->where);
    if (ret_plan->index == NULL) {
        set_document_range(ret_plan, collection->id);
        return STATUS_ok;
    }
    enum status status = set_index_range(ret_plan, operation->where);
    return status == STATUS_ok ? status
                               : sentence_fail(ret_sentence, status,
                                               "has a condition with a value that has no key");
}
