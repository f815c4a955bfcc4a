/*
 * A find under way. The plan (storage/find_plan.h) says which range of cells is scanned; each cell
 * leads to a document, for which `where` has to hold:
 *
 *   scan of an index       cell ─► id ─► document ─► where ─► row
 *   scan of the documents  cell ───────► document ─► where ─► row
 *   sorted                 either of them, to the end ─► keys kept (storage/find_sort.h) ─► id ─►
 *                          document ─► row
 *
 * 1. A position is that of a row in the order of the plan:
 *
 *      +--------+-------+------------------------------------------------------------+
 *      | sorted | index | key of the cell behind what all have, or key sorted by     |
 *      +--------+-------+------------------------------------------------------------+
 *      0  u8    1  u32  5
 *
 *    It comes back from a client, so nothing is believed: another plan's is refused, and one that
 *    was made up leads to no key outside the plan's range.
 * 2. A page ends with the position of the last row that was given or that `where` doesn't hold for.
 *    Whether there are more is found out by looking for one more row, which is not passed by that.
 * 3. A row found through the index has a document, in every view: if it hasn't, the state is
 *    damaged.
 * 4. Memory is bounded by one document, and by the keys of rows_max rows if they are sorted. The
 *    key of a row to be sorted ends with the key of its id and the size of that.
 */
#include "storage/find.h"

#include "base/assert.h"
#include "base/bug.h"
#include "storage/find_plan.h"
#include "storage/find_sort.h"
#include "wire/document/path.h"
#include "wire/document/predicate.h"
#include "wire/document/sentence.h"
#include "wire/key.h"

#include <stdlib.h>

enum {
    ID_SIZE_SIZE = 2,
    EMPTY_MAP_SIZE = 1,
    PATIENCE_ROWS = 16, // looked at between two looks at the patience
};

struct find {
    struct find_request request;
    struct view view; // the one of the request, or one that spares the cache
    struct find_plan plan;
    struct view_scan *scan; // owned; NULL at its end
    struct find_sort sort;  // plan.is_sorted
    size_t sorted_next;     // number of the next of its rows
    struct buffer key;      // of the cell of the document at hand
    struct buffer value;    // of that cell, unless it is the one of the scan
    struct buffer id;       // of the document at hand, as msgpack
    struct buffer passed;   // key in the position of the last row passed; empty: none
    struct buffer given;    // the same of the row that was given last
    bool has_given;         // it isn't passed yet
    bool is_cut;            // examined_max or examined_size_max was reached
    bool is_over;           // a row was put back
    uint64_t row_count;     // given
    uint64_t examined;      // looked at
    uint64_t examined_size; // of them, and of choosing the plan
    uint32_t field_count;   // that `where` looks up in each
    enum status status;     // why it ended early
};

static enum status fail_state(char ret_sentence[ERROR_MESSAGE_SIZE_MAX], enum status status)
{
    if (status == STATUS_deadline) {
        return sentence_fail(ret_sentence, status, "takes longer than it was given");
    }
    return sentence_fail(ret_sentence, status,
                         "met a state that can't be read: %s on the storage node",
                         status_name(status));
}

static void copy(struct buffer *to, struct bytes bytes)
{
    buffer_clear(to);
    buffer_append(to, bytes);
}

// What a key of the scan has behind what all have.
static struct bytes tail_of(const struct find *find, struct bytes key)
{
    return bytes_of(key.data + find->plan.head_size, key.size - find->plan.head_size);
}

static uint32_t index_id(const struct find *find)
{
    return find->plan.index == NULL ? 0 : find->plan.index->id;
}

static void append_position(const struct find *find, struct buffer *out)
{
    if (find->passed.size > 0) {
        key_append_u8(out, find->plan.is_sorted);
        key_append_u32(out, index_id(find));
        buffer_append(out, buffer_bytes(&find->passed));
    }
}

// The rows up to the position are passed.
static enum status take_position(struct find *find)
{
    struct bytes rest = find->request.after;
    uint8_t is_sorted;
    uint32_t index;
    if (rest.size == 0) {
        return STATUS_ok;
    }
    TRY(key_take_u8(&rest, &is_sorted));
    TRY(key_take_u32(&rest, &index));
    if (is_sorted != find->plan.is_sorted || index != index_id(find) || rest.size == 0) {
        return STATUS_bad_request;
    }
    copy(&find->passed, rest);
    return STATUS_ok;
}

