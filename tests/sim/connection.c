/*
 * Connections between processes: how they come to stand, break and come back, and cuts.
 *
 *               network_connect           attempt: peer is there
 *      idle ───────────────► connecting ───────────────────────► up
 *                             │      ▲                            │
 *        attempt: peer is gone│      │ peer starts, cut heals     │ peer gone, connection breaks
 *        (PEER_DOWN)          ▼      │                            ▼
 *                            down ───┘                        connecting, and a new attempt
 *
 * An attempt through a cut hangs until the cut heals, or is refused, as the cut says. Nobody polls:
 * a peer that starts and a cut that heals cause the attempts that would succeed now. A connection
 * is meant for one home of its peer: when the peer has moved, all attempts are refused.
 */
#include "tests/sim/network.h"

#include "base/assert.h"
#include "tests/sim/packet.h"

enum { REFUSAL_US_MIN = 10000, REFUSAL_US_MAX = 20000, RECONNECT_US_MAX = 100000 };
enum { DELAY_CALM_US = 200 };

static struct connection *connection_of(struct network *network, unsigned from, unsigned to)
{
    return &network->connections[from][to];
}

static uint64_t pack_attempt(unsigned from, unsigned to, uint32_t attempt)
{
    return (uint64_t)from << 40 | (uint64_t)to << 32 | attempt;
}

static void run_attempt(void *context, uint64_t argument);

static void schedule_attempt(struct network *network, unsigned from, unsigned to, uint64_t delay_us)
{
    struct connection *connection = connection_of(network, from, to);
    connection->attempt++;
    world_at(network->world, network->world->now_us + delay_us, run_attempt, network,
             pack_attempt(from, to, connection->attempt));
}

static uint64_t draw_handshake(struct network *network)
{
    return 2 * random_wait(&network->random, network->manner.delay_us);
}

static uint64_t pack_peer_event(const struct shell *shell, unsigned to, uint32_t home, bool is_up)
{
    return (uint64_t)shell->life << 32 | home << 9 | to << 1 | is_up;
}

// The argument is the life of the process, the home and number of the peer, and whether it is up.
static void run_peer_event(void *context, uint64_t argument)
{
    struct shell *shell = context;
    if (!shell->is_up || shell->life != argument >> 32 ||
        shell_defers(shell, run_peer_event, context, argument)) {
        return;
    }
    const struct shell *peer = shell->network->shells[(argument >> 1) & 0xff];
    bool is_up = (argument & 1) != 0;
    world_trace(shell->world, "%s: peer %s is %s", shell->name, peer->name, is_up ? "up" : "down");
    struct event event = {.kind = is_up ? EVENT_PEER_UP : EVENT_PEER_DOWN,
                          .from = shell_address(peer, (uint32_t)argument >> 9)};
    shell_step(shell, &event);
}

static void tell_peer_event(struct network *network, unsigned from, unsigned to, uint32_t home,
                            bool is_up)
{
    struct shell *shell = network->shells[from];
    world_at(network->world, 0, run_peer_event, shell, pack_peer_event(shell, to, home, is_up));
}

static void establish(struct network *network, unsigned from, unsigned to)
{
    struct connection *connection = connection_of(network, from, to);
    connection->state = CONNECTION_UP;
    connection->establishment++;
    tell_peer_event(network, from, to, connection->home, true);
    for (struct packet *packet = packet_list_take(&connection->backlog); packet != NULL;
         packet = packet_list_take(&connection->backlog)) {
        network_fly(network, packet);
    }
}

static void refuse(struct network *network, unsigned from, unsigned to)
{
    struct connection *connection = connection_of(network, from, to);
    connection->state = CONNECTION_DOWN;
    packet_list_drop(network, &connection->backlog);
    tell_peer_event(network, from, to, connection->home, false);
}

// True if a cut between the two makes connecting fail at once.
static bool is_refused_by_cut(const struct network *network, unsigned from, unsigned to)
{
    for (size_t i = 0; i < NETWORK_CUTS_MAX; i++) {
        const struct network_cut *cut = &network->cuts[i];
        uint32_t both = SHELL_BIT(from) | SHELL_BIT(to);
        if (cut->is_active && cut->is_refused && (cut->from & both) && (cut->to & both)) {
            return true;
        }
    }
    return false;
}

