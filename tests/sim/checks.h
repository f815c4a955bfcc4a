/*
 * What must hold of the storage nodes after every step, seen from above: who leads, what is
 * committed, what is applied.
 */
#ifndef SKEIN_TESTS_SIM_CHECKS_H
#define SKEIN_TESTS_SIM_CHECKS_H

#include "actors/storage/node.h"
#include "cluster/configuration.h"
#include "tests/sim/ledger.h"

enum { STORAGE_COUNT_MAX = 10 };

// A log as epochs by position.
struct shadow_log {
    uint64_t base;    // position before the first entry held
    uint64_t end;     // position of the last entry; = base when there is none
    uint64_t *epochs; // owned; [position]
    size_t capacity;
};

// What is known about one storage node.
struct shadow {
    const char *name;
    unsigned process;          // its number
    uint64_t directory_id;     // of its present directory
    uint64_t cluster_id;       // that it belongs to; 0 for none
    struct shadow_log queued;  // what its journal holds once all writes under way are done
    struct shadow_log durable; // what is on its disk
    uint64_t claimed;          // commit position that it claimed in this life, checked
    uint64_t led_epoch;        // epoch that it leads as a primary; 0 for none
    bool has_lost;             // its disk lost entries that were durable: wiped, or damaged
};

struct checks {
    struct world *world;
    struct ledger *ledger;
    struct shadow shadows[STORAGE_COUNT_MAX];
    unsigned count;                     // of storage nodes
    struct configuration configuration; // committed last
    uint64_t *committers;               // owned; epoch of the primary that committed each position
    size_t committer_capacity;
    uint64_t *chains; // owned; digest of applied effects by position, 0: not seen
    size_t chain_capacity;
    uint64_t *led; // owned; epochs that had a primary
    size_t led_count;
    size_t led_capacity;
};

void checks_init(struct checks *checks, struct world *world, struct ledger *ledger);
void checks_release(struct checks *checks);

// Another storage node; returns its number here.
unsigned checks_add(struct checks *checks, const char *name, unsigned process);

// The node found this on its disk.
void checks_boot(struct checks *checks, unsigned node, uint64_t directory_id,
                 const struct node_boot *boot);

// The node belongs to this cluster; 0 for none.
void checks_set_cluster(struct checks *checks, unsigned node, uint64_t cluster_id);

// The node asked for this disk request; later it was carried out.
void checks_queued(struct checks *checks, unsigned node, const struct disk_request *request);
void checks_done(struct checks *checks, unsigned node, const struct disk_request *request);

// The node stands so after a step.
void checks_step(struct checks *checks, unsigned node, const struct node_view *view);

// The node is down.
void checks_down(struct checks *checks, unsigned node);

#endif
