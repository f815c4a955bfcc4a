/*
 * Random documents, conditions, orders and indexes: a find gives what a walk over all documents
 * gives, whichever index it uses, in both directions; and its pages, one after another and whatever
 * is written meanwhile, are the whole.
 */
#include "base/random.h"
#include "base/text.h"
#include "storage/find.h"
#include "tests/unit/fixture_find.h"
#include "tests/unit/fixture_value.h"
#include "wire/document/path.h"
#include "wire/document/predicate.h"
#include "wire/key.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { DOCUMENTS_MAX = 80, ROUNDS = 150, FINDS = 25 };

static struct shelf shelf;
static struct random dice;

static void setup(void)
{
    shelf_init(&shelf);
    random_init(&dice, 11);
}

static void teardown(void)
{
    shelf_release(&shelf);
}

TestSuite(find_random, .init = setup, .fini = teardown);

// Few values of each type, so that equal ones are common; numbers in different encodings.
static void print_value(struct buffer *out)
{
    int number = (int)random_below(&dice, 7) - 3;
    switch (random_below(&dice, 12)) {
    case 0: text_append(out, "null"); break;
    case 1: text_append(out, random_chance(&dice, 500000) ? "true" : "false"); break;
    case 2: text_append(out, "%d.5", number); break;
    case 3: text_append(out, "%d.0", number); break;
    case 4: text_append(out, "%lld", number * 1000000007LL); break;
    case 5: text_append(out, "\"%.*s\"", (int)random_below(&dice, 4), "aab"); break;
    case 6: text_append(out, "\"b\\u0000%d\"", number); break;
    case 7: text_append(out, "[%d, \"x\"]", number); break;
    case 8: text_append(out, "{\"a\": %d}", number); break;
    case 9: text_append(out, "{\"$time\": \"2024-01-01T00:00:0%dZ\"}", number + 3); break;
    case 10: text_append(out, "{\"$bin\": \"AA%cA\"}", 'A' + number + 3); break;
    default: text_append(out, "%d", number); break;
    }
}

static const char *any_field(void)
{
    static const char *const FIELDS[] = {"a", "b", "c", "c.a"};
    return FIELDS[random_below(&dice, 4)];
}

static void put_random(void)
{
    AUTO(buffer_release) struct buffer json = {0};
    const char *gap = "";
    text_append(&json, "{");
    for (char name = 'a'; name <= 'c'; name++) {
        if (random_chance(&dice, 800000)) {
            text_append(&json, "%s\"%c\": ", gap, name);
            print_value(&json);
            gap = ", ";
        }
    }
    text_append(&json, "}");
    buffer_append_u8(&json, 0);
    char id[16];
    unsigned number = (unsigned)random_below(&dice, DOCUMENTS_MAX);
    snprintf(id, sizeof id, number % 3 == 0 ? "i:%u" : "%u", number);
    if (random_chance(&dice, 200000)) {
        shelf_delete(&shelf, id);
    } else {
        shelf_put(&shelf, id, (const char *)json.data);
    }
}

static void print_bound(struct buffer *out)
{
    static const char *const NAMES[] = {"$eq", "$ne", "$lt", "$lte", "$gt", "$gte"};
    text_append(out, "\"%s\": ", NAMES[random_below(&dice, 6)]);
    print_value(out);
}

static void print_condition(struct buffer *out)
{
    text_append(out, "\"%s\": ", any_field());
    switch (random_below(&dice, 6)) {
    case 0: print_value(out); return;
    case 1: text_append(out, "{\"$prefix\": \"%.*s\"}", (int)random_below(&dice, 3), "aa"); return;
    case 2:
        text_append(out, "{\"$gte\": ");
        print_value(out);
        text_append(out, ", \"$lt\": ");
        print_value(out);
        text_append(out, "}");
        return;
    case 3:
        text_append(out, "{\"$in\": [");
        print_value(out);
        text_append(out, ", ");
        print_value(out);
        text_append(out, "]}");
        return;
    default:
        text_append(out, "{");
        print_bound(out);
        text_append(out, "}");
        return;
    }
}

