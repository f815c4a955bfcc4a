/*
 * A patch is applied in one walk through the document. Its pairs are put in the order in which the
 * walk meets their fields; what lies between them is copied as it is, so that the outcome of a
 * canonical document and a canonical patch is canonical.
 *
 *   patch_map, patch_array  a container and the changes inside of it, name by name
 *   patch_field             one field and its changes: the one that ends there does its action,
 *                           others go on into the value, or into a map that is made for them
 *
 * 1. A run is the changes whose paths begin with the same names. No path is the beginning of
 *    another, so a run in which a path ends has no other change.
 * 2. Changes are in the order of their paths name by name, which is that of the bytes but for the
 *    dot, which comes before everything else. Inside an array the runs are put in the order of
 *    elements, where 2 comes before 10.
 * 3. A value that holds no such field is left alone by what wouldn't make one, and otherwise the
 *    patch fails: nothing but a missing field is ever replaced on the way to another.
 * 4. Nothing is allocated for up to FEW_CHANGES pairs.
 */
#include "wire/document/patch.h"

#include "base/assert.h"
#include "wire/document/container.h"
#include "wire/document/patch_action.h"
#include "wire/document/path.h"
#include "wire/document/sentence.h"
#include "wire/document/walk.h"
#include "wire/pack.h"
#include "wire/value_order.h"

#include <stdlib.h>

enum { FEW_CHANGES = 16 };

// The pairs of a patch, in the order of their paths.
struct changes {
    struct patch_action few[FEW_CHANGES]; // room for most patches
    struct patch_action *many;            // owned; room for a larger one, else NULL
    struct patch_action *all;             // one of both
    size_t count;
};

// Neighbours among the changes; their paths agree up to `offset`, where a name begins.
struct run {
    struct patch_action *first;
    size_t count;
    size_t offset; // one past the end of the path if it ends with the name before
};

static enum status patch_map(struct run run, struct bytes map, const struct patch_scene *scene);

static void changes_release(struct changes *changes)
{
    free(changes->many);
}

static struct bytes path_from(struct bytes path, size_t offset)
{
    return bytes_of(path.data + offset, path.size - offset);
}

// Order of paths name by name; what both begin with is `offset` long.
static int compare_paths(struct bytes a, struct bytes b, size_t offset)
{
    size_t shared = a.size < b.size ? a.size : b.size;
    size_t at = offset;
    while (at < shared && a.data[at] == b.data[at]) {
        at++;
    }
    if (at == shared) {
        return (a.size > b.size) - (a.size < b.size);
    }
    // Names hold no NUL, so that a dot in its place comes before every other byte.
    int byte_a = a.data[at] == '.' ? 0 : a.data[at];
    int byte_b = b.data[at] == '.' ? 0 : b.data[at];
    return byte_a - byte_b;
}

static int compare_changes(const void *a, const void *b, void *unused)
{
    (void)unused;
    const struct patch_action *change_a = a;
    const struct patch_action *change_b = b;
    return compare_paths(change_a->path, change_b->path, 0);
}

static struct bytes name_at(const struct patch_action *change, size_t offset)
{
    struct bytes rest = path_from(change->path, offset);
    return path_take_name(&rest);
}

// Order of the elements of an array: of two numbers without leading zeros the shorter is smaller.
static int compare_elements(const void *a, const void *b, void *offset)
{
    const struct patch_action *change_a = a;
    const struct patch_action *change_b = b;
    size_t *at = offset;
    size_t size_a = name_at(change_a, *at).size;
    size_t size_b = name_at(change_b, *at).size;
    if (size_a != size_b) {
        return size_a < size_b ? -1 : 1;
    }
    return compare_paths(change_a->path, change_b->path, *at);
}

// Most patches come in order, and sorting is the one thing here that may allocate.
static void sort_changes(struct run *run, int (*compare)(const void *, const void *, void *))
{
    for (size_t i = 1; i < run->count; i++) {
        if (compare(&run->first[i - 1], &run->first[i], &run->offset) > 0) {
            qsort_r(run->first, run->count, sizeof *run->first, compare, &run->offset);
            return;
        }
    }
}

static enum status read_changes(struct cursor *cursor, struct patch_action *changes, size_t count,
                                char *ret_sentence)
{
    for (size_t i = 0; i < count; i++) {
        struct bytes path = walk_text(cursor);
        struct bytes operand = walk_value(cursor);
        if (!path_is_valid(path)) {
            bool is_operator = path.size > 0 && path.data[0] == '$';
            return sentence_fail(ret_sentence, STATUS_bad_request,
                                 is_operator ? "has the operator \"%s\" without a field"
                                             : "has \"%s\" in the place of a field's path",
                                 quote_of(path).text);
        }
        TRY(patch_action_read(path, operand, &changes[i], ret_sentence));
    }
    return STATUS_ok;
}

