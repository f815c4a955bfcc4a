/*
 * Checks of the storage nodes. Each node has a shadow: its log as epochs by position, once as it
 * will be when all its writes are done, once as it is on its disk.
 *
 * 1. One primary for each epoch, one maker of its entries, and equal entries everywhere:
 *    check_alone(), and ledger_write() on every write.
 * 2. A position is committed when a node first says so: its primary, which thereby commits it. At
 *    that moment the entry is on the disks of a majority of the voters (rules 8, 9, 14 to 16), not
 *    counting what a disk lost since, and whoever leads a later epoch has it.
 * 3. A node that says that a position is committed has the committed entry there, for ever.
 * 4. A node that begins to lead has all entries that primaries of earlier epochs committed (rule
 *    4).
 * 5. Nothing is applied that is not committed, and nodes that applied the same position have the
 *    same digest (rules 17, 23).
 */
#include "tests/sim/checks.h"

#include "base/assert.h"

#include <stdlib.h>

void checks_init(struct checks *checks, struct world *world, struct ledger *ledger)
{
    *checks = (struct checks){.world = world, .ledger = ledger};
}

void checks_release(struct checks *checks)
{
    for (unsigned i = 0; i < checks->count; i++) {
        free(checks->shadows[i].queued.epochs);
        free(checks->shadows[i].durable.epochs);
    }
    free(checks->committers);
    free(checks->chains);
    free(checks->led);
    *checks = (struct checks){0};
}

unsigned checks_add(struct checks *checks, const char *name, unsigned process)
{
    ASSERT(checks->count < STORAGE_COUNT_MAX);
    checks->shadows[checks->count] = (struct shadow){.name = name, .process = process};
    return checks->count++;
}

// Gives an array of numbers room for element `at`; what is added is 0.
static void make_room(uint64_t **numbers, size_t *capacity, uint64_t at)
{
    if (at < *capacity) {
        return;
    }
    size_t grown = *capacity == 0 ? 1024 : *capacity;
    while (grown <= at) {
        grown *= 2;
    }
    *numbers = reallocarray(*numbers, grown, sizeof **numbers);
    ASSERT(*numbers != NULL);
    memset(*numbers + *capacity, 0, (grown - *capacity) * sizeof **numbers);
    *capacity = grown;
}

static void shadow_log_put(struct shadow_log *log, uint64_t position, uint64_t epoch)
{
    make_room(&log->epochs, &log->capacity, position);
    log->epochs[position] = epoch;
    log->end = position;
}

// Whether the log holds this entry, or begins behind it.
static bool shadow_log_has(const struct shadow_log *log, uint64_t position, uint64_t epoch)
{
    if (position <= log->base) {
        return true;
    }
    return position <= log->end && log->epochs[position] == epoch;
}

static void shadow_log_boot(struct shadow_log *log, const struct node_boot *boot)
{
    const struct journal_view *view = &boot->journal;
    log->base = view->base.position;
    log->end = view->base.position;
    for (size_t i = 0; i < boot->run_count; i++) {
        uint64_t last = i + 1 < boot->run_count ? boot->runs[i + 1].position - 1
                                                : view->end.position;
        for (uint64_t position = boot->runs[i].position; position <= last; position++) {
            shadow_log_put(log, position, boot->runs[i].epoch);
        }
    }
}

void checks_boot(struct checks *checks, unsigned node, uint64_t directory_id,
                 const struct node_boot *boot)
{
    struct shadow *shadow = &checks->shadows[node];
    shadow->has_lost = shadow->has_lost || boot->journal.end.position < shadow->durable.end;
    shadow->directory_id = directory_id;
    shadow->claimed = 0;
    shadow_log_boot(&shadow->queued, boot);
    shadow_log_boot(&shadow->durable, boot);
}

