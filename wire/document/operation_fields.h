/*
 * The fields of an operation, shared by the parser and the writer of operations: their names, in
 * the order of the canonical form.
 */
#ifndef SKEIN_WIRE_DOCUMENT_OPERATION_FIELDS_H
#define SKEIN_WIRE_DOCUMENT_OPERATION_FIELDS_H

#include "wire/document/operation.h"

#define FIELD_LIST(FIELD)                                                                          \
    FIELD(op)                                                                                      \
    FIELD(collection)                                                                              \
    FIELD(id)                                                                                      \
    FIELD(document)                                                                                \
    FIELD(patch)                                                                                   \
    FIELD(where)                                                                                   \
    FIELD(upsert)                                                                                  \
    FIELD(absent)                                                                                  \
    FIELD(document_version)                                                                        \
    FIELD(index)                                                                                   \
    FIELD(order)                                                                                   \
    FIELD(limit)                                                                                   \
    FIELD(ids)                                                                                     \
    FIELD(find)                                                                                    \
    FIELD(digest)                                                                                  \
    FIELD(cursor)                                                                                  \
    FIELD(explain)                                                                                 \
    FIELD(settings)                                                                                \
    FIELD(fields)                                                                                  \
    FIELD(unique)

enum field {
#define FIELD_NUMBER(name) FIELD_##name,
    FIELD_LIST(FIELD_NUMBER)
#undef FIELD_NUMBER
        FIELD_COUNT,
};

// The name of a field; it ends with a NUL behind its size. FIELD_COUNT has none.
struct bytes operation_field_name(enum field field);

// The field called `name`, FIELD_COUNT if there is none.
enum field operation_field_from_name(struct bytes name);

// Puts a sentence into the fault and hands the status back. `format` goes on from "operation N ",
// or from "the list of operations " if `number` is 0.
__attribute__((format(printf, 4, 5))) enum status operation_fail(struct operation_fault *fault,
                                                                 uint32_t number,
                                                                 enum status status,
                                                                 const char *format, ...);

// Takes one [id, document_version] of an array of ids.
MUST_CHECK enum status operation_take_pair(struct cursor *cursor, struct document_id *ret_id,
                                           uint64_t *ret_version);

#endif