// Reads a canonical patch into `changes`, which were empty. The caller releases them, on failure,
// too.
static enum status take_changes(struct changes *changes, struct bytes patch, char *ret_sentence)
{
    struct cursor cursor = cursor_of(patch);
    changes->all = changes->few;
    changes->count = walk_map(&cursor);
    if (changes->count > FEW_CHANGES) {
        changes->many = reallocarray(NULL, changes->count, sizeof *changes->many);
        ASSERT(changes->many != NULL);
        changes->all = changes->many;
    }
    struct run run = {.first = changes->all, .count = changes->count};
    TRY(read_changes(&cursor, run.first, run.count, ret_sentence));
    sort_changes(&run, compare_changes);
    return STATUS_ok;
}

// In their order, a path stands right before the first that goes on from it.
static enum status check_apart(const struct changes *changes, char *ret_sentence)
{
    for (size_t i = 1; i < changes->count; i++) {
        struct bytes before = changes->all[i - 1].path;
        struct bytes path = changes->all[i].path;
        if (bytes_starts_with(path, before) && path.data[before.size] == '.') {
            return sentence_fail(ret_sentence, STATUS_bad_request,
                                 "changes both \"%s\" and \"%s\", one inside of the other",
                                 quote_of(before).text, quote_of(path).text);
        }
    }
    return STATUS_ok;
}

enum status patch_check(struct bytes patch, char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    TRY(sentence_check_canonical(patch, ret_sentence));
    AUTO(changes_release) struct changes changes = {0};
    TRY(take_changes(&changes, patch, ret_sentence));
    return check_apart(&changes, ret_sentence);
}

// Takes the changes of the first field off a run; ret_name is that field's.
static struct run take_field(struct run *run, struct bytes *ret_name)
{
    struct bytes name = name_at(run->first, run->offset);
    size_t count = 1;
    while (count < run->count && bytes_equal(name_at(&run->first[count], run->offset), name)) {
        count++;
    }
    struct run taken = {.first = run->first, .count = count, .offset = run->offset + name.size + 1};
    run->first += count;
    run->count -= count;
    *ret_name = name;
    return taken;
}

// Fails for a change that would have to make a field inside of `value`, which can't hold it.
static enum status check_makes_none(struct run run, struct bytes value,
                                    const struct patch_scene *scene)
{
    for (size_t i = 0; i < run.count; i++) {
        if (!patch_action_makes_field(&run.first[i])) {
            continue;
        }
        struct bytes path = run.first[i].path;
        if (value_type_of(value) == VALUE_TYPE_ARRAY) {
            return sentence_fail(scene->sentence, STATUS_type,
                                 "changes \"%s\", an element which that array doesn't have",
                                 quote_of(path).text);
        }
        struct bytes holder = bytes_of(path.data, run.offset - 1);
        return sentence_fail(
            scene->sentence, STATUS_type, "changes \"%s\" inside of \"%s\", which is of type %s",
            quote_of(path).text, quote_of(holder).text, value_type_name(value_type_of(value)));
    }
    return STATUS_ok;
}

static bool makes_fields(struct run run)
{
    for (size_t i = 0; i < run.count; i++) {
        if (patch_action_makes_field(&run.first[i])) {
            return true;
        }
    }
    return false;
}

// Copies elements up to the one that is number `element`, the next being number `at`.
static void copy_elements(struct cursor *cursor, uint32_t at, uint32_t element, struct buffer *out)
{
    const uint8_t *begin = cursor->next;
    for (uint32_t i = at; i < element; i++) {
        walk_value(cursor);
    }
    buffer_append(out, bytes_of(begin, (size_t)(cursor->next - begin)));
}

static enum status patch_field(struct run run, struct bytes old, const struct patch_scene *scene,
                               bool *ret_is_there);

