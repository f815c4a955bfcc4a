/*
 * Settings of a collection, a map whose fields may all be left out:
 *
 *   ttl       seconds after a document's last write when it expires, or the path of a field that
 *             holds a timestamp, when it does
 *   history   seconds that superseded documents are kept
 *   check     an array of predicates that every document must satisfy
 */
#ifndef SKEIN_WIRE_DOCUMENT_SETTINGS_H
#define SKEIN_WIRE_DOCUMENT_SETTINGS_H

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

// Bytes are borrowed from the map.
struct collection_settings {
    uint32_t ttl_s;         // 0: none, or a field
    struct bytes ttl_field; // path; of no bytes: none, or seconds
    uint32_t history_s;     // 0: none
    struct bytes check;     // array of 1 to CHECK_COUNT_MAX checked predicates; or of no bytes
};

// Takes settings apart, a map that is to be in canonical form. Fails with bad_request, type,
// too_deep or too_large (more than CHECK_COUNT_MAX predicates, or SETTINGS_SIZE_MAX bytes), with a
// sentence's end in `ret_sentence`: "has the unknown setting \"tll\"".
MUST_CHECK enum status collection_settings_take(struct bytes settings,
                                                struct collection_settings *ret_settings,
                                                char ret_sentence[ERROR_MESSAGE_SIZE_MAX]);

#endif
