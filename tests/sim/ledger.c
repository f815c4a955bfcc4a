/*
 * Entries are kept by epoch: positions within one are contiguous, since its primary never leaves
 * any out (rule 10). A run has at most a few hundred epochs, and the newest are asked for most.
 *
 * What is checked while entries are written: one maker for each epoch; the same entry at the same
 * (epoch, position) everywhere; versions that grow by the transactions; time that never goes back.
 */
#include "tests/sim/ledger.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

void ledger_init(struct ledger *ledger, struct world *world)
{
    *ledger = (struct ledger){.world = world};
}

void ledger_release(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->epoch_count; i++) {
        struct ledger_epoch *log = &ledger->epochs[i];
        for (size_t j = 0; j < log->count; j++) {
            free((void *)log->entries[j].payload.data);
        }
        free(log->entries);
    }
    free(ledger->epochs);
    free(ledger->committed);
    *ledger = (struct ledger){0};
}

static struct ledger_epoch *find_epoch(const struct ledger *ledger, uint64_t epoch)
{
    for (size_t i = ledger->epoch_count; i-- > 0;) {
        if (ledger->epochs[i].epoch == epoch) {
            return &ledger->epochs[i];
        }
    }
    return NULL;
}

// Room for one more element; returns the array, moved perhaps.
static void *grow(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return array;
    }
    *capacity = *capacity == 0 ? 64 : 2 * *capacity;
    array = reallocarray(array, *capacity, size);
    ASSERT(array != NULL);
    return array;
}

static struct ledger_epoch *begin_epoch(struct ledger *ledger, unsigned process,
                                        const struct entry *entry)
{
    ledger->epochs = grow(ledger->epochs, ledger->epoch_count, &ledger->epoch_capacity,
                          sizeof *ledger->epochs);
    struct ledger_epoch *log = &ledger->epochs[ledger->epoch_count++];
    *log = (struct ledger_epoch){
        .epoch = entry->epoch, .creator = process, .first = entry->position};
    return log;
}

static void add(struct ledger *ledger, struct ledger_epoch *log, const struct entry *entry)
{
    log->entries = grow(log->entries, log->count, &log->capacity, sizeof *log->entries);
    struct entry *kept = &log->entries[log->count++];
    *kept = *entry;
    uint8_t *payload = malloc(entry->payload.size + 1);
    ASSERT(payload != NULL);
    if (entry->payload.size > 0) {
        memcpy(payload, entry->payload.data, entry->payload.size);
    }
    kept->payload = bytes_of(payload, entry->payload.size);
    world_mix(ledger->world, entry->crc);
}

void ledger_write(struct ledger *ledger, unsigned process, const struct entry *entry)
{
    struct world *world = ledger->world;
    const struct entry *known = ledger_find(ledger, entry->epoch, entry->position);
    if (known != NULL) {
        if (known->crc != entry->crc) {
            world_violate(world, "two entries of epoch %llu at position %llu",
                          (unsigned long long)entry->epoch, (unsigned long long)entry->position);
        }
        return;
    }
    struct ledger_epoch *log = find_epoch(ledger, entry->epoch);
    if (log == NULL) {
        log = begin_epoch(ledger, process, entry);
    }
    if (log->creator != process) {
        world_violate(world, "two nodes append under epoch %llu", (unsigned long long)entry->epoch);
        return;
    }
    if (entry->position != log->first + log->count) {
        world_violate(world, "the primary of epoch %llu leaves out positions before %llu",
                      (unsigned long long)entry->epoch, (unsigned long long)entry->position);
        return;
    }
    add(ledger, log, entry);
}

const struct entry *ledger_find(const struct ledger *ledger, uint64_t epoch, uint64_t position)
{
    const struct ledger_epoch *log = find_epoch(ledger, epoch);
    if (log == NULL || position < log->first || position >= log->first + log->count) {
        return NULL;
    }
    return &log->entries[position - log->first];
}

const struct entry *ledger_committed(const struct ledger *ledger, uint64_t position)
{
    ASSERT(position >= 1 && position <= ledger->committed_count);
    const struct entry *entry = ledger_find(ledger, ledger->committed[position - 1], position);
    ASSERT(entry != NULL);
    return entry;
}

static void check_continues(struct ledger *ledger, const struct entry *entry)
{
    uint64_t version = ledger_version(ledger);
    uint64_t time_us = 0;
    uint32_t crc = 0;
    if (ledger->committed_count > 0) {
        const struct entry *last = ledger_committed(ledger, ledger->committed_count);
        time_us = last->time_us;
        crc = last->crc;
    }
    unsigned long long position = entry->position;
    if (entry->previous_crc != crc) {
        world_violate(ledger->world, "entry %llu doesn't continue the committed log", position);
    }
    if (entry->version != version + entry->transactions) {
        world_violate(ledger->world, "the version of entry %llu doesn't count transactions",
                      position);
    }
    if (entry->time_us < time_us) {
        world_violate(ledger->world, "time goes back at entry %llu", position);
    }
}

void ledger_commit(struct ledger *ledger, uint64_t epoch)
{
    uint64_t position = ledger->committed_count + 1;
    const struct entry *entry = ledger_find(ledger, epoch, position);
    if (entry == NULL) {
        world_violate(ledger->world, "position %llu is committed and nobody wrote it",
                      (unsigned long long)position);
        return;
    }
    check_continues(ledger, entry);
    ledger->committed = grow(ledger->committed, ledger->committed_count,
                             &ledger->committed_capacity, sizeof *ledger->committed);
    ledger->committed[ledger->committed_count++] = epoch;
}

uint64_t ledger_version(const struct ledger *ledger)
{
    return ledger->committed_count == 0
               ? 0
               : ledger_committed(ledger, ledger->committed_count)->version;
}
