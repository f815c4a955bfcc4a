/*
 * The default timings and sizes, one for each name in base/limits.h. They fit together there: a few
 * heartbeats may be lost before a primary is suspected, and a process misses several reports before
 * it counts as unreachable. A configuration that changes some of them is checked where it is read.
 *
 * Nothing here is needed for safety: no clock takes part in it.
 */
#include "cluster/process.h"

struct timings timings_default(void)
{
    return (struct timings){
        .suspect_after_ms = SUSPECT_AFTER_MS,
        .heartbeat_ms = HEARTBEAT_MS,
        .beat_ms = BEAT_MS,
        .member_expiry_ms = MEMBER_EXPIRY_MS,
        .election_step_ms = ELECTION_STEP_MS,
        .horizon_ms = HORIZON_MS,
        .stall_ms = STALL_MS_MAX,
        .gather_us = GATHER_US_MAX,
    };
}

struct node_sizes node_sizes_default(void)
{
    return (struct node_sizes){
        .flush = FLUSH_SIZE,
        .segment = SEGMENT_SIZE,
        .journal_keep = JOURNAL_KEEP_SIZE,
        .journal_max = JOURNAL_SIZE_MAX,
        .log_window = LOG_WINDOW_SIZE,
        .transfer_chunk = TRANSFER_CHUNK_SIZE,
        .work_cells = WORK_CELLS,
    };
}
