/*
 * Every bound of the system in one place, related to each other by static_assert. Sizes are in
 * bytes, counts are numbers of things, times carry their unit in the name.
 */
#ifndef SKEIN_BASE_LIMITS_H
#define SKEIN_BASE_LIMITS_H

#include <assert.h>
#include <stdint.h>

enum {
    KIB = 1024,
    MIB = 1024 * 1024,
};

// What users meet: the data model.
enum {
    DOCUMENT_SIZE_MAX = 1 * MIB,       // canonical bytes of one document
    DOCUMENT_DEPTH_MAX = 24,           // nested containers, the document itself included
    TRANSACTION_SIZE_MAX = 4 * MIB,    // encoded operations of one transaction
    TRANSACTION_OPERATIONS_MAX = 4096, // operations of one transaction
    READ_OPERATIONS_MAX = 1000,        // operations of one read
    READ_SCANS_MAX = 16,               // operations of one read that are no gets
    READ_SIZE_MAX = 1 * MIB,           // encoded operations of one read
    COLLECTION_COUNT_MAX = 1024,       // collections of a database
    COLLECTION_NAME_SIZE_MAX = 128,    // name of a collection
    INDEX_COUNT_MAX = 64,              // indexes of a collection
    INDEX_FIELDS_MAX = 8,              // fields of an index
    INDEX_NAME_SIZE_MAX = 64,          // name of an index
    INDEX_KEY_SIZE_MAX = 1 * KIB,      // key of a document in an index
    CHECK_COUNT_MAX = 16,              // check predicates of a collection
    SETTINGS_SIZE_MAX = 64 * KIB,      // settings of a collection, its checks among them
    PATH_SIZE_MAX = 512,               // path of a field
    PREDICATE_FIELDS_MAX = 256,        // fields that a predicate looks up, each time it names one
    PAGE_ROWS_MAX = 1000,              // documents of one page of a find
    PAGE_ROWS_DEFAULT = 100,           // the same when a find doesn't say
    PAGE_EXAMINED_MAX = 1000000,       // rows that a page looks at before it ends early
    FIND_EXAMINED_MAX = 10000,         // rows that a find or count in a transaction looks at
    TRANSACTION_EXAMINED_SIZE_MAX = 48 * MIB, // documents that a transaction looks at, each as
                                              // often as a condition looks up a field in it
    EXAMINED_SIZE_MIN = 4 * KIB,              // what a smaller document counts there
    EXAMINED_CONDITION_WEIGHT = 16, // what a byte of a condition counts there, for each document
    TRANSACTION_EFFECTS_SIZE_MAX = 4608 * KIB, // cells that a transaction writes
    DOCUMENT_ID_SIZE_MAX = 256,                // a string id, UTF-8
    SESSION_NAME_SIZE_MAX = 64,                // name of a session
    SESSION_OUTCOMES_MAX = 256,                // outcomes remembered for one session
    SESSION_OUTCOME_SIZE_MAX = 256,            // one of them
    DEADLINE_MS_MIN = 1,
    DEADLINE_MS_MAX = 10 * 60 * 1000,
    SESSION_IDLE_S = 24 * 60 * 60,          // an idle session expires
    SESSION_TOMBSTONE_S = 7 * 24 * 60 * 60, // and is remembered as expired for so long
    ERROR_MESSAGE_SIZE_MAX = 512,           // the sentence of an error
};

// Messages and processes.
enum {
    FRAME_SIZE_MAX = 8 * MIB,            // one ZeroMQ frame; a larger one is refused by the socket
    FRAME_MESSAGES_MAX = 4096,           // messages in one frame
    WIRE_DEPTH_MAX = 32,                 // nested containers in a frame
    NAME_SIZE_MAX = 64,                  // name of a process or a cluster
    ENDPOINT_SIZE_MAX = 200,             // a ZeroMQ endpoint
    VOTER_COUNT_MAX = 7,                 // voters of a group
    MEMBER_COUNT_MAX = 256,              // processes in a topology
    COORDINATOR_COUNT_MAX = 7,           // coordinators of a cluster
    CLIENT_OUTSTANDING_MAX = 65536,      // requests a client library keeps outstanding
    WRITER_PENDING_MAX = 65536,          // transactions a writer carries
    WRITER_PENDING_SIZE_MAX = 256 * MIB, // bytes of them
    READER_PENDING_MAX = 65536,          // reads a reader carries
    READER_PENDING_SIZE_MAX = 64 * MIB,  // bytes of them
    CLIENT_CONNECTIONS_MAX = 8,      // writers, and again readers, that a client keeps connected
    NODE_PENDING_MAX = 65536,        // transactions a primary has executed and not answered
    NODE_PARKED_SIZE_MAX = 64 * MIB, // and the bytes of those reads
    NODE_PARKED_READS_MAX = 65536,   // reads that wait on a storage node for a version
};

