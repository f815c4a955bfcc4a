/*
 * Connections and messages.
 *
 * 1. Each standing connection has a number; the accepting side knows its peer by an address made of
 *    it, so answers to a connection that is gone go nowhere.
 * 2. Usually a connection is a first-in-first-out pipe each way: messages behind a cut get stuck,
 *    and when the cut heals they arrive late or the connection breaks and they are lost. In a harsh
 *    network every message finds its own way, or none, or two.
 * 3. What is sent to a connecting peer waits for the handshake; what is sent to a peer that is down
 *    is dropped: as client/peer_sockets.h says.
 * 4. A receiver takes only what was sent to its present life, unless messages outlive it.
 */
#include "tests/sim/network.h"

#include "base/assert.h"
#include "tests/sim/packet.h"

#include <stdlib.h>

static const uint64_t ADDRESS_ACCEPTED = (uint64_t)1 << 63;

enum { STRAGGLER_US_MAX = 2000000, OUTLIVE_TRIES_MAX = 8 };

static struct connection *connection_of(struct network *network, unsigned from, unsigned to)
{
    return &network->connections[from][to];
}

void network_init(struct network *network, struct world *world, uint64_t seed)
{
    *network = (struct network){.world = world};
    random_init(&network->random, seed);
}

void network_release(struct network *network)
{
    packets_release(network);
}

void network_add(struct network *network, struct shell *shell)
{
    ASSERT(network->shell_count < SHELL_COUNT_MAX);
    shell->number = network->shell_count;
    network->shells[network->shell_count++] = shell;
}

bool network_is_cut(const struct network *network, unsigned from, unsigned to)
{
    for (size_t i = 0; i < NETWORK_CUTS_MAX; i++) {
        const struct network_cut *cut = &network->cuts[i];
        if (cut->is_active && (cut->from & SHELL_BIT(from)) && (cut->to & SHELL_BIT(to))) {
            return true;
        }
    }
    return false;
}

static uint64_t draw_delay(struct network *network, unsigned from, unsigned to)
{
    uint64_t mean_us = network->manner.delay_us / 2 + 1;
    uint64_t delay_us = mean_us + random_wait(&network->random, mean_us);
    delay_us *= 1 + network->slowness[from] + network->slowness[to];
    if (network->manner.is_harsh &&
        random_chance(&network->random, network->manner.straggler_ppm)) {
        delay_us += random_below(&network->random, STRAGGLER_US_MAX);
    }
    return delay_us;
}

// An address that means nothing any more, or never did, gives NULL.
static struct shell *find_peer(struct network *network, uint64_t address)
{
    for (unsigned i = 0; i < network->shell_count; i++) {
        if (network->shells[i]->address == address) {
            return network->shells[i];
        }
    }
    return NULL;
}

static uint64_t accepted_address(const struct packet *packet)
{
    return ADDRESS_ACCEPTED | (uint64_t)packet->connector << 40 | (uint64_t)packet->acceptor << 32 |
           packet->establishment;
}

static void trace_packet(struct network *network, const struct packet *packet, const char *what)
{
    if (network->world->is_tracing) {
        packet_trace(network, packet, what);
    }
}

static void lose(struct network *network, struct packet *packet, const char *why)
{
    trace_packet(network, packet, why);
    packet_free(network, packet);
}

static void run_delivery(void *context, uint64_t argument);

// The receiver is gone: the message is lost, or finds a later life of it.
static void miss(struct network *network, struct packet *packet)
{
    if (!network->manner.outlives || packet->tries >= OUTLIVE_TRIES_MAX) {
        lose(network, packet, "lost: receiver gone");
        return;
    }
    packet->tries++;
    uint64_t delay_us = random_below(&network->random, STRAGGLER_US_MAX / 4);
    world_at(network->world, network->world->now_us + delay_us, run_delivery, packet, 0);
}

static void hand_in(struct network *network, const struct packet *packet)
{
    struct shell *receiver = network->shells[packet->to];
    struct bytes rest = buffer_bytes(&packet->bytes);
    struct message message;
    if (message_decode(&rest, &message) != STATUS_ok || rest.size != 0) {
        world_violate(network->world, "%s sent %s a message that can't be decoded",
                      network->shells[packet->from]->name, receiver->name);
        return;
    }
    const struct shell *sender = network->shells[packet->from];
    bool is_answer = packet->to == packet->connector;
    struct event event = {
        .kind = EVENT_MESSAGE,
        .from = is_answer ? shell_address(sender, packet->home) : accepted_address(packet),
        .from_name = bytes_from_text(sender->name),
        .from_cluster_id = packet->cluster_id,
        .message = &message,
        .encoded = buffer_bytes(&packet->bytes),
    };
    world_mix(network->world, packet_hash(packet));
    trace_packet(network, packet, "");
    shell_step(receiver, &event);
}

