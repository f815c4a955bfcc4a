/*
 * Results are maps; fields that aren't needed here are passed over.
 */
#include "tests/sim/answers.h"

#include "wire/cursor.h"

bool seen_equal(const struct seen *a, const struct seen *b)
{
    return a->is_present == b->is_present && a->version == b->version && a->number == b->number &&
           a->token == b->token;
}

bool answer_read_document(struct bytes document, int64_t *ret_number, uint64_t *ret_token)
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

bool answer_read_name(struct bytes name, char letter, unsigned bound, unsigned *ret_number)
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

// Takes the next field of a map; `ret_value` is the whole of its value.
static bool take_field(struct cursor *cursor, struct bytes *ret_name, struct bytes *ret_value)
{
    return cursor_text(cursor, ret_name) == STATUS_ok &&
           cursor_skip(cursor, ret_value) == STATUS_ok;
}

static bool is_named(struct bytes name, const char *text)
{
    return bytes_equal(name, bytes_from_text(text));
}

// Takes a field of a get or of a row of a find; `ret_document` only if it is the id.
static bool take_document_field(struct cursor *cursor, struct seen *seen, unsigned *ret_document)
{
    struct bytes name;
    struct bytes value;
    enum value_kind kind;
    if (!take_field(cursor, &name, &value)) {
        return false;
    }
    struct cursor inner = cursor_of(value);
    if (cursor_peek(&inner, &kind) != STATUS_ok || kind == VALUE_NIL) {
        return true;
    }
    if (is_named(name, "document_version")) {
        return cursor_u64(&inner, &seen->version) == STATUS_ok;
    }
    if (is_named(name, "document")) {
        seen->is_present = answer_read_document(value, &seen->number, &seen->token);
        return seen->is_present;
    }
    if (is_named(name, "id")) {
        struct bytes id;
        return cursor_text(&inner, &id) == STATUS_ok &&
               answer_read_name(id, 'd', DOCUMENT_COUNT_MAX, ret_document);
    }
    return true;
}

static bool take_document(struct cursor *cursor, struct seen *ret_seen, unsigned *ret_document)
{
    uint32_t pairs;
    *ret_seen = (struct seen){0};
    if (cursor_map(cursor, &pairs) != STATUS_ok) {
        return false;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        if (!take_document_field(cursor, ret_seen, ret_document)) {
            return false;
        }
    }
    return true;
}

bool answer_take_get(struct cursor *cursor, struct seen *ret_seen)
{
    unsigned document = 0;
    return take_document(cursor, ret_seen, &document);
}

static bool take_rows(struct bytes value, struct seen_page *page)
{
    struct cursor cursor = cursor_of(value);
    uint32_t count;
    if (cursor_array(&cursor, &count) != STATUS_ok || count > DOCUMENT_COUNT_MAX) {
        return false;
    }
    page->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct seen_row *row = &page->rows[i];
        row->document = DOCUMENT_COUNT_MAX;
        if (!take_document(&cursor, &row->seen, &row->document) || !row->seen.is_present ||
            row->document == DOCUMENT_COUNT_MAX) {
            return false;
        }
    }
    return true;
}

bool answer_take_find(struct cursor *cursor, struct seen_page *ret_page)
{
    uint32_t pairs;
    ret_page->count = 0;
    ret_page->cursor = (struct bytes){0};
    if (cursor_map(cursor, &pairs) != STATUS_ok) {
        return false;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        struct bytes value;
        if (!take_field(cursor, &name, &value) ||
            (is_named(name, "documents") && !take_rows(value, ret_page))) {
            return false;
        }
        struct cursor inner = cursor_of(value);
        struct bytes text;
        if (is_named(name, "cursor") && cursor_text(&inner, &text) == STATUS_ok) {
            ret_page->cursor = text;
        }
    }
    return true;
}

bool answer_take_count(struct cursor *cursor, uint64_t *ret_count)
{
    uint32_t pairs;
    bool has_count = false;
    if (cursor_map(cursor, &pairs) != STATUS_ok) {
        return false;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        struct bytes value;
        if (!take_field(cursor, &name, &value)) {
            return false;
        }
        struct cursor inner = cursor_of(value);
        has_count = has_count ||
                    (is_named(name, "count") && cursor_u64(&inner, ret_count) == STATUS_ok);
    }
    return has_count;
}

static bool take_versions(struct bytes value, struct seen_history *history)
{
    struct cursor cursor = cursor_of(value);
    uint32_t count;
    unsigned document = 0;
    if (cursor_array(&cursor, &count) != STATUS_ok || count > SEEN_VERSIONS_MAX) {
        return false;
    }
    history->count = count;
    for (uint32_t i = 0; i < count; i++) {
        if (!take_document(&cursor, &history->versions[i], &document)) {
            return false;
        }
    }
    return true;
}

bool answer_take_history(struct cursor *cursor, struct seen_history *ret_history)
{
    uint32_t pairs;
    ret_history->count = 0;
    ret_history->has_more = false;
    if (cursor_map(cursor, &pairs) != STATUS_ok) {
        return false;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        struct bytes value;
        if (!take_field(cursor, &name, &value) ||
            (is_named(name, "versions") && !take_versions(value, ret_history))) {
            return false;
        }
        struct cursor inner = cursor_of(value);
        if (is_named(name, "more") && cursor_flag(&inner, &ret_history->has_more) != STATUS_ok) {
            return false;
        }
    }
    return true;
}
