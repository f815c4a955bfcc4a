/*
 * Messages on their way through the simulated network, taken from a pool.
 */
#ifndef SKEIN_TESTS_SIM_PACKET_H
#define SKEIN_TESTS_SIM_PACKET_H

#include "tests/sim/network.h"

struct packet {
    struct network *network; // it is in
    struct packet *next;     // in a list
    struct packet *older;    // in the list of all packets of the network
    struct buffer bytes;     // one encoded message
    uint64_t cluster_id;     // the sender's, in the head of the frame
    uint32_t establishment;  // number of the connection it was sent on
    uint32_t life;           // of the receiver when it was sent
    uint32_t home;           // of the accepting process
    uint8_t connector;       // process that made the connection
    uint8_t acceptor;        // process that accepted it
    uint8_t from;            // process that sent it, one of the two
    uint8_t to;              // the other one
    uint8_t tries;           // how often it missed its receiver
};

// A packet with a copy of the bytes; everything else is zero.
struct packet *packet_new(struct network *network, struct bytes bytes);
struct packet *packet_copy(struct network *network, const struct packet *packet);
void packet_free(struct network *network, struct packet *packet);

// Frees the memory of all packets, wherever they are.
void packets_release(struct network *network);

// The kind of the message in it, enum message_kind; 0 when it is none.
uint32_t packet_kind(const struct packet *packet);
// Whether a hold with this filter means the packet.
bool packet_passes(const struct packet *packet, enum hold_filter filter);
uint64_t packet_hash(const struct packet *packet);

// Tells the packet in a line; `what` became of it, empty when it arrived.
void packet_trace(struct network *network, const struct packet *packet, const char *what);

void packet_list_add(struct packet_list *list, struct packet *packet);
// The first one is taken out; NULL when the list is empty.
struct packet *packet_list_take(struct packet_list *list);
// Frees all.
void packet_list_drop(struct network *network, struct packet_list *list);

// Puts the packet on its way along the connection, which stands.
void network_fly(struct network *network, struct packet *packet);

// True if nothing gets from one to the other at the moment.
bool network_is_cut(const struct network *network, unsigned from, unsigned to);

#endif