static void run_attempt(void *context, uint64_t argument)
{
    struct network *network = context;
    unsigned from = (argument >> 40) & 0xff;
    unsigned to = (argument >> 32) & 0xff;
    struct connection *connection = connection_of(network, from, to);
    bool is_wanted = connection->state == CONNECTION_CONNECTING ||
                     connection->state == CONNECTION_DOWN;
    if (!is_wanted || connection->attempt != (uint32_t)argument) {
        return;
    }
    bool is_silent = network_is_cut(network, from, to) || network_is_cut(network, to, from);
    if (is_silent && !is_refused_by_cut(network, from, to)) {
        return;
    }
    const struct shell *peer = network->shells[to];
    if (!is_silent && peer->is_up && peer->home == connection->home) {
        establish(network, from, to);
    } else if (connection->state == CONNECTION_CONNECTING) {
        refuse(network, from, to);
    }
}

// Takes the connection down; what was sent on it arrives or not.
static void take_down(struct network *network, unsigned from, unsigned to,
                      enum connection_state next)
{
    struct connection *connection = connection_of(network, from, to);
    connection->state = next;
    connection->attempt++;
    if (random_chance(&network->random, 500000)) {
        connection->lost_up_to = connection->establishment;
    }
    packet_list_drop(network, &connection->backlog);
    packet_list_drop(network, &connection->stuck[0]);
    packet_list_drop(network, &connection->stuck[1]);
}

// Finds the process that has, or had, this endpoint; NULL for nobody.
static const struct shell *find_endpoint(const struct network *network, struct bytes endpoint,
                                         uint32_t *ret_home)
{
    uint64_t address = address_of_endpoint(endpoint);
    for (unsigned i = 0; i < network->shell_count; i++) {
        if (network->shells[i]->address == address) {
            *ret_home = network->shells[i]->home;
            return network->shells[i];
        }
    }
    for (unsigned i = 0; i < network->shell_count; i++) {
        for (uint32_t home = network->shells[i]->home; home-- > 0;) {
            if (shell_address(network->shells[i], home) == address) {
                *ret_home = home;
                return network->shells[i];
            }
        }
    }
    return NULL;
}

void network_connect(struct network *network, struct shell *shell, struct bytes endpoint)
{
    uint32_t home;
    const struct shell *peer = find_endpoint(network, endpoint, &home);
    if (peer == NULL) {
        return;
    }
    struct connection *connection = connection_of(network, shell->number, peer->number);
    if (connection->state != CONNECTION_IDLE && connection->home == home) {
        return;
    }
    if (connection->state != CONNECTION_IDLE && home != peer->home) {
        tell_peer_event(network, shell->number, peer->number, home, false);
        return;
    }
    if (connection->state != CONNECTION_IDLE) {
        take_down(network, shell->number, peer->number, CONNECTION_IDLE);
    }
    connection->home = home;
    connection->state = CONNECTION_CONNECTING;
    schedule_attempt(network, shell->number, peer->number, draw_handshake(network));
}

static void break_connection(struct network *network, unsigned from, unsigned to)
{
    if (connection_of(network, from, to)->state != CONNECTION_UP) {
        return;
    }
    take_down(network, from, to, CONNECTION_CONNECTING);
    schedule_attempt(network, from, to,
                     random_between(&network->random, REFUSAL_US_MIN, REFUSAL_US_MAX));
}

void network_disconnect(struct network *network, struct shell *shell, uint64_t address)
{
    for (unsigned to = 0; to < network->shell_count; to++) {
        uint32_t home = connection_of(network, shell->number, to)->home;
        if (shell_address(network->shells[to], home) == address) {
            take_down(network, shell->number, to, CONNECTION_IDLE);
        }
    }
}

// Tries again what is wanted and does not stand.
static void retry(struct network *network, unsigned from, unsigned to)
{
    const struct connection *connection = connection_of(network, from, to);
    if (connection->state == CONNECTION_CONNECTING || connection->state == CONNECTION_DOWN) {
        schedule_attempt(network, from, to, random_below(&network->random, RECONNECT_US_MAX));
    }
}

void network_started(struct network *network, struct shell *shell)
{
    for (unsigned from = 0; from < network->shell_count; from++) {
        retry(network, from, shell->number);
    }
}