// Leaves the rows that are passed out of the range.
static void cut_range(struct find *find)
{
    struct find_plan *plan = &find->plan;
    if (plan->is_sorted || find->passed.size == 0) {
        return;
    }
    buffer_clear(&find->key);
    buffer_append(&find->key, bytes_of(plan->from.data, plan->head_size));
    buffer_append(&find->key, buffer_bytes(&find->passed));
    struct bytes key = buffer_bytes(&find->key);
    if (plan->is_backwards) {
        if (bytes_compare(key, buffer_bytes(&plan->to)) < 0) {
            copy(&plan->to, key);
        }
    } else if (bytes_compare(key, buffer_bytes(&plan->from)) >= 0) {
        copy(&plan->from, key);
        key_append_u8(&plan->from, 0); // the very next key
    }
}

// A scan through everything for the few that `where` holds for, or that come first, shall not push
// out of the cache what others need.
static bool scan_is_long(const struct find *find)
{
    bool has_where = find->request.operation->where.size > EMPTY_MAP_SIZE;
    bool takes_all = !has_where && !find->plan.is_sorted;
    return !find->plan.is_bounded && !takes_all;
}

static enum status start_scan(struct find *find)
{
    const struct find_plan *plan = &find->plan;
    struct bytes from = buffer_bytes(&plan->from);
    struct bytes to = buffer_bytes(&plan->to);
    if (bytes_compare(from, to) >= 0) {
        return STATUS_ok;
    }
    find->view.spares_cache = scan_is_long(find);
    return view_scan_new(&find->view, from, to, plan->is_backwards, &find->scan);
}

static void end_scan(struct find *find)
{
    enum status status = view_scan_destroy(&find->scan);
    find->status = status != STATUS_ok ? status : find->status;
}

// Reads the document whose id's key is `id`.
static enum status load_document(struct find *find, struct bytes id,
                                 struct stored_document *ret_stored)
{
    buffer_clear(&find->key);
    cell_key_document_at(&find->key, find->request.collection->id, id);
    buffer_clear(&find->value);
    enum status status = view_get(&find->view, buffer_bytes(&find->key), &find->value);
    if (status != STATUS_ok) {
        return status == STATUS_absent ? STATUS_damaged : status;
    }
    return stored_document_decode(buffer_bytes(&find->value), ret_stored);
}

// Reads the document that a cell of the scan leads to; ret_id is the key of its id.
static enum status load_cell(struct find *find, struct bytes key, struct bytes value,
                             struct bytes *ret_id, struct stored_document *ret_stored)
{
    if (find->plan.index != NULL) {
        *ret_id = value;
        return load_document(find, value, ret_stored);
    }
    *ret_id = tail_of(find, key);
    return stored_document_decode(value, ret_stored);
}

// A cell of the scan for whose document `where` holds.
struct hit {
    struct bytes key; // of the cell
    struct bytes id;  // key of the document's id
    struct stored_document stored;
};

// Takes the document into account; false, and the find is cut, if it would be too much.
static bool examine(struct find *find, struct bytes document)
{
    size_t condition_size = find->request.operation->where.size;
    uint64_t size = find->examined_size +
                    examined_size(document, find->field_count, condition_size);
    find->is_cut = size > find->request.examined_size_max;
    if (find->is_cut) {
        return false;
    }
    find->examined++;
    find->examined_size = size;
    return true;
}

// Whether it is time to look at the patience, which is over.
static bool gives_up(const struct find *find)
{
    return find->examined % PATIENCE_ROWS == 0 && patience_is_over(find->request.patience);
}

// Goes on to the next hit; all is borrowed until the next call. False at the end, when examined_max
// or examined_size_max is reached, or on a failure.
static bool scan_next(struct find *find, struct hit *ret_hit)
{
    while (find->scan != NULL && !find->is_cut) {
        if (gives_up(find)) {
            find->status = STATUS_deadline;
            return false;
        }
        struct bytes value;
        if (!view_scan_next(find->scan, &ret_hit->key, &value)) {
            end_scan(find);
            return false;
        }
        find->is_cut = find->examined == find->request.examined_max;
        if (find->is_cut) {
            return false;
        }
        find->status = load_cell(find, ret_hit->key, value, &ret_hit->id, &ret_hit->stored);
        if (find->status != STATUS_ok || !examine(find, ret_hit->stored.document)) {
            return false;
        }
        if (predicate_holds(find->request.operation->where, ret_hit->stored.document)) {
            return true;
        }
        if (!find->plan.is_sorted) {
            copy(&find->passed, tail_of(find, ret_hit->key));
        }
    }
    return false;
}

