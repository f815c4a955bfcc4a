/*
 * What the parser and the writer of operations have in common: names of fields, sentences about
 * mistakes, and the pairs that both walk.
 *
 * There are few fields and their sizes differ, so looking one up is a walk over all of them.
 */
#include "wire/document/operation_fields.h"

#include "base/assert.h"
#include "wire/document/sentence.h"

#include <stdarg.h>
#include <stdio.h>

static const struct bytes FIELDS[FIELD_COUNT] = {
#define FIELD_NAME(name) {(const uint8_t *)#name, sizeof #name - 1},
    FIELD_LIST(FIELD_NAME)
#undef FIELD_NAME
};

struct bytes operation_field_name(enum field field)
{
    ASSERT(field < FIELD_COUNT);
    return FIELDS[field];
}

enum field operation_field_from_name(struct bytes name)
{
    unsigned field = 0;
    while (field < FIELD_COUNT && !bytes_equal(FIELDS[field], name)) {
        field++;
    }
    return (enum field)field;
}

enum status operation_fail(struct operation_fault *fault, uint32_t number, enum status status,
                           const char *format, ...)
{
    size_t size = sizeof fault->sentence;
    int begin = number == 0 ? snprintf(fault->sentence, size, "the list of operations ")
                            : snprintf(fault->sentence, size, "operation %u ", number - 1);
    ASSERT(begin > 0 && (size_t)begin < size);
    va_list arguments;
    va_start(arguments, format);
    sentence_format(fault->sentence, (size_t)begin, format, arguments);
    va_end(arguments);
    fault->operation = number;
    return status;
}

enum status operation_take_pair(struct cursor *cursor, struct document_id *ret_id,
                                uint64_t *ret_version)
{
    uint32_t count;
    TRY(cursor_array(cursor, &count));
    if (count != 2) {
        return STATUS_bad_request;
    }
    TRY(document_id_take(cursor, ret_id));
    return cursor_u64(cursor, ret_version);
}
