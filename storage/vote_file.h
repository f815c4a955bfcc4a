/*
 * The vote file: the promise of a voter and what else must never be forgotten (rules 2, 19). Two
 * copies, "vote/a" and "vote/b", each with format, counter and CRC32C, written and synced one after
 * the other, so that one of them is whole at every moment. The content is an encoded vote_record
 * message, opaque here.
 */
#ifndef SKEIN_STORAGE_VOTE_FILE_H
#define SKEIN_STORAGE_VOTE_FILE_H

#include "base/buffer.h"
#include "base/status.h"
#include "storage/disk.h"

enum { VOTE_CONTENT_SIZE_MAX = 2048 };

struct vote_file; // open copies, counter

// Opens both copies and appends the content of the newest whole one to `ret_content`. absent: the
// directory was never prepared. damaged: copies exist and none is whole, or the two were written
// with the same counter and differ. A missing or torn copy is repaired from the other at once;
// read_only: there is no space for a missing one. version_mismatch: another format.
MUST_CHECK enum status vote_file_open(struct disk *disk, struct vote_file **ret_file,
                                      struct buffer *ret_content);

// Makes a vote file with this content of at most VOTE_CONTENT_SIZE_MAX bytes; exists when there is
// one already; read_only when there is no space for it. After a crash in it there is none, or a
// whole one.
MUST_CHECK enum status vote_file_create(struct disk *disk, struct bytes content,
                                        struct vote_file **ret_file);

// Replaces the content durably, with at most VOTE_CONTENT_SIZE_MAX bytes. The space for it was
// reserved when the file was made, so it works on a full disk, too. internal: stop the process.
MUST_CHECK enum status vote_file_write(struct vote_file *file, struct bytes content);

void vote_file_destroy(struct vote_file **take_file);

#endif