// The log.
enum {
    ENTRY_HEADER_SIZE = 72,            // fixed part of an entry frame, wire/entry.h
    ENTRY_PAYLOAD_SIZE_MAX = 6 * MIB,  // one entry's effects
    ENTRY_ANSWERS_SIZE_MAX = 16 * MIB, // answers that wait for an open entry, before it is full
    ENTRY_TRANSACTIONS_MAX = 4096,     // transactions in one entry
    ENTRY_FILL_SIZE = 1 * MIB,         // an open entry of this size takes no further transaction
    ENTRY_EXAMINED_SIZE = 16 * MIB,    // nor one whose transactions have looked at so much
    ENTRY_END_SIZE_MAX = 512 * KIB,    // what the last transaction may add to an entry's end
    PEER_COUNT_MAX = 32,               // storage nodes that a primary streams to
    STREAM_ENTRIES_MAX = 64,           // entries sent to one of them and not acknowledged
    MARK_REQUESTS_MAX = 256,           // requests that wait for the next mark
    PIPELINE_ENTRIES_MAX = 4,          // entries of a primary that are not committed (rule 17)
    APPEND_SIZE_MAX = 7 * MIB,         // entries in one append message
    CATCH_UP_READ_SIZE = 1 * MIB,      // what one read back from the journal asks for
    LOG_WINDOW_SIZE = 4 * MIB,         // committed entries kept in memory for followers behind
    SEGMENT_SIZE = 16 * MIB,           // a journal segment; an entry larger than it gets its own
    FLUSH_SIZE = 64 * MIB,             // applied and not flushed: the state is flushed
    JOURNAL_KEEP_SIZE = 64 * MIB,      // kept in the journal behind a flushed state
    JOURNAL_SIZE_MAX = 1024 * MIB,     // kept there for a follower that answers
    TRANSFER_CHUNK_SIZE = 512 * KIB,   // cells in one chunk of a state transfer
    WORK_CELLS = 128,                  // looked at in one part of a primary's own work
    CELL_KEY_SIZE_MAX = 2 * KIB,       // key of a state cell
    CACHED_CELLS_MAX = 32 * 1024,      // kept in memory in front of a storage node's state
    CACHED_CELL_SIZE_MAX = 1 * KIB,    // key and value of one of them
};

static_assert(DOCUMENT_SIZE_MAX < TRANSACTION_SIZE_MAX, "a transaction holds a document");
static_assert(TRANSACTION_SIZE_MAX < TRANSACTION_EFFECTS_SIZE_MAX,
              "a transaction may write what it brings");
static_assert(FIND_EXAMINED_MAX <= TRANSACTION_EXAMINED_SIZE_MAX / EXAMINED_SIZE_MIN,
              "a find looks at as many small documents as it may");
static_assert(TRANSACTION_EFFECTS_SIZE_MAX + ENTRY_FILL_SIZE + ENTRY_END_SIZE_MAX <=
                  ENTRY_PAYLOAD_SIZE_MAX,
              "the last transaction that fits still fits");
static_assert(ENTRY_PAYLOAD_SIZE_MAX + ENTRY_HEADER_SIZE < APPEND_SIZE_MAX,
              "one entry fits an append");
static_assert(APPEND_SIZE_MAX + 4 * KIB < FRAME_SIZE_MAX, "an append fits a frame");
static_assert(DOCUMENT_DEPTH_MAX + 6 <= WIRE_DEPTH_MAX, "a document fits a message");

// Bytes of documents that a page looks at before it ends early, counted as for a transaction.
#define PAGE_EXAMINED_SIZE_MAX (UINT64_C(4) << 30)
static_assert(PAGE_EXAMINED_SIZE_MAX >
                  (uint64_t)DOCUMENT_SIZE_MAX *
                      (PREDICATE_FIELDS_MAX + INDEX_COUNT_MAX * EXAMINED_CONDITION_WEIGHT),
              "every page comes further");

// A promise is never raised by more than this at once (rule 9).
#define EPOCH_STEP_MAX (UINT64_C(1) << 32)

// Default timings; a configuration may set those that interfaces name.
enum {
    SUSPECT_AFTER_MS = 300,    // a primary not heard for so long is suspected
    HEARTBEAT_MS = 50,         // a primary's appends are at most so far apart
    BEAT_MS = 100,             // a process reports to the coordinators
    MEMBER_EXPIRY_MS = 2000,   // a process not heard for so long leaves the topology
    ELECTION_STEP_MS = 150,    // a coordinator waits so long for answers of one step
    ELECTION_JITTER_MS = 150,  // and backs off up to so long before it tries again
    GATHER_US_MAX = 200,       // an idle primary gathers transactions for so long
    STALL_MS_MAX = 1000,       // work and no progress for so long: the primary steps down
    MARK_INTERVAL_MS_MIN = 10, // marks are at least so far apart
    HORIZON_MS = 30000,        // a marked version that nobody reads stays readable
    MARK_AGE_MS_MAX = 3600000, // one that somebody reads stays readable
    HIGH_WATER_DELAY_MS = 100, // the durable high-water mark follows after so long a pause
    SWITCHOVER_MS_MAX = 1000,  // a handover that takes longer is given up
};

static_assert(HEARTBEAT_MS * 4 <= SUSPECT_AFTER_MS, "a few heartbeats may be lost");

#endif
