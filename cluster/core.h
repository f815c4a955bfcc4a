/*
 * The core of a storage node: what its leading and its following side share. The promise, the log,
 * how far it is durable and committed, the configuration in it, and the queue of writes to the
 * disk.
 *
 * All writes go through one first-in-first-out queue (rule 7). The core remembers what each was
 * for; core_finish_write() gives that back when it is done, so that an answer that must wait for
 * the disk leaves in one place: where the write ends.
 */
#ifndef SKEIN_CLUSTER_CORE_H
#define SKEIN_CLUSTER_CORE_H

#include "cluster/configuration.h"
#include "cluster/log.h"
#include "cluster/machine.h"
#include "cluster/process.h"

enum { CORE_WRITES_MAX = 256 };

// What waits for a write.
enum write_purpose {
    WRITE_NOTHING,  // nobody
    WRITE_SEAL,     // the answer to a seal
    WRITE_FOLLOW,   // the acknowledgement of an append
    WRITE_APPOINT,  // the first entry of an epoch: the node leads when it is durable
    WRITE_LEAD,     // a primary's own entry
    WRITE_REPAIR,   // the end of damage, or the reset of a damaged journal
    WRITE_TRANSFER, // the installation of a transferred state
};

// One try to elect (rule 1). Incarnation 0 stands for the append of a primary, not for an attempt.
struct attempt {
    uint64_t epoch;
    uint64_t incarnation; // of the coordinator
};

struct core_write {
    enum disk_kind kind;
    enum write_purpose purpose;
    uint64_t sequence;    // of the disk request
    uint64_t epoch;       // promised when it was queued; the acknowledgement is for this epoch
    uint64_t incarnation; // VOTE: of the promise in it
    uint64_t position;    // APPEND: last entry in it; TRUNCATE: last entry kept
    uint64_t to;          // address that waits for the answer; 0 for none
    bool used;            // VOTE: appointment_used in it
};

struct core {
    const struct process *process;      // borrowed
    struct message_vote_record vote;    // as in the newest write queued; texts are the process's
    uint64_t durable_promised;          // as on the disk
    uint64_t durable_incarnation;       // as on the disk
    bool durable_used;                  // as on the disk
    struct log log;                     // including what is not durable yet
    uint64_t durable_position;          // the log is durable here up to this entry
    uint64_t commit_position;           // highest entry known to be committed
    struct configuration configuration; // latest in the log; no voters: there is none
    struct buffer configuration_bytes;  // the same, encoded
    uint64_t configuration_position;    // entry that it came in; 0: older than the window
    struct buffer committed_bytes;      // the one before, while the latest is not committed
    struct core_write writes[CORE_WRITES_MAX]; // ring of the writes under way
    size_t write_first;                        // oldest of them
    size_t write_count;
    uint64_t disk_sequence; // of the newest disk request
    uint64_t unmarked_size; // bytes written to the log since the mark was last moved
    uint64_t refused;       // messages refused by a rule, for the operator
};

// Takes over what was found on the disk. bad_request: the vote record can't be read, or it names
// another node or cluster than the process.
MUST_CHECK enum status core_init(struct core *core, const struct process *process,
                                 struct bytes vote_record);
void core_release(struct core *core);

// The epoch promised or in the course of being promised.
static inline uint64_t core_promised(const struct core *core)
{
    return core->vote.promised;
}

// Whether another write fits the queue; when not, drop what asks for it: the peer sends again.
bool core_has_room(const struct core *core);

// Queues any other request and returns its sequence.
uint64_t core_request(struct core *core, struct disk_request *request, struct outbox *out);

// Queues a write of core->vote.
void core_write_vote(struct core *core, enum write_purpose purpose, uint64_t to,
                     struct outbox *out);

// Promises the epoch of the attempt (higher than before) and queues the vote.
void core_promise(struct core *core, struct attempt attempt, enum write_purpose purpose,
                  uint64_t to, struct outbox *out);

// A seal's vote is durable, but an append before it found the disk full, so the log ends earlier
// than recorded: queues the corrected vote. False: nothing to correct.
bool core_correct_seal(struct core *core, uint64_t to, struct outbox *out);

// Appends framed entries (already in the log, the last one at the log's end) to the journal.
void core_write_entries(struct core *core, struct bytes frames, enum write_purpose purpose,
                        uint64_t to, struct outbox *out);

// Adds an entry to the log and takes its configuration if it has one. Does not write it.
void core_append(struct core *core, struct bytes frame, const struct entry *entry);

// The same for an entry that is read back from the journal after a start.
void core_load(struct core *core, struct bytes frame, const struct entry *entry);

// Removes the entries after `place` from log and journal, and lowers the high-water mark before
// (rule 19).
void core_truncate(struct core *core, const struct entry_place *place, struct outbox *out);

// Forgets the entries that aren't durable here: the disk was full, so they never reached it. A
// deposed primary may know them to be committed, by the others; it will get them back from those.
void core_forget_unwritten(struct core *core, struct outbox *out);

// Empties log and journal, which then begin after `base` (a damaged journal, rule 20).
void core_reset(struct core *core, const struct entry_place *base, struct outbox *out);

// Makes a received state current as the next generation, with a journal that holds or begins after
// `base` (rule 37). The node reboots when it is done.
void core_install(struct core *core, const struct entry_place *base, struct outbox *out);

// Takes the finished write off the queue. False: the request was no write of this queue (READ, DROP
// or FLUSH).
bool core_finish_write(struct core *core, const struct disk_done *done,
                       struct core_write *ret_write);

// Entries up to `position` are committed.
void core_commit(struct core *core, uint64_t position);

// Sets the configuration that an applied record holds; for a start.
void core_set_configuration(struct core *core, struct bytes encoded);

// Moves the durable high-water mark to the durable end of the log, when that is due (rule 19).
void core_raise_high_water(struct core *core, struct outbox *out);

// Whether the voter of this directory id belongs to the latest configuration.
bool core_is_voter(const struct core *core, uint64_t directory_id);

#endif
