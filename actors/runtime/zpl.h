/*
 * Reading a ZPL file (rfc.zeromq.org/spec:4/ZPL), with the line of every item, which zconfig does
 * not keep.
 */
#ifndef SKEIN_ACTORS_RUNTIME_ZPL_H
#define SKEIN_ACTORS_RUNTIME_ZPL_H

#include "actors/runtime/mistakes.h"
#include "base/status.h"

enum { ZPL_FILE_SIZE_MAX = 1024 * 1024, ZPL_LINE_SIZE_MAX = 1000, ZPL_PATH_SIZE_MAX = 512 };

// One `name = value` of the file, or the name of a section.
struct zpl_item {
    const char *path;   // names from the top, "storage/s1/role"
    const char *value;  // empty for a section
    struct place place; // where it stands
};

// Whoever takes the items.
struct zpl_reader {
    void (*take)(void *context, const struct zpl_item *item); // everything borrowed for the call
    void *context;
};

// Hands over every item of a text, in order; `source` is its name in mistakes. Fails with
// bad_request, and hands over nothing, when a line of it is no ZPL; every such line is in
// `mistakes`.
MUST_CHECK enum status zpl_read_text(const char *source, const char *text,
                                     const struct zpl_reader *reader, struct mistakes *mistakes);

// The same for a file; one that can't be read is a mistake, too.
MUST_CHECK enum status zpl_read(const char *file, const struct zpl_reader *reader,
                                struct mistakes *mistakes);

#endif