// Puts framed entries into a log; into the ledger, too, if `ret_written` says so.
static void put_entries(struct checks *checks, struct shadow *shadow, struct shadow_log *log,
                        struct bytes frames)
{
    while (frames.size > 0) {
        struct entry entry;
        size_t size;
        if (entry_decode(frames, shadow->cluster_id, &entry, &size) != STATUS_ok) {
            world_violate(checks->world, "%s appends bytes that are no entry", shadow->name);
            return;
        }
        if (log == &shadow->queued) {
            ledger_write(checks->ledger, shadow->process, &entry);
        }
        shadow_log_put(log, entry.position, entry.epoch);
        frames = bytes_of(frames.data + size, frames.size - size);
    }
}

static void carry_out(struct checks *checks, struct shadow *shadow, struct shadow_log *log,
                      const struct disk_request *request)
{
    switch (request->kind) {
    case DISK_APPEND: put_entries(checks, shadow, log, request->bytes); break;
    case DISK_TRUNCATE: log->end = request->position; break;
    case DISK_RESET:
        log->base = request->base.position;
        log->end = request->base.position;
        break;
    default: break;
    }
}

void checks_set_cluster(struct checks *checks, unsigned node, uint64_t cluster_id)
{
    checks->shadows[node].cluster_id = cluster_id;
}

void checks_queued(struct checks *checks, unsigned node, const struct disk_request *request)
{
    struct shadow *shadow = &checks->shadows[node];
    carry_out(checks, shadow, &shadow->queued, request);
}

void checks_done(struct checks *checks, unsigned node, const struct disk_request *request)
{
    struct shadow *shadow = &checks->shadows[node];
    carry_out(checks, shadow, &shadow->durable, request);
}

// The voters on whose disks the entry is, or was before they lost it.
static size_t count_holders(const struct checks *checks, uint64_t position, uint64_t epoch)
{
    const struct configuration *configuration = &checks->configuration;
    size_t holders = configuration->voter_count;
    for (unsigned i = 0; i < checks->count; i++) {
        const struct shadow *shadow = &checks->shadows[i];
        bool is_voter = configuration_find(configuration, shadow->directory_id) != NULL;
        bool has_it = shadow->has_lost || shadow_log_has(&shadow->durable, position, epoch);
        holders -= is_voter && !has_it;
    }
    return holders;
}

// Check 2.
static void commit(struct checks *checks, const struct shadow *claimer, uint64_t epoch,
                   uint64_t committer)
{
    uint64_t position = checks->ledger->committed_count + 1;
    make_room(&checks->committers, &checks->committer_capacity, position);
    checks->committers[position] = committer;
    ledger_commit(checks->ledger, epoch);
    if (checks->world->is_violated) {
        return;
    }
    const struct entry *entry = ledger_committed(checks->ledger, position);
    world_trace(checks->world, "committed: position %llu of epoch %llu, %u transactions to %llu",
                (unsigned long long)position, (unsigned long long)epoch, entry->transactions,
                (unsigned long long)entry->version);
    if (entry->kind == ENTRY_CONFIGURATION &&
        configuration_decode(entry->payload, &checks->configuration) != STATUS_ok) {
        world_violate(checks->world, "the configuration at %llu can't be read",
                      (unsigned long long)position);
        return;
    }
    size_t holders = count_holders(checks, position, epoch);
    if (holders < majority_of(checks->configuration.voter_count)) {
        world_violate(checks->world,
                      "%s says that %llu is committed, and %zu of %zu voters have it",
                      claimer->name, (unsigned long long)position, holders,
                      checks->configuration.voter_count);
    }
    for (unsigned i = 0; i < checks->count; i++) {
        const struct shadow *shadow = &checks->shadows[i];
        if (shadow->led_epoch > committer && !shadow_log_has(&shadow->queued, position, epoch)) {
            world_violate(
                checks->world,
                "%s says that %llu is committed, and the primary of epoch %llu has it not",
                claimer->name, (unsigned long long)position, (unsigned long long)shadow->led_epoch);
        }
    }
}

