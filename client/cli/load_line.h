/*
 * A line of a file that `skein load` takes: {"id"?, "document"}.
 */
#ifndef SKEIN_CLIENT_CLI_LOAD_LINE_H
#define SKEIN_CLIENT_CLI_LOAD_LINE_H

#include "base/buffer.h"
#include "client/cli/arguments.h"
#include "wire/document/id.h"

// Room for an id that is made of the place of a line, with its NUL.
enum { LOAD_ID_SIZE = 16 + 1 + 20 + 1 };

// What a line says; the id is borrowed from `parsed`.
struct load_line {
    bool has_id;
    struct document_id id;  // has_id
    struct buffer document; // in canonical form
    struct buffer parsed;   // the line as msgpack
};

void load_line_release(struct load_line *line);

// Whether there is nothing on the line but white space.
bool load_line_is_blank(struct bytes text);

// Reads a line, in place of the one before. Fails with the status that its document would be
// refused with, else bad_request, and says why.
MUST_CHECK enum status load_line_parse(struct load_line *line, struct bytes text,
                                       struct failure *failure);

// The digest of a file, line by line, that begins with 0.
uint64_t load_digest_add(uint64_t digest, struct bytes text);

// Makes the id of a line that has none: the same for the same line of the same file, always.
void load_line_make_id(uint64_t digest, uint64_t number, char ret_id[LOAD_ID_SIZE]);

#endif
