/*
 * The digest of what a find returned: of the ids and versions of its documents, in order. A client
 * sends it with `unchanged`, the primary makes it again.
 */
#ifndef SKEIN_WIRE_DOCUMENT_FIND_DIGEST_H
#define SKEIN_WIRE_DOCUMENT_FIND_DIGEST_H

#include "wire/document/id.h"

// Of no documents.
uint64_t find_digest_empty(void);

// Of the documents before and this one.
uint64_t find_digest_add(uint64_t digest, const struct document_id *id, uint64_t document_version);

#endif
