/*
 * Lines are checked as the servers would: the document is brought into canonical form here, so
 * that every mistake in a file is known before anything of it is sent. What depends on the
 * collection (unique indexes, its checks) shows only when it is stored.
 *
 * Ids of lines without one are the digest of the whole file and the number of the line,
 * "92a0c7e1f00d4a55-0000000042". So a load that is repeated stores the same documents again, two
 * different files never meet, and documents are stored in the order of their ids, which is cheap.
 */
#include "client/cli/load_line.h"

#include "base/siphash.h"
#include "client/cli/value.h"
#include "wire/document/document.h"
#include "wire/json.h"

#include <inttypes.h>
#include <stdio.h>

void load_line_release(struct load_line *line)
{
    buffer_release(&line->document);
    buffer_release(&line->parsed);
    line->has_id = false;
}

bool load_line_is_blank(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (strchr(" \t\r", text.data[i]) == NULL || text.data[i] == '\0') {
            return false;
        }
    }
    return true;
}

static enum status parse_json(struct load_line *line, struct bytes text, struct failure *failure)
{
    struct json_fault fault;
    enum status status = json_to_msgpack(text, &line->parsed, &fault);
    if (status == STATUS_ok) {
        return STATUS_ok;
    }
    const char *what = strstr(fault.sentence, ": "); // its "line 1" is not that of the file
    if (fault.line == 0 || what == NULL) {
        return failure_set(failure, status, "%s", fault.sentence);
    }
    return failure_set(failure, status, "column %u: %s", fault.column, what + 2);
}

// Takes the two fields that there may be.
static enum status take_fields(struct load_line *line, struct bytes *ret_document,
                               struct failure *failure)
{
    struct cursor cursor = cursor_of(buffer_bytes(&line->parsed));
    uint32_t pairs;
    if (cursor_map(&cursor, &pairs) != STATUS_ok) {
        return failure_set(failure, STATUS_bad_request, "this is no JSON object");
    }
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        TRY(cursor_text(&cursor, &name));
        if (bytes_equal(name, bytes_from_text("id"))) {
            line->has_id = true;
            if (document_id_take(&cursor, &line->id) != STATUS_ok) {
                return failure_set(failure, STATUS_bad_request,
                                   "\"id\" is a string of 1 to %d bytes or an integer",
                                   DOCUMENT_ID_SIZE_MAX);
            }
        } else if (bytes_equal(name, bytes_from_text("document"))) {
            TRY(cursor_skip(&cursor, ret_document));
        } else {
            return failure_set(failure, STATUS_bad_request,
                               "a line has the fields \"id\" and \"document\" and no others");
        }
    }
    return STATUS_ok;
}

enum status load_line_parse(struct load_line *line, struct bytes text, struct failure *failure)
{
    struct bytes document = {0};
    const char *reason = "";
    line->has_id = false;
    buffer_clear(&line->parsed);
    buffer_clear(&line->document);
    TRY(parse_json(line, text, failure));
    TRY(take_fields(line, &document, failure));
    if (document.size == 0) {
        return failure_set(failure, STATUS_bad_request, "\"document\" is missing");
    }
    enum status status = document_canonicalize(document, &line->document, &reason);
    if (status != STATUS_ok) {
        return failure_set(failure, status, "the document %s", reason);
    }
    return STATUS_ok;
}

uint64_t load_digest_add(uint64_t digest, struct bytes text)
{
    return siphash((struct siphash_key){.low = digest, .high = text.size}, text);
}

void load_line_make_id(uint64_t digest, uint64_t number, char ret_id[LOAD_ID_SIZE])
{
    snprintf(ret_id, LOAD_ID_SIZE, "%016" PRIx64 "-%010" PRIu64, digest, number);
}