static void print_where(struct buffer *out)
{
    bool is_plain = random_chance(&dice, 600000);
    const char *word = random_chance(&dice, 500000) ? "$and" : "$or";
    if (is_plain) {
        text_append(out, "{");
        print_condition(out);
        text_append(out, "}");
    } else {
        text_append(out, "{\"%s\": [{", word);
        print_condition(out);
        text_append(out, "}, {");
        print_condition(out);
        text_append(out, "}]}");
    }
    buffer_append_u8(out, 0);
}

// A row of the walk.
struct row {
    char id[24];
    struct buffer key; // of the value ordered by, then of the id
    size_t value_size; // of the first of them
};

struct walk {
    struct row rows[DOCUMENTS_MAX * 2];
    size_t count;
};

static void walk_release(struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        buffer_release(&walk->rows[i].key);
    }
}

static void add_row(struct walk *walk, struct bytes id, struct bytes document, const char *path)
{
    struct row *row = &walk->rows[walk->count++];
    AUTO(buffer_release) struct buffer packed = {0};
    AUTO(buffer_release) struct buffer text = {0};
    struct bytes rest = id;
    struct document_id document_id;
    cr_assert_eq(document_id_take_key(&rest, &packed), STATUS_ok);
    struct cursor cursor = cursor_of(buffer_bytes(&packed));
    cr_assert_eq(document_id_take(&cursor, &document_id), STATUS_ok);
    document_id_print(&document_id, &text);
    *row = (struct row){0};
    memcpy(row->id, text.data, text.size);
    struct bytes value;
    if (path != NULL && path_find(document, bytes_from_text(path), &value)) {
        cursor = cursor_of(value);
        cr_assert_eq(key_append_value(&row->key, &cursor), STATUS_ok);
    } else if (path != NULL) {
        key_append_type_begin(&row->key, VALUE_NIL);
    }
    row->value_size = row->key.size;
    buffer_append(&row->key, id);
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *first = a;
    const struct row *second = b;
    return bytes_compare(buffer_bytes(&first->key), buffer_bytes(&second->key));
}

// All documents for which `where` holds, in order.
static void walk_all(struct walk *walk, struct bytes where, const char *path)
{
    AUTO(buffer_release) struct buffer from = {0};
    AUTO(buffer_release) struct buffer to = {0};
    cell_key_collection_kind(&from, CELL_DOCUMENT, shelf.record.id);
    cell_key_collection_kind(&to, CELL_DOCUMENT, shelf.record.id + 1);
    struct view_scan *scan;
    struct bytes key;
    struct bytes value;
    cr_assert_eq(view_scan_new(&shelf.view, buffer_bytes(&from), buffer_bytes(&to), false, &scan),
                 STATUS_ok);
    while (view_scan_next(scan, &key, &value)) {
        struct stored_document stored;
        struct bytes id;
        cr_assert_eq(stored_document_decode(value, &stored), STATUS_ok);
        cr_assert_eq(cell_key_document_id(key, &id), STATUS_ok);
        if (predicate_holds(where, stored.document)) {
            add_row(walk, id, stored.document, path);
        }
    }
    cr_assert_eq(view_scan_destroy(&scan), STATUS_ok);
    qsort(walk->rows, walk->count, sizeof walk->rows[0], compare_rows);
}

static const struct row *row_of(const struct walk *walk, const char *id, size_t size)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (strlen(walk->rows[i].id) == size && memcmp(walk->rows[i].id, id, size) == 0) {
            return &walk->rows[i];
        }
    }
    cr_assert_fail("%.*s should not be found", (int)size, id);
    return NULL;
}

