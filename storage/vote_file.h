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

struct vote_file; // open copies, counter

// Opens both copies and appends the content of the newest whole one to `ret_content`. absent: the
// directory was never prepared. damaged: copies exist and none is whole, or the two were written
// with the same counter and differ. A missing or torn copy is repaired from the other at once.
MUST_CHECK enum status vote_file_open(struct disk *disk, struct vote_file **ret_file,
                                      struct buffer *ret_content);

// Makes a vote file with this content; exists when there is one already.
MUST_CHECK enum status vote_file_create(struct disk *disk, struct bytes content,
                                        struct vote_file **ret_file);

// Replaces the content durably. The space for it was reserved when the file was made, so it works
// on a full disk, too. internal: stop the process.
MUST_CHECK enum status vote_file_write(struct vote_file *file, struct bytes content);

void vote_file_destroy(struct vote_file **take_file);

#endif
