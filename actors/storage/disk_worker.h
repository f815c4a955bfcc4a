/*
 * The disk of a storage process: runs a node machine's disk requests over the disk port, one after
 * another (rule 7). Synchronous; the daemons run it on the journal thread, the simulator in line.
 *
 * The node's directory:
 *   vote/a, vote/b   the vote file; its record names the current generation
 *   journal/3/       the journal of generation 3
 *   state/3/         the state of generation 3, its owner is the shell
 */
#ifndef SKEIN_ACTORS_STORAGE_DISK_WORKER_H
#define SKEIN_ACTORS_STORAGE_DISK_WORKER_H

#include "cluster/machine.h"
#include "storage/disk.h"
#include "storage/journal.h"
#include "storage/state.h"

struct disk_worker;

// Prepares a directory: makes the vote file with this encoded vote_record. exists when it was
// prepared before; read_only; internal.
MUST_CHECK enum status disk_worker_format(struct disk *disk, struct bytes vote_record);

// Opens what the vote record names and removes what is left of other generations. `disk` is
// borrowed. absent: the directory was never prepared; damaged: the vote file is (a damaged journal
// opens, see disk_worker_journal); read_only: no space for the first segment; wrong_cluster,
// version_mismatch, bad_request (the vote record can't be read) or internal.
MUST_CHECK enum status disk_worker_open(struct disk *disk, uint64_t segment_size,
                                        struct disk_worker **ret_worker);
void disk_worker_destroy(struct disk_worker **take_worker);

// What was found, for struct node_boot; the worker's own, borrowed until the next request.
struct bytes disk_worker_vote_record(const struct disk_worker *worker);
uint64_t disk_worker_generation(const struct disk_worker *worker);
const struct journal *disk_worker_journal(const struct disk_worker *worker);

// The state that FLUSH makes durable, and the one received that an INSTALL of its generation makes
// durable. Borrowed; NULL for none.
void disk_worker_set_state(struct disk_worker *worker, struct state *state);
void disk_worker_set_received(struct disk_worker *worker, struct state *state);

// Runs requests in order and tells how each ended. Appends that follow each other share one sync.
// Bytes in the results are the worker's until the next call.
//
// read_only (APPEND, RESET, INSTALL): no space; nothing was done. An append that does not continue
// the journal because one before it was refused is refused, too; a reset that was refused is done
// before the next append. READ: absent when the position is not held, damaged. Requests after an
// INSTALL get unavailable: the process opens its directory anew. internal: see
// disk_worker_has_failed().
void disk_worker_run(struct disk_worker *worker, const struct disk_request *requests, size_t count,
                     struct disk_done *results);

// A write or sync has failed: the process must stop without telling anybody a result of that run or
// a later one (rule 21). Every further request is refused with internal.
bool disk_worker_has_failed(const struct disk_worker *worker);

// Runs a FLUSH on `state` on whatever thread; not while an INSTALL runs.
void disk_worker_flush(struct state *state, const struct disk_request *request,
                       struct disk_done *ret_done);

// One bounded step of preparing the next segment, while there is nothing else to do. Returns true
// while there is more of it.
bool disk_worker_prepare(struct disk_worker *worker);

#endif