// The rows found are all of the walk, each once, and their values are in order. Equal values may
// come in any order.
static void expect_walked(const struct shelf_found *found, const struct walk *walk, bool is_ordered,
                          bool is_backwards)
{
    cr_assert_eq(found->count, walk->count, "%zu instead of %zu", found->count, walk->count);
    const char *at = (const char *)found->ids.data;
    bool seen[DOCUMENTS_MAX * 2] = {false};
    for (size_t i = 0; i < found->count; i++) {
        const char *end = (const char *)found->ids.data + found->ids.size;
        const char *gap = memchr(at, ' ', (size_t)(end - at));
        size_t size = (size_t)((gap == NULL ? end : gap) - at);
        const struct row *row = row_of(walk, at, size);
        const struct row *wanted = &walk->rows[is_backwards ? walk->count - 1 - i : i];
        cr_assert_not(seen[row - walk->rows], "%s came twice", row->id);
        seen[row - walk->rows] = true;
        cr_assert(!is_ordered || (row->value_size == wanted->value_size &&
                                  memcmp(row->key.data, wanted->key.data, row->value_size) == 0),
                  "%s came where %s belongs", row->id, wanted->id);
        at += size + 1;
    }
}

// What a find wants, owned.
struct wanted {
    struct buffer where; // JSON with a NUL
    char order[8];
    bool is_ordered;
    bool is_backwards;
    const char *index;
};

static void wanted_release(struct wanted *wanted)
{
    buffer_release(&wanted->where);
}

static struct wanted random_wanted(void)
{
    static const char *const INDEXES[] = {"a", "ab", "cab", "c.a", "ua", NULL, NULL, NULL};
    struct wanted wanted = {
        .is_ordered = random_chance(&dice, 700000),
        .is_backwards = random_chance(&dice, 500000),
        .index = INDEXES[random_below(&dice, 8)],
    };
    print_where(&wanted.where);
    wanted.is_backwards = wanted.is_backwards && wanted.is_ordered;
    if (wanted.is_ordered) {
        snprintf(wanted.order, sizeof wanted.order, "%s%s", wanted.is_backwards ? "-" : "",
                 random_chance(&dice, 200000) ? "$id" : any_field());
    }
    return wanted;
}

static struct shelf_find find_of(const struct wanted *wanted)
{
    return (struct shelf_find){
        .where = (const char *)wanted->where.data,
        .order = wanted->is_ordered ? wanted->order : NULL,
        .index = wanted->index,
        .rows_max = DOCUMENTS_MAX * 2,
    };
}

static void walk_wanted(struct walk *walk, const struct wanted *wanted)
{
    AUTO(buffer_release) struct buffer where = {0};
    canonical_from_json((const char *)wanted->where.data, &where);
    const char *path = wanted->is_ordered ? wanted->order + wanted->is_backwards : NULL;
    bool is_by_field = path != NULL && path[0] != '$';
    walk_all(walk, buffer_bytes(&where), is_by_field ? path : NULL);
}

static void compare_once(void)
{
    AUTO(wanted_release) struct wanted wanted = random_wanted();
    AUTO(walk_release) struct walk walk = {0};
    walk_wanted(&walk, &wanted);
    struct shelf_find find = find_of(&wanted);
    AUTO(shelf_found_release) struct shelf_found found = shelf_find(&shelf, &find);
    cr_assert_eq(found.status, STATUS_ok, "%s", found.sentence);
    cr_assert_not(found.has_more);
    expect_walked(&found, &walk, wanted.is_ordered, wanted.is_backwards);
}

static void add_indexes(void)
{
    shelf_index(&shelf, "a", "a", false);
    shelf_index(&shelf, "ab", "a,b", false);
    shelf_index(&shelf, "cab", "c,a,b", false);
    shelf_index(&shelf, "c.a", "c.a", false);
    shelf_index(&shelf, "ua", "none,a", true); // of no document are all fields there
}

