/*
 * What a pure machine is made of: events in, effects out. A machine never sees a socket, a clock,
 * a thread, a file or a log call; a shell (actors/runtime, the client's loop, tests/sim) turns
 * frames, timers and finished disk requests into events, and effects into frames, timers and disk
 * requests. Time arrives in the event.
 */
#ifndef SKEIN_CLUSTER_MACHINE_H
#define SKEIN_CLUSTER_MACHINE_H

#include "base/buffer.h"
#include "base/status.h"
#include "wire/entry.h"
#include "wire/message.h"

/*
 * Where messages go to and come from. A machine makes the address of an endpoint it wants to talk
 * to with address_of_endpoint() and asks for the connection with outbox_connect(); the other side
 * of that connection sees an address made by its shell, good for answers while the connection
 * lives. The two never collide: the shell's have the top bit set. 0 is nobody.
 */
uint64_t address_of_endpoint(struct bytes endpoint);

enum event_kind {
    EVENT_START,     // first event of a machine
    EVENT_MESSAGE,   // `message` came from `from`
    EVENT_TIMER,     // `timer` is due
    EVENT_DISK,      // a disk request finished
    EVENT_PEER_UP,   // the connection to `from` (an address we asked for) stands
    EVENT_PEER_DOWN, // the connection to `from` is gone and was refused again, or never stood
    EVENT_TURN,      // everything at hand was handed in: the moment to close batches
    EVENT_STOP,      // the operator wants a clean stop; the machine answers with outbox_stop
};

enum disk_kind {
    DISK_APPEND,   // framed entries at the end of the journal, then sync
    DISK_TRUNCATE, // remove journal entries after `position`, durably
    DISK_VOTE,     // write and sync the vote file
    DISK_READ,     // read back framed entries from `position`, about `size` bytes
    DISK_DROP,     // drop journal segments all of whose entries are below `position`
    DISK_FLUSH,    // make the state, applied up to `position`, durable
    DISK_RESET,    // empty the journal; it then begins after `base` (a damaged one, rule 20)
    DISK_INSTALL,  // make the received state durable as generation `generation`, with a journal
                   // that begins at `base` (kept if it holds that entry), then write the vote file
};

// What a machine asks of its disk. One first-in-first-out queue (rule 7), but READ, DROP and FLUSH
// may finish late. Bytes belong to the outbox.
struct disk_request {
    enum disk_kind kind;
    uint64_t sequence;       // grows by one with every request of a machine
    struct bytes bytes;      // APPEND: framed entries; VOTE, INSTALL: encoded vote_record
    uint64_t position;       // see disk_kind
    uint64_t size;           // READ: bytes wanted; at least one entry comes
    uint64_t generation;     // INSTALL
    struct entry_place base; // INSTALL, RESET
};

// How a request ended. read_only means that the disk is full and nothing was written; every other
// failure of APPEND, TRUNCATE, VOTE or INSTALL has already stopped the process (rule 21).
struct disk_done {
    enum disk_kind kind;
    uint64_t sequence;
    enum status status;
    uint64_t position;       // READ: where the bytes begin; else as asked
    struct bytes bytes;      // READ: framed entries; borrowed for the step
    struct entry_place base; // DROP: the entry before the first one that the journal holds now
};

struct event {
    enum event_kind kind;
    uint64_t now_us;               // monotonic; the only clock for timing
    uint64_t wall_us;              // since 1970, may jump; only ever stamped into entries and logs
    uint64_t from;                 // MESSAGE, PEER_UP, PEER_DOWN
    struct bytes from_name;        // MESSAGE: name in the head of the frame
    uint64_t from_cluster_id;      // MESSAGE: cluster in the head of the frame; 0 for none
    const struct message *message; // MESSAGE; borrows from its frame, lives for the step
    struct bytes encoded;          // MESSAGE: the same message as it was encoded
    uint32_t timer;                // TIMER
    const struct disk_done *done;  // DISK
};

enum effect_kind {
    EFFECT_SEND,       // send `bytes`, an encoded message, to `to`
    EFFECT_CONNECT,    // keep a connection to endpoint `bytes` under address `to`
    EFFECT_DISCONNECT, // give up the connection `to`
    EFFECT_TIMER,      // call `timer` at `at_us`; 0 for never; one time for each timer
    EFFECT_DISK,       // `disk`
    EFFECT_QUERY,      // run the encoded message `bytes` of `to` on the query thread
    EFFECT_CLUSTER,    // from now on the process belongs to cluster `at_us`
    EFFECT_LOG,        // tell the operator: `bytes` is text, "event=... key=value"
    EFFECT_STOP,       // end the process with exit code `timer`; `bytes` says why
};

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct effect {
    enum effect_kind kind;
    uint64_t to;              // an address
    size_t offset;            // where the bytes begin in the outbox
    size_t size;              // their size
    uint64_t at_us;           // TIMER, CLUSTER
    uint32_t timer;           // TIMER, STOP; LOG: enum log_level
    struct disk_request disk; // DISK, its bytes are left empty: see outbox_effect_bytes
};

// Exit codes of a process; EXIT_REBOOT never leaves it: the shell opens the
// storage process anew from its directory, after a state transfer was installed.
enum {
    EXIT_CLEAN = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_DAMAGED = 3,
    EXIT_NO_AUTHORITY = 4,
    EXIT_REBOOT = 100
};

// Effects of the steps since it was last cleared, in order. The shell owns it.
struct outbox {
    struct effect *effects; // owned array
    size_t count;
    size_t capacity;
    struct buffer bytes; // what the effects carry
};

// A machine as its shell sees it.
struct machine {
    void *self;
    void (*step)(void *self, const struct event *event, struct outbox *out);
};

void outbox_init(struct outbox *outbox);
void outbox_release(struct outbox *outbox);
void outbox_clear(struct outbox *outbox);

// The bytes that an effect carries, borrowed until the outbox changes.
struct bytes outbox_effect_bytes(const struct outbox *outbox, const struct effect *effect);

// Encodes the message into the outbox; nothing of it is borrowed afterwards.
void outbox_send(struct outbox *outbox, uint64_t to, const struct message *message);

// The same for a message that is encoded already.
void outbox_send_encoded(struct outbox *outbox, uint64_t to, struct bytes encoded);

// Connects to an endpoint and returns its address. Asking again for a standing connection changes
// nothing.
uint64_t outbox_connect(struct outbox *outbox, struct bytes endpoint);
void outbox_disconnect(struct outbox *outbox, uint64_t to);

// Sets the one time at which `timer` is called; 0 takes it back.
void outbox_timer(struct outbox *outbox, uint32_t timer, uint64_t at_us);

// Copies the request and its bytes.
void outbox_disk(struct outbox *outbox, const struct disk_request *request);

// Hands a message of `from` to the query machine, which answers it.
void outbox_query(struct outbox *outbox, uint64_t from, struct bytes encoded);

// The shell sends this cluster id in every frame from now on.
void outbox_cluster(struct outbox *outbox, uint64_t cluster_id);

// One line for the operator: event name first, then key=value pairs. Never a payload, never a key.
__attribute__((format(printf, 3, 4))) void outbox_log(struct outbox *outbox, enum log_level level,
                                                      const char *format, ...);

// Ends the process with `exit_code` when the step is over.
__attribute__((format(printf, 3, 4))) void outbox_stop(struct outbox *outbox, uint32_t exit_code,
                                                       const char *format, ...);

// Answers request `request` of `to` with a refusal. `message` is a sentence for a person.
void outbox_refuse(struct outbox *outbox, uint64_t to, uint64_t request, enum status status,
                   const char *message);

#endif
