/*
 * Predicates, and documents that they hold for or not. $not, $and and $or of a predicate say what
 * they should, and the bounds of a field are never narrower than the predicate.
 */
#include "tests/fuzz/fuzz.h"

#include "wire/document/path.h"
#include "wire/document/predicate.h"
#include "wire/pack.h"
#include "wire/value_order.h"

// {"$not": where}, {"$and": [where]}, {"$or": [where, where]}
static void wrap(const char *word, uint32_t elements, struct bytes where, struct buffer *out)
{
    pack_map(out, 1);
    pack_text_literal(out, word);
    if (elements > 0) {
        pack_array(out, elements);
    }
    for (uint32_t i = 0; i < (elements > 0 ? elements : 1); i++) {
        buffer_append(out, where);
    }
}

// What the wrapped predicate says; it may be too deep or look up too many fields: then `otherwise`.
static bool holds_wrapped(const struct buffer *where, struct bytes document, bool otherwise)
{
    char sentence[ERROR_MESSAGE_SIZE_MAX];
    enum status status = predicate_check(buffer_bytes(where), sentence);
    if (status != STATUS_ok) {
        ASSERT(status == STATUS_too_deep || status == STATUS_too_large);
        return otherwise;
    }
    return predicate_holds(buffer_bytes(where), document);
}

static void check_wrapped(struct bytes where, struct bytes document, bool holds)
{
    AUTO(buffer_release) struct buffer negated = {0};
    AUTO(buffer_release) struct buffer all = {0};
    AUTO(buffer_release) struct buffer any = {0};
    wrap("$not", 0, where, &negated);
    ASSERT(holds_wrapped(&negated, document, !holds) == !holds);
    wrap("$and", 1, where, &all);
    ASSERT(holds_wrapped(&all, document, holds) == holds);
    wrap("$or", 2, where, &any);
    ASSERT(holds_wrapped(&any, document, holds) == holds);
}

static bool is_within(const struct predicate_bounds *bounds, struct bytes value)
{
    if (bounds->is_equal && value_compare(value, bounds->low) != 0) {
        return false;
    }
    if (bounds->has_low) {
        int order = value_compare(value, bounds->low);
        if (order < 0 || (order == 0 && !bounds->includes_low) ||
            value_type_of(value) != value_type_of(bounds->low)) {
            return false;
        }
    }
    if (bounds->has_high) {
        int order = value_compare(value, bounds->high);
        if (order > 0 || (order == 0 && !bounds->includes_high) ||
            value_type_of(value) != value_type_of(bounds->high)) {
            return false;
        }
    }
    struct cursor cursor = cursor_of(value);
    struct bytes text;
    return !bounds->has_prefix ||
           (cursor_text(&cursor, &text) == STATUS_ok && bytes_starts_with(text, bounds->prefix));
}

// Every field named at the top of the predicate has a value within its bounds, if it holds.
static void check_bounds(struct bytes where, struct bytes document, bool holds)
{
    struct cursor cursor = cursor_of(where);
    uint32_t count;
    ASSERT(cursor_map(&cursor, &count) == STATUS_ok);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes path;
        struct bytes value;
        struct predicate_bounds bounds;
        ASSERT(cursor_text(&cursor, &path) == STATUS_ok);
        ASSERT(cursor_skip(&cursor, NULL) == STATUS_ok);
        if (!path_is_valid(path)) {
            continue;
        }
        predicate_bounds(where, path, &bounds);
        bool knows = bounds.is_equal || bounds.has_low || bounds.has_high || bounds.has_prefix;
        if (holds && knows) {
            ASSERT(path_find(document, path, &value) && is_within(&bounds, value));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer where = {0};
    AUTO(buffer_release) struct buffer document = {0};
    char sentence[ERROR_MESSAGE_SIZE_MAX] = "";
    struct bytes input = bytes_of(data, size);
    if (!fuzz_take_document(&input, &where)) {
        ASSERT(predicate_check(bytes_of(data, size), sentence) != STATUS_ok);
        return 0;
    }
    enum status status = predicate_check(buffer_bytes(&where), sentence);
    if (status != STATUS_ok) {
        ASSERT(fuzz_is_sentence(sentence));
        return 0;
    }
    while (input.size > 0 && fuzz_take_document(&input, &document)) {
        AUTO(fuzz_copy_release) struct fuzz_copy copy = fuzz_copy_of(buffer_bytes(&where));
        struct bytes predicate = fuzz_copy_bytes(&copy);
        bool holds = predicate_holds(predicate, buffer_bytes(&document));
        check_wrapped(predicate, buffer_bytes(&document), holds);
        check_bounds(predicate, buffer_bytes(&document), holds);
        buffer_clear(&document);
    }
    return 0;
}
