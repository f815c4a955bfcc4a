/*
 * Result maps; their fields are in the header. Documents are appended as they are stored.
 */
#include "storage/results.h"

#include "wire/pack.h"

enum { RESULT_SIZE_MAX = 128 }; // of a result without its document, and of the array around all

bool results_have_room(const struct buffer *results, size_t document_size)
{
    return results->size + document_size + RESULT_SIZE_MAX <= RESULTS_SIZE_MAX;
}

static void pack_absent(struct buffer *results)
{
    static const char *const FIELDS[] = {"document", "document_version", "time"};
    for (size_t i = 0; i < 3; i++) {
        pack_text_literal(results, FIELDS[i]);
        pack_nil(results);
    }
}

void results_pack_get(struct buffer *results, const struct stored_document *stored)
{
    pack_map(results, 3);
    if (stored == NULL) {
        pack_absent(results);
        return;
    }
    pack_text_literal(results, "document");
    buffer_append(results, stored->document);
    pack_text_literal(results, "document_version");
    pack_u64(results, stored->version);
    pack_text_literal(results, "time");
    pack_u64(results, stored->time_us);
}

void results_pack_insert(struct buffer *results, const struct document_id *id)
{
    pack_map(results, 1);
    pack_text_literal(results, "id");
    document_id_pack(id, results);
}

void results_pack_empty(struct buffer *results)
{
    pack_map(results, 0);
}