// Makes the key of a row to be sorted.
static enum status make_sort_key(const struct find *find, const struct hit *hit, struct buffer *key)
{
    const struct find_order *order = &find->plan.order;
    struct bytes value;
    if (order->is_by_id) {
        // nothing comes before the id
    } else if (path_find(hit->stored.document, order->path, &value)) {
        struct cursor cursor = cursor_of(value);
        TRY(key_append_value(key, &cursor));
    } else {
        key_append_type_begin(key, VALUE_NIL);
    }
    if (key->size > INDEX_KEY_SIZE_MAX) {
        buffer_truncate(key, INDEX_KEY_SIZE_MAX);
    }
    buffer_append(key, hit->id);
    key_append_u8(key, (uint8_t)(hit->id.size >> 8));
    key_append_u8(key, (uint8_t)hit->id.size);
    return STATUS_ok;
}

// The key of the id at the end of the key of a row that was sorted.
static struct bytes id_of_sorted(struct bytes key)
{
    ASSERT(key.size > ID_SIZE_SIZE);
    const uint8_t *end = key.data + key.size - ID_SIZE_SIZE;
    size_t size = (size_t)end[0] << 8 | end[1];
    ASSERT(size <= key.size - ID_SIZE_SIZE);
    return bytes_of(end - size, size);
}

static bool is_passed(const struct find *find, const struct buffer *sort_key)
{
    int order = bytes_compare(buffer_bytes(sort_key), buffer_bytes(&find->passed));
    return find->passed.size > 0 && (find->plan.order.is_backwards ? order >= 0 : order <= 0);
}

static void sort_rows(struct find *find)
{
    const struct find_request *request = &find->request;
    uint64_t bound = request->rows_max < request->examined_max ? request->rows_max
                                                               : request->examined_max;
    bound = bound < UINT32_MAX ? bound + 1 : bound; // one more says whether there are more
    find_sort_init(&find->sort, (size_t)bound, find->plan.order.is_backwards);
    struct hit hit;
    while (scan_next(find, &hit)) {
        find->status = make_sort_key(find, &hit, &find->sort.scratch);
        if (find->status != STATUS_ok) {
            return;
        }
        if (is_passed(find, &find->sort.scratch)) {
            buffer_clear(&find->sort.scratch);
        } else {
            find_sort_add(&find->sort);
        }
    }
    find_sort_finish(&find->sort);
}

static enum status sort_all(struct find *find, char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    sort_rows(find);
    if (find->status != STATUS_ok) {
        return fail_state(ret_sentence, find->status);
    }
    if (!find->is_cut) {
        return STATUS_ok;
    }
    struct quote path = quote_of(find->plan.order.path);
    if (find->examined < find->request.examined_max) {
        return sentence_fail(ret_sentence, STATUS_too_large,
                             "would have to sort more bytes of documents than it may look at: an "
                             "index on \"%s\" would help",
                             path.text);
    }
    return sentence_fail(ret_sentence, STATUS_too_large,
                         "would have to sort more than %llu documents: an index on \"%s\" "
                         "would help",
                         (unsigned long long)find->request.examined_max, path.text);
}

// What choosing a plan costs: each index is held against the whole condition.
static uint64_t plan_size(const struct find_request *request)
{
    uint64_t size = (uint64_t)request->operation->where.size * request->collection->index_count;
    size *= EXAMINED_CONDITION_WEIGHT;
    return size > EXAMINED_SIZE_MIN ? size : 0;
}

static enum status make_plan(struct find *find, char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    find->examined_size = plan_size(&find->request);
    if (find->examined_size > find->request.examined_size_max) {
        return sentence_fail(
            ret_sentence, STATUS_too_large,
            "has a condition of %zu bytes, too long for %zu indexes to choose from",
            find->request.operation->where.size, find->request.collection->index_count);
    }
    return find_plan_make(find->request.collection, find->request.operation, &find->plan,
                          ret_sentence);
}