// Checks 2 and 3.
static void check_claims(struct checks *checks, struct shadow *shadow, const struct node_view *view)
{
    uint64_t commit_position = view->commit_position;
    uint64_t from = shadow->claimed > shadow->queued.base ? shadow->claimed : shadow->queued.base;
    for (uint64_t position = from + 1; position <= commit_position; position++) {
        if (position > shadow->queued.end || position > checks->ledger->committed_count + 1) {
            world_violate(checks->world, "%s says that %llu is committed and doesn't have it",
                          shadow->name, (unsigned long long)position);
            return;
        }
        uint64_t epoch = shadow->queued.epochs[position];
        if (position == checks->ledger->committed_count + 1) {
            commit(checks, shadow, epoch, view->leads ? view->epoch : epoch);
        } else if (checks->ledger->committed[position - 1] != epoch) {
            world_violate(checks->world,
                          "position %llu was committed in epoch %llu, and for %s in epoch %llu",
                          (unsigned long long)position,
                          (unsigned long long)checks->ledger->committed[position - 1], shadow->name,
                          (unsigned long long)epoch);
        }
        if (checks->world->is_violated) {
            return;
        }
    }
    shadow->claimed = commit_position > shadow->claimed ? commit_position : shadow->claimed;
}

// Check 1: no epoch has a second primary, nor the same one again.
static void check_alone(struct checks *checks, const struct shadow *shadow, uint64_t epoch)
{
    for (size_t i = 0; i < checks->led_count; i++) {
        if (checks->led[i] == epoch) {
            world_violate(checks->world, "%s leads epoch %llu, which had a primary before",
                          shadow->name, (unsigned long long)epoch);
        }
    }
    make_room(&checks->led, &checks->led_capacity, checks->led_count);
    checks->led[checks->led_count++] = epoch;
}

// Check 4.
static void check_lead(struct checks *checks, struct shadow *shadow, const struct node_view *view)
{
    uint64_t epoch = view->leads ? view->epoch : 0;
    if (epoch == shadow->led_epoch) {
        return;
    }
    shadow->led_epoch = epoch;
    if (epoch == 0) {
        return;
    }
    check_alone(checks, shadow, epoch);
    world_trace(checks->world, "%s leads epoch %llu", shadow->name, (unsigned long long)epoch);
    for (uint64_t position = checks->ledger->committed_count; position >= 1; position--) {
        uint64_t committed_epoch = checks->ledger->committed[position - 1];
        if (checks->committers[position] < epoch &&
            !shadow_log_has(&shadow->queued, position, committed_epoch)) {
            world_violate(checks->world, "%s leads epoch %llu without committed entry %llu of %llu",
                          shadow->name, (unsigned long long)epoch, (unsigned long long)position,
                          (unsigned long long)committed_epoch);
            return;
        }
    }
}

// Check 5.
static void check_applied(struct checks *checks, const struct shadow *shadow,
                          const struct node_view *view)
{
    uint64_t position = view->applied.position;
    if (position == 0) {
        return;
    }
    if (position > checks->ledger->committed_count ||
        checks->ledger->committed[position - 1] != view->applied.epoch) {
        world_violate(checks->world, "%s applied %llu, which isn't committed", shadow->name,
                      (unsigned long long)position);
        return;
    }
    make_room(&checks->chains, &checks->chain_capacity, position);
    if (checks->chains[position] == 0) {
        checks->chains[position] = view->chain;
    } else if (checks->chains[position] != view->chain) {
        world_violate(checks->world, "%s applied other effects than others up to %llu",
                      shadow->name, (unsigned long long)position);
    }
}

void checks_step(struct checks *checks, unsigned node, const struct node_view *view)
{
    struct shadow *shadow = &checks->shadows[node];
    check_lead(checks, shadow, view);
    check_claims(checks, shadow, view);
    check_applied(checks, shadow, view);
}

void checks_down(struct checks *checks, unsigned node)
{
    checks->shadows[node].led_epoch = 0;
}