// The argument is not used: the packet is the context.
static void run_delivery(void *context, uint64_t argument)
{
    struct packet *packet = context;
    struct network *network = packet->network;
    struct shell *receiver = network->shells[packet->to];
    const struct connection *connection = connection_of(network, packet->connector,
                                                        packet->acceptor);
    bool is_present = receiver->is_up &&
                      (receiver->life == packet->life || network->manner.outlives);
    if (!is_present) {
        miss(network, packet);
        return;
    }
    if (shell_defers(receiver, run_delivery, packet, argument)) {
        return;
    }
    bool is_foreign = packet->cluster_id != 0 && receiver->cluster_id != 0 &&
                      packet->cluster_id != receiver->cluster_id;
    if (packet->establishment <= connection->lost_up_to || is_foreign) {
        lose(network, packet, is_foreign ? "refused: another cluster" : "lost: connection broke");
        return;
    }
    hand_in(network, packet);
    packet_free(network, packet);
}

static void fly_once(struct network *network, struct packet *packet)
{
    struct connection *connection = connection_of(network, packet->connector, packet->acceptor);
    uint64_t at_us = network->world->now_us + draw_delay(network, packet->from, packet->to);
    if (!network->manner.is_harsh) {
        uint64_t *last_us = &connection->last_us[packet->from == packet->acceptor];
        at_us = at_us < *last_us ? *last_us : at_us;
        *last_us = at_us;
    }
    world_at(network->world, at_us, run_delivery, packet, 0);
}

// The transport never duplicates; the protocol is held against it all the same. Only what counts
// copies is not: "certainly not done" is said of as many copies of a transaction as were sent.
static bool may_be_duplicated(const struct packet *packet)
{
    enum message_kind kind = packet_kind(packet);
    return kind != MESSAGE_transact && kind != MESSAGE_outcome && kind != MESSAGE_refusal;
}

// Puts the packet on its way along a standing connection.
void network_fly(struct network *network, struct packet *packet)
{
    struct connection *connection = connection_of(network, packet->connector, packet->acceptor);
    const struct network_manner *manner = &network->manner;
    struct packet_list *stuck = &connection->stuck[packet->from == packet->acceptor];
    packet->life = network->shells[packet->to]->life;
    packet->establishment = connection->establishment;
    packet->home = connection->home;
    if (network_is_cut(network, packet->from, packet->to) || stuck->count > 0) {
        if (manner->is_harsh || stuck->count >= CONNECTION_BACKLOG_MAX) {
            lose(network, packet, "lost: cut");
        } else {
            packet_list_add(stuck, packet);
        }
        return;
    }
    if (manner->is_harsh && random_chance(&network->random, manner->loss_ppm)) {
        lose(network, packet, "lost");
        return;
    }
    if (manner->is_harsh && may_be_duplicated(packet) &&
        random_chance(&network->random, manner->duplicate_ppm)) {
        fly_once(network, packet_copy(network, packet));
    }
    fly_once(network, packet);
}

static bool is_meant(const struct network_hold *hold, const struct packet *packet)
{
    return hold->is_active && (hold->from & SHELL_BIT(packet->from)) &&
           (hold->to & SHELL_BIT(packet->to)) &&
           (hold->kind == 0 || hold->kind == packet_kind(packet)) &&
           packet_passes(packet, hold->filter);
}

// True if a scenario took the packet.
static bool is_held(struct network *network, struct packet *packet)
{
    for (size_t i = 0; i < NETWORK_HOLDS_MAX; i++) {
        const struct network_hold *hold = &network->holds[i];
        if (!is_meant(hold, packet)) {
            continue;
        }
        if (hold->mode == HOLD_DROP) {
            lose(network, packet, "dropped");
            return true;
        }
        if (hold->mode == HOLD_KEEP) {
            trace_packet(network, packet, "held");
            packet_list_add(&network->held, packet);
            return true;
        }
        packet_list_add(&network->held, packet_copy(network, packet));
    }
    return false;
}

static void send_on(struct network *network, struct packet *packet)
{
    struct connection *connection = connection_of(network, packet->connector, packet->acceptor);
    bool is_waiting = connection->state == CONNECTION_CONNECTING &&
                      packet->from == packet->connector &&
                      connection->backlog.count < CONNECTION_BACKLOG_MAX;
    if (is_held(network, packet)) {
        return;
    }
    if (connection->state == CONNECTION_UP) {
        network_fly(network, packet);
    } else if (is_waiting) {
        packet_list_add(&connection->backlog, packet);
    } else {
        lose(network, packet, "lost: no connection");
    }
}

void network_send(struct network *network, struct shell *shell, uint64_t to, struct bytes bytes)
{
    unsigned connector = shell->number;
    unsigned acceptor;
    if ((to & ADDRESS_ACCEPTED) != 0) {
        connector = (to >> 40) & 0xff;
        acceptor = (to >> 32) & 0xff;
        ASSERT(acceptor == shell->number);
        const struct connection *connection = connection_of(network, connector, acceptor);
        if (connection->establishment != (uint32_t)to || connection->state != CONNECTION_UP) {
            return;
        }
    } else {
        const struct shell *peer = find_peer(network, to);
        if (peer == NULL) {
            return;
        }
        acceptor = peer->number;
    }
    struct packet *packet = packet_new(network, bytes);
    packet->connector = (uint8_t)connector;
    packet->acceptor = (uint8_t)acceptor;
    packet->from = (uint8_t)shell->number;
    packet->to = (uint8_t)(connector == shell->number ? acceptor : connector);
    packet->cluster_id = shell->cluster_id;
    send_on(network, packet);
}