static enum status patch_array(struct run run, struct bytes array, const struct patch_scene *scene)
{
    struct cursor cursor = cursor_of(array);
    uint32_t count = walk_array(&cursor);
    uint32_t at = 0;
    uint32_t written = count;
    struct container container = container_open(scene->out, false, count);
    sort_changes(&run, compare_elements);
    while (run.count > 0) {
        struct bytes name;
        uint32_t element;
        struct run changes = take_field(&run, &name);
        if (!path_name_is_element(name, &element) || element >= count) {
            TRY(check_makes_none(changes, array, scene));
            continue;
        }
        copy_elements(&cursor, at, element, scene->out);
        bool is_there;
        TRY(patch_field(changes, walk_value(&cursor), scene, &is_there));
        written -= !is_there;
        at = element + 1;
    }
    buffer_append(scene->out, cursor_rest(&cursor));
    container_close(&container, scene->out, written);
    return STATUS_ok;
}

static enum status patch_inside(struct run run, struct bytes old, const struct patch_scene *scene)
{
    switch (value_type_of(old)) {
    case VALUE_TYPE_MAP: return patch_map(run, old, scene);
    case VALUE_TYPE_ARRAY: return patch_array(run, old, scene);
    default: break;
    }
    TRY(check_makes_none(run, old, scene));
    buffer_append(scene->out, old);
    return STATUS_ok;
}

// Appends the new value of a field whose value was `old`, of no bytes if there was none;
// ret_is_there is false, and nothing appended, if there is none now.
static enum status patch_field(struct run run, struct bytes old, const struct patch_scene *scene,
                               bool *ret_is_there)
{
    bool ends_here = run.first->path.size < run.offset;
    if (ends_here) {
        return patch_action_apply(run.first, old, scene, ret_is_there);
    }
    static const uint8_t empty_map[] = {0x80};
    bool is_there = old.size > 0 || makes_fields(run);
    if (is_there) {
        struct bytes holder = old.size > 0 ? old : bytes_of(empty_map, sizeof empty_map);
        TRY(patch_inside(run, holder, scene));
    }
    *ret_is_there = is_there;
    return STATUS_ok;
}

// Copies the pairs before `name`, and takes its value if there is one, else no bytes. `left` are
// the pairs of the map that the cursor has not passed.
static struct bytes copy_pairs(struct cursor *cursor, uint32_t *left, struct bytes name,
                               struct buffer *out)
{
    const uint8_t *begin = cursor->next;
    const uint8_t *end = begin;
    struct bytes value = {0};
    while (*left > 0) {
        struct cursor ahead = *cursor;
        int order = bytes_compare(walk_text(&ahead), name);
        if (order > 0) {
            break;
        }
        struct bytes next = walk_value(&ahead);
        *cursor = ahead;
        *left -= 1;
        if (order == 0) {
            value = next;
            break;
        }
        end = cursor->next;
    }
    buffer_append(out, bytes_of(begin, (size_t)(end - begin)));
    return value;
}

static enum status patch_map(struct run run, struct bytes map, const struct patch_scene *scene)
{
    struct cursor cursor = cursor_of(map);
    uint32_t left = walk_map(&cursor);
    uint32_t written = left;
    struct container container = container_open(scene->out, true, left);
    while (run.count > 0) {
        struct bytes name;
        struct run changes = take_field(&run, &name);
        struct bytes old = copy_pairs(&cursor, &left, name, scene->out);
        size_t begin = scene->out->size;
        bool is_there;
        pack_text(scene->out, name);
        TRY(patch_field(changes, old, scene, &is_there));
        if (!is_there) {
            buffer_truncate(scene->out, begin);
        }
        written = written + is_there - (old.size > 0);
    }
    buffer_append(scene->out, cursor_rest(&cursor));
    container_close(&container, scene->out, written);
    return STATUS_ok;
}

static enum status patch_document(struct bytes patch, struct bytes document,
                                  const struct patch_scene *scene)
{
    AUTO(changes_release) struct changes changes = {0};
    size_t begin = scene->out->size;
    TRY(take_changes(&changes, patch, scene->sentence));
    TRY(patch_map((struct run){.first = changes.all, .count = changes.count}, document, scene));
    if (scene->out->size - begin > DOCUMENT_SIZE_MAX) {
        return sentence_fail(scene->sentence, STATUS_too_large,
                             "would make the document larger than %d MiB", DOCUMENT_SIZE_MAX / MIB);
    }
    return STATUS_ok;
}

enum status patch_apply(struct bytes patch, struct bytes document, uint64_t time_us,
                        struct buffer *out, char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    size_t size = out->size;
    struct patch_scene scene = {.out = out, .time_us = time_us};
    scene.sentence = ret_sentence;
    enum status status = patch_document(patch, document, &scene);
    if (status != STATUS_ok) {
        buffer_truncate(out, size);
    }
    return status;
}