void network_stopped(struct network *network, struct shell *shell)
{
    for (unsigned other = 0; other < network->shell_count; other++) {
        take_down(network, shell->number, other, CONNECTION_IDLE);
        break_connection(network, other, shell->number);
    }
}

unsigned network_cut(struct network *network, uint32_t from, uint32_t to, bool is_refused)
{
    unsigned number = 0;
    while (number < NETWORK_CUTS_MAX && network->cuts[number].is_active) {
        number++;
    }
    if (number == NETWORK_CUTS_MAX) {
        return number;
    }
    network->cuts[number] = (struct network_cut){
        .from = from, .to = to, .is_refused = is_refused, .is_active = true};
    if (is_refused) {
        network_break(network, from, to);
    }
    return number;
}

// What got stuck goes on, or the connection breaks.
static void unstick(struct network *network, unsigned from, unsigned to)
{
    struct connection *connection = connection_of(network, from, to);
    bool is_breaking = random_chance(&network->random, 500000);
    for (unsigned way = 0; way < 2; way++) {
        struct packet_list list = connection->stuck[way];
        bool is_free = way == 0 ? !network_is_cut(network, from, to)
                                : !network_is_cut(network, to, from);
        if (list.count == 0 || !is_free) {
            continue;
        }
        if (is_breaking) {
            break_connection(network, from, to);
            return;
        }
        connection->stuck[way] = (struct packet_list){0};
        for (struct packet *packet = packet_list_take(&list); packet != NULL;
             packet = packet_list_take(&list)) {
            network_fly(network, packet);
        }
    }
}

void network_heal(struct network *network, unsigned cut)
{
    if (cut >= NETWORK_CUTS_MAX || !network->cuts[cut].is_active) {
        return;
    }
    network->cuts[cut].is_active = false;
    uint32_t ends = network->cuts[cut].from | network->cuts[cut].to;
    for (unsigned from = 0; from < network->shell_count; from++) {
        for (unsigned to = 0; to < network->shell_count; to++) {
            if ((ends & SHELL_BIT(from)) && (ends & SHELL_BIT(to))) {
                unstick(network, from, to);
                retry(network, from, to);
            }
        }
    }
}

void network_heal_all(struct network *network)
{
    for (unsigned cut = 0; cut < NETWORK_CUTS_MAX; cut++) {
        network_heal(network, cut);
    }
}

void network_break(struct network *network, uint32_t one, uint32_t other)
{
    for (unsigned from = 0; from < network->shell_count; from++) {
        for (unsigned to = 0; to < network->shell_count; to++) {
            bool is_between = ((one & SHELL_BIT(from)) && (other & SHELL_BIT(to))) ||
                              ((other & SHELL_BIT(from)) && (one & SHELL_BIT(to)));
            if (is_between) {
                break_connection(network, from, to);
            }
        }
    }
}

void network_hold(struct network *network, const struct network_hold *hold)
{
    size_t number = 0;
    while (number < NETWORK_HOLDS_MAX && network->holds[number].is_active) {
        number++;
    }
    ASSERT(number < NETWORK_HOLDS_MAX);
    network->holds[number] = *hold;
    network->holds[number].is_active = true;
}

void network_release_holds(struct network *network)
{
    for (size_t i = 0; i < NETWORK_HOLDS_MAX; i++) {
        struct network_hold *hold = &network->holds[i];
        hold->is_active = hold->is_active && hold->mode == HOLD_DROP;
    }
    struct packet_list list = network->held;
    network->held = (struct packet_list){0};
    for (struct packet *packet = packet_list_take(&list); packet != NULL;
         packet = packet_list_take(&list)) {
        connection_of(network, packet->connector, packet->acceptor)->lost_up_to = 0;
        network_fly(network, packet);
    }
}

void network_end_drops(struct network *network)
{
    for (size_t i = 0; i < NETWORK_HOLDS_MAX; i++) {
        struct network_hold *hold = &network->holds[i];
        hold->is_active = hold->is_active && hold->mode != HOLD_DROP;
    }
}

void network_calm(struct network *network)
{
    network->manner = (struct network_manner){.delay_us = DELAY_CALM_US};
    memset(network->slowness, 0, sizeof network->slowness);
}
