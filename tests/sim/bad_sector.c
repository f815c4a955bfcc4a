/*
 * Which sectors may go bad.
 *
 *   journal   | segment | segment | segment    newest |
 *                                  ▲ high-water mark    ▲ end
 *             |←── may be damaged ─→|←─ may be torn ───→|
 *
 * 1. Any sector of the vote file: its two copies tell. Rarely one in each, so that none is left.
 * 2. Of the journal, sectors in segments whose entries all lie at or below the durable high-water
 *    mark. Above it nothing tells damage from a write that was torn by the crash (rule 19): the
 *    entries are cut, and a node that had acknowledged them has lost them without knowing. No
 *    protocol of majorities survives that on one node more than it can lose, so the window is kept
 *    shut here, as it is kept small there.
 */
#include "tests/sim/bad_sector.h"

#include "base/assert.h"
#include "storage/vote_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { VOTE_PERCENT = 30, BOTH_COPIES_PERCENT = 25, SEGMENTS_MAX = 512 };

// The segments of a journal, by the positions of their first entries.
struct segments {
    uint64_t first[SEGMENTS_MAX];
    size_t count;
};

// False when the vote file itself can't be read.
static bool read_vote(struct disk *disk, struct message_vote_record *ret_vote)
{
    AUTO(buffer_release) struct buffer content = {0};
    struct vote_file *file = NULL;
    enum status status = vote_file_open(disk, &file, &content);
    vote_file_destroy(&file);
    struct bytes rest = buffer_bytes(&content);
    struct message message;
    if (status != STATUS_ok || message_decode(&rest, &message) != STATUS_ok) {
        return false;
    }
    *ret_vote = message.vote_record;
    return true;
}

static void on_segment(void *context, const char *name)
{
    struct segments *segments = context;
    char *end;
    uint64_t first = strtoull(name, &end, 16);
    if (end != name && *end == '\0' && segments->count < SEGMENTS_MAX) {
        segments->first[segments->count++] = first;
    }
}

// The last entry in the segment that begins at `first`; `end` is the end of the journal.
static uint64_t last_in_segment(const struct segments *segments, uint64_t first, uint64_t end)
{
    uint64_t last = end;
    for (size_t i = 0; i < segments->count; i++) {
        bool is_later = segments->first[i] > first;
        last = is_later && segments->first[i] - 1 < last ? segments->first[i] - 1 : last;
    }
    return last;
}

static bool damage_journal(struct storage_shell *storage, struct random *random,
                           char name[DISK_NAME_SIZE_MAX])
{
    struct disk *disk = sim_disk_port(storage->disk);
    struct message_vote_record vote;
    struct segments segments = {0};
    char folder[DISK_NAME_SIZE_MAX];
    if (!read_vote(disk, &vote)) {
        return false;
    }
    snprintf(folder, sizeof folder, "journal/%" PRIu64, vote.generation);
    if (disk_list(disk, folder, on_segment, &segments) != STATUS_ok) {
        return false;
    }
    uint64_t end = storage->checks->shadows[storage->node].durable.end;
    uint64_t chosen = 0;
    size_t count = 0;
    for (size_t i = 0; i < segments.count; i++) {
        uint64_t last = last_in_segment(&segments, segments.first[i], end);
        if (last <= vote.high_water_position && random_below(random, ++count) == 0) {
            chosen = segments.first[i];
        }
    }
    char path[2 * DISK_NAME_SIZE_MAX];
    snprintf(path, sizeof path, "%s/%016" PRIx64, folder, chosen);
    return count > 0 && sim_disk_corrupt(storage->disk, path, random, name);
}

static bool damage_vote(struct storage_shell *storage, struct random *random,
                        char name[DISK_NAME_SIZE_MAX])
{
    if (random_below(random, 100) >= BOTH_COPIES_PERCENT) {
        return sim_disk_corrupt(storage->disk, "vote", random, name);
    }
    return sim_disk_corrupt(storage->disk, "vote/a", random, name) &&
           sim_disk_corrupt(storage->disk, "vote/b", random, name);
}

bool bad_sector_make(struct storage_shell *storage, struct random *random,
                     char name[DISK_NAME_SIZE_MAX])
{
    ASSERT(!storage->shell.is_up);
    return random_below(random, 100) < VOTE_PERCENT ? damage_vote(storage, random, name)
                                                    : damage_journal(storage, random, name);
}