static void change_some(void)
{
    for (uint64_t i = random_below(&dice, 30); i > 0; i--) {
        put_random();
    }
    if (random_chance(&dice, 500000)) {
        shelf_settle(&shelf);
    }
}

Test(find_random, gives_what_a_walk_over_all_documents_gives, .timeout = 60)
{
    add_indexes();
    for (int round = 0; round < ROUNDS; round++) {
        change_some();
        for (int i = 0; i < FINDS; i++) {
            compare_once();
        }
    }
}

// Goes through the pages of a find, gathering all rows in `ret_all`, while others write.
static void gather_pages(const struct shelf_find *find, struct shelf_found *ret_all)
{
    AUTO(buffer_release) struct buffer position = {0};
    bool has_more = true;
    while (has_more) {
        struct shelf_find page = *find;
        page.rows_max = random_between(&dice, 1, 20);
        page.after = buffer_bytes(&position);
        AUTO(shelf_found_release) struct shelf_found found = shelf_find(&shelf, &page);
        cr_assert_eq(found.status, STATUS_ok, "%s", found.sentence);
        cr_assert(found.count == page.rows_max || !found.has_more);
        buffer_append(&ret_all->ids,
                      bytes_from_text(ret_all->count > 0 && found.count > 0 ? " " : ""));
        buffer_append(&ret_all->ids, buffer_bytes(&found.ids));
        ret_all->count += found.count;
        has_more = found.has_more;
        buffer_clear(&position);
        buffer_append(&position, buffer_bytes(&found.position));
        change_some();
    }
}

static void page_once(void)
{
    AUTO(wanted_release) struct wanted wanted = random_wanted();
    AUTO(walk_release) struct walk walk = {0};
    AUTO(shelf_found_release) struct shelf_found all = {0};
    struct state_snapshot *snapshot;
    shelf_settle(&shelf);
    cr_assert_eq(state_snapshot_new(shelf.state, &snapshot), STATUS_ok);
    struct view newest = shelf.view;
    struct view marked = {.state = shelf.state, .snapshot = snapshot};
    struct shelf_find find = find_of(&wanted);
    shelf.view = marked;
    walk_wanted(&walk, &wanted);
    gather_pages(&find, &all);
    expect_walked(&all, &walk, wanted.is_ordered, wanted.is_backwards);
    shelf.view = newest;
    state_snapshot_destroy(shelf.state, &snapshot);
}

Test(find_random, pages_at_a_snapshot_are_the_whole_whatever_is_written_meanwhile, .timeout = 60)
{
    add_indexes();
    for (int round = 0; round < ROUNDS * 2; round++) {
        change_some();
        page_once();
    }
}

// Goes on from a position that was changed a little, or made of nothing.
static void damage_once(void)
{
    AUTO(wanted_release) struct wanted wanted = random_wanted();
    AUTO(walk_release) struct walk walk = {0};
    AUTO(buffer_release) struct buffer position = {0};
    walk_wanted(&walk, &wanted);
    struct shelf_find find = find_of(&wanted);
    find.rows_max = random_between(&dice, 1, 10);
    AUTO(shelf_found_release) struct shelf_found first = shelf_find(&shelf, &find);
    buffer_append(&position, buffer_bytes(&first.position));
    bytes_damage(&dice, &position);
    find.rows_max = DOCUMENTS_MAX * 2;
    find.after = buffer_bytes(&position);
    AUTO(shelf_found_release) struct shelf_found found = shelf_find(&shelf, &find);
    cr_assert(found.status == STATUS_ok || found.status == STATUS_bad_request);
    cr_assert_leq(found.count, walk.count);
}

Test(find_random, positions_that_are_damaged_are_refused_or_lead_into_the_find, .timeout = 60)
{
    add_indexes();
    for (int round = 0; round < ROUNDS * 20; round++) {
        if (round % 20 == 0) {
            change_some();
        }
        damage_once();
    }
}
