/*
 * Scans over the overlay. Each entry has its changes in the order of their keys, which is brought
 * up to date when a scan begins; the scan merges the entries, of which there are a handful:
 *
 *   entry 7   [ b  d  f ]
 *   entry 8   [ a  b  b ]      next: a (8), b (8, its last one), d (9), ...
 *   entry 9   [ d  e ]
 *
 * 1. Of changes of the same key the newest entry's counts, and in it the last one. All others of
 *    that key are passed with it.
 * 2. An order is a cache inside its entry: making it changes nothing that anybody sees.
 */
#include "base/assert.h"
#include "storage/overlay_internal.h"

#include <stdlib.h>

// What is left of one entry.
struct run {
    const struct overlay_entry *entry;
    size_t begin;             // number of the first change that is left
    size_t end;               // behind the last one
    struct batch_change head; // the newest change of the next key; valid while begin < end
};

struct overlay_scan {
    bool is_backwards;
    size_t run_count;
    struct run runs[]; // oldest entry first
};

static struct batch_change change_of(const struct run *run, size_t number)
{
    return batch_order_change(&run->entry->order, &run->entry->batch, number);
}

// Reads the next key's change: backwards it is the last one that is left; forwards it comes after
// the older ones of its key, which are passed here.
static void read_head(struct run *run, bool is_backwards)
{
    if (run->begin == run->end) {
        return;
    }
    run->head = change_of(run, is_backwards ? run->end - 1 : run->begin);
    while (!is_backwards && run->begin + 1 < run->end) {
        struct batch_change next = change_of(run, run->begin + 1);
        if (!bytes_equal(next.key, run->head.key)) {
            return;
        }
        run->begin++;
        run->head = next;
    }
}

static void pass_head(struct run *run, bool is_backwards)
{
    if (is_backwards) {
        do {
            run->end--;
        } while (run->begin < run->end &&
                 bytes_equal(change_of(run, run->end - 1).key, run->head.key));
    } else {
        run->begin++;
    }
    read_head(run, is_backwards);
}

static size_t count_entries(const struct overlay *overlay)
{
    size_t count = 0;
    for (const struct overlay_entry *entry = overlay->oldest; entry != NULL; entry = entry->next) {
        count++;
    }
    return count;
}

struct overlay_scan *overlay_scan_new(const struct overlay *overlay, struct bytes from,
                                      struct bytes to, bool is_backwards)
{
    if (overlay->oldest == NULL) {
        return NULL;
    }
    size_t count = count_entries(overlay);
    struct overlay_scan *scan = malloc(sizeof *scan + count * sizeof scan->runs[0]);
    ASSERT(scan != NULL);
    scan->is_backwards = is_backwards;
    scan->run_count = 0;
    for (struct overlay_entry *entry = overlay->oldest; entry != NULL; entry = entry->next) {
        batch_order_update(&entry->order, &entry->batch);
        struct run *run = &scan->runs[scan->run_count++];
        run->entry = entry;
        run->begin = batch_order_find(&entry->order, &entry->batch, from);
        run->end = to.size == 0 ? entry->order.count
                                : batch_order_find(&entry->order, &entry->batch, to);
        run->end = run->end < run->begin ? run->begin : run->end;
        read_head(run, is_backwards);
    }
    return scan;
}

void overlay_scan_destroy(struct overlay_scan **take_scan)
{
    free(*take_scan);
    *take_scan = NULL;
}

// The run with the next key; of several the newest. NULL at the end.
static const struct run *next_run(const struct overlay_scan *scan)
{
    const struct run *best = NULL;
    for (size_t i = 0; i < scan->run_count; i++) {
        const struct run *run = &scan->runs[i];
        if (run->begin == run->end) {
            continue;
        }
        int order = best == NULL ? 0 : bytes_compare(run->head.key, best->head.key);
        if (scan->is_backwards ? order >= 0 : order <= 0) {
            best = run;
        }
    }
    return best;
}

bool overlay_scan_next(struct overlay_scan *scan, struct batch_change *ret_change)
{
    const struct run *next = next_run(scan);
    if (next == NULL) {
        return false;
    }
    *ret_change = next->head;
    for (size_t i = 0; i < scan->run_count; i++) {
        struct run *run = &scan->runs[i];
        if (run->begin < run->end && bytes_equal(run->head.key, ret_change->key)) {
            pass_head(run, scan->is_backwards);
        }
    }
    return true;
}