static enum status start(struct find *find, char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    TRY(make_plan(find, ret_sentence));
    if (take_position(find) != STATUS_ok) {
        return sentence_fail(ret_sentence, STATUS_bad_request,
                             "goes on from a position that isn't of this find");
    }
    cut_range(find);
    enum status status = start_scan(find);
    if (status != STATUS_ok) {
        return fail_state(ret_sentence, status);
    }
    return find->plan.is_sorted ? sort_all(find, ret_sentence) : STATUS_ok;
}

static void find_free(struct find *find)
{
    find_plan_release(&find->plan);
    find_sort_release(&find->sort);
    buffer_release(&find->key);
    buffer_release(&find->value);
    buffer_release(&find->id);
    buffer_release(&find->passed);
    buffer_release(&find->given);
    free(find);
}

enum status find_new(const struct find_request *request, struct find **ret_find,
                     char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    struct find *find = calloc(1, sizeof *find);
    ASSERT(find != NULL);
    find->request = *request;
    find->view = *request->view;
    find->field_count = predicate_field_count(request->operation->where);
    enum status status = start(find, ret_sentence);
    if (status != STATUS_ok) {
        end_scan(find);
        find_free(find);
        return status;
    }
    *ret_find = find;
    return STATUS_ok;
}

// Fills the row in and takes down where it is.
static bool give(struct find *find, struct bytes position, const struct hit *hit,
                 struct find_row *ret_row)
{
    struct bytes rest = hit->id;
    buffer_clear(&find->id);
    bool is_id = document_id_take_key(&rest, &find->id) == STATUS_ok && rest.size == 0;
    struct cursor cursor = cursor_of(buffer_bytes(&find->id));
    if (!is_id || document_id_take(&cursor, &ret_row->id) != STATUS_ok) {
        find->status = STATUS_damaged;
        return false;
    }
    ret_row->stored = hit->stored;
    copy(&find->given, position);
    find->has_given = true;
    return true;
}

static bool give_scanned(struct find *find, struct find_row *ret_row)
{
    struct hit hit;
    return scan_next(find, &hit) && give(find, tail_of(find, hit.key), &hit, ret_row);
}

static bool give_sorted(struct find *find, struct find_row *ret_row)
{
    if (find->sorted_next == find->sort.count) {
        return false;
    }
    struct bytes key = buffer_bytes(&find->sort.rows[find->sorted_next++]);
    struct hit hit = {.key = key, .id = id_of_sorted(key)};
    find->status = load_document(find, hit.id, &hit.stored);
    return find->status == STATUS_ok && give(find, key, &hit, ret_row);
}

// The row that was given last is passed.
static void pass_given(struct find *find)
{
    if (find->has_given) {
        struct buffer free_again = find->passed;
        find->passed = find->given;
        find->given = free_again;
        find->has_given = false;
    }
}

static bool advance(struct find *find, struct find_row *ret_row)
{
    pass_given(find);
    return find->plan.is_sorted ? give_sorted(find, ret_row) : give_scanned(find, ret_row);
}

bool find_next(struct find *find, struct find_row *ret_row)
{
    if (find->is_over || find->status != STATUS_ok || find->row_count == find->request.rows_max) {
        return false;
    }
    bool found = advance(find, ret_row);
    find->row_count += found;
    return found;
}

void find_put_back(struct find *find)
{
    ASSERT(find->has_given);
    find->has_given = false;
    find->is_over = true;
    find->row_count--;
}

bool find_has_more(struct find *find, struct buffer *ret_position)
{
    struct find_row ahead;
    if (find->status != STATUS_ok) {
        return false;
    }
    bool has_more = find->is_over || advance(find, &ahead) || find->is_cut;
    if (find->status != STATUS_ok || !has_more) {
        return false;
    }
    if (BUG(26)) {
        pass_given(find);
    }
    append_position(find, ret_position);
    return true;
}

enum status find_destroy(struct find **take_find, struct find_statistics *ret_statistics)
{
    struct find *find = *take_find;
    *take_find = NULL;
    if (find == NULL) {
        return STATUS_ok;
    }
    end_scan(find);
    enum status status = find->status;
    if (ret_statistics != NULL) {
        *ret_statistics = (struct find_statistics){
            .index = find->plan.index,
            .examined = find->examined,
            .examined_size = find->examined_size,
            .is_cut = find->is_cut,
            .is_sorted = find->plan.is_sorted,
        };
    }
    find_free(find);
    return status;
}
