/*
 * Jobs: work that is too much for one transaction, done by the primary chunk by chunk, each chunk
 * effects of an entry: indexes of collections that have documents are built, dropped indexes and
 * collections are cleared. How far a job has come is in its cell, so the next primary goes on where
 * the last one stopped.
 */
#ifndef SKEIN_STORAGE_JOBS_H
#define SKEIN_STORAGE_JOBS_H

#include "storage/document_write.h"

struct jobs {
    uint64_t last;              // number of the job that was worked on last
    bool has_settled;           // an index serves since the last chunk, or can't be
    struct state_batch changes; // owned; what the chunk at hand changes
    struct buffer key;          // owned; key of the job's cell
    struct buffer cell;         // owned; its value
    struct buffer next;         // owned; where the job goes on
    struct buffer entry;        // owned; key of the change at hand
    struct buffer value;        // owned; its value
};

void jobs_init(struct jobs *jobs);
void jobs_release(struct jobs *jobs);

// Whether there is a job. Fails as states do.
MUST_CHECK enum status jobs_exist(struct jobs *jobs, const struct documents *documents,
                                  bool *ret_exist);

// Does one chunk of one job, of at most `cells` cells; several jobs take turns. `ret_exist` says
// whether there was one. Its effects are in the open entry; `has_settled` says whether they take a
// version, because readers see them. Fails as states do; what was done is then to be undone.
MUST_CHECK enum status jobs_advance(struct jobs *jobs, struct documents *documents, size_t cells,
                                    bool *ret_exist);

#endif
