/*
 * The simulated network: connections between processes with delays, loss, duplication, reordering,
 * cuts, and messages held back by a scenario.
 */
#ifndef SKEIN_TESTS_SIM_NETWORK_H
#define SKEIN_TESTS_SIM_NETWORK_H

#include "base/buffer.h"
#include "tests/sim/shell.h"
#include "tests/sim/world.h"

enum { NETWORK_CUTS_MAX = 16, NETWORK_HOLDS_MAX = 16, CONNECTION_BACKLOG_MAX = 256 };

// How the network behaves; drawn for each seed.
struct network_manner {
    uint32_t delay_us;      // mean delay of a message
    bool is_harsh;          // single messages are lost, repeated, overtaken; else only connections
                            // lose messages, when they break
    bool outlives;          // harsh: a message may reach a later life of its receiver
    uint32_t loss_ppm;      // harsh: of a million messages so many are lost
    uint32_t duplicate_ppm; // harsh: come twice
    uint32_t straggler_ppm; // harsh: come up to 2 s late
};

// A set of processes, a bit for each number.
#define SHELL_BIT(number) ((uint32_t)1 << (number))

// Nothing gets from one set to the other.
struct network_cut {
    uint32_t from;   // processes that can't send
    uint32_t to;     // to these
    bool is_refused; // connections break and are refused; else they just hang
    bool is_active;
};

enum hold_mode {
    HOLD_KEEP, // the message waits for its release
    HOLD_COPY, // it goes on its way, and a copy waits
    HOLD_DROP, // it is lost
};

// Which appends are meant.
enum hold_filter {
    HOLD_ALL,     // any
    HOLD_ENTRIES, // those with entries
    HOLD_EMPTY,   // those without
    HOLD_OWN,     // those with entries of the epoch that sends them
};

// What happens to messages of a kind between two sets of processes.
struct network_hold {
    enum hold_mode mode;
    enum hold_filter filter;
    uint32_t kind; // enum message_kind; 0 for all
    uint32_t from;
    uint32_t to;
    bool is_active;
};

struct packet; // one message on its way

enum connection_state { CONNECTION_IDLE, CONNECTION_CONNECTING, CONNECTION_UP, CONNECTION_DOWN };

// Messages in order.
struct packet_list {
    struct packet *first;
    struct packet *last;
    size_t count;
};

// The connection that one process keeps to another.
struct connection {
    enum connection_state state;
    uint32_t home;               // of the accepting process, which it is meant for
    uint32_t attempt;            // number of the last attempt to connect
    uint32_t establishment;      // number of the connection that stands, or stood last
    uint32_t lost_up_to;         // what was sent on connections up to this number is lost
    uint64_t last_us[2];         // when the last message arrives, for both directions
    struct packet_list backlog;  // waits for the handshake
    struct packet_list stuck[2]; // waits behind a cut, for both directions
};

struct network {
    struct world *world;
    struct network_manner manner;
    struct random random;
    struct shell *shells[SHELL_COUNT_MAX];
    unsigned shell_count;
    struct connection connections[SHELL_COUNT_MAX][SHELL_COUNT_MAX]; // [from][to]
    uint32_t slowness[SHELL_COUNT_MAX]; // 1 + factor on delays to and from this process
    struct network_cut cuts[NETWORK_CUTS_MAX];
    struct network_hold holds[NETWORK_HOLDS_MAX];
    struct packet_list held;     // kept back by holds
    struct packet *free_packets; // to be used again
    struct packet *all_packets;  // owned
};

void network_init(struct network *network, struct world *world, uint64_t seed);
void network_release(struct network *network);

// A process takes its place; sets shell->number.
void network_add(struct network *network, struct shell *shell);

// The process listens; it is gone.
void network_started(struct network *network, struct shell *shell);
void network_stopped(struct network *network, struct shell *shell);

// The effects of a machine. What is sent to nobody is dropped.
void network_connect(struct network *network, struct shell *shell, struct bytes endpoint);
void network_disconnect(struct network *network, struct shell *shell, uint64_t address);
void network_send(struct network *network, struct shell *shell, uint64_t to, struct bytes bytes);

// Begins a cut and returns its number; NETWORK_CUTS_MAX when there are too many.
unsigned network_cut(struct network *network, uint32_t from, uint32_t to, bool is_refused);
void network_heal(struct network *network, unsigned cut);
void network_heal_all(struct network *network);

// All connections between two sets of processes break; what is on its way may be lost.
void network_break(struct network *network, uint32_t one, uint32_t other);

// Keeps back, copies or drops messages.
void network_hold(struct network *network, const struct network_hold *hold);

// Puts what was kept on its way, whatever became of its connection, and ends all holds but drops.
void network_release_holds(struct network *network);
void network_end_drops(struct network *network);

// No faults of single messages any more, and short delays.
void network_calm(struct network *network);

#endif
