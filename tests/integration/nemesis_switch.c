/*
 * skein-switch: a switch of bad links, for the nemesis. It takes Ethernet frames from one interface
 * and gives them to others, as the matrix says: later, twice, not at all.
 *
 *     skein-switch MATRIX INTERFACE...
 *
 * MATRIX is a file of struct link [from][to], one for each pair of interfaces; whoever changes it
 * changes the links at once. There is one packet socket for each interface (with the header of
 * virtio, so that frames whose checksum is still to be made, or that are to be cut into smaller
 * ones, go through as they are). Frames for a MAC address that was seen go to its interface, all
 * others to every other one.
 *
 * It needs no qdisc of the kernel, only namespaces. Frames that wait are in a heap, by time; beyond
 * WAITING_MAX the newest are lost, as in any switch.
 */
#include "base/assert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PORTS_MAX = 64,
    FRAME_SIZE_MAX = 70 * 1024, // with offloading they are larger than on a wire
    HEADER_SIZE = 10,           // of virtio
    WAITING_MAX = 20000,
    TURN_FRAMES_MAX = 64, // from one interface
    MILLION = 1000000,
    NO_PORT = PORTS_MAX,
};

// How frames go from one interface to another.
struct link {
    atomic_uint is_cut;        // 1: not at all
    atomic_uint delay_us;      // at least so late
    atomic_uint jitter_us;     // and up to so much later, so that frames overtake each other
    atomic_uint loss_ppm;      // so many of a million are lost
    atomic_uint duplicate_ppm; // so many of a million arrive twice
};

struct port {
    int socket;
    uint8_t address[ETH_ALEN]; // of who lives there; zero: nothing was seen yet
};

// A frame that waits, with its header of virtio.
struct waiting {
    uint64_t at_us;
    size_t to;
    size_t size;
    uint8_t *bytes; // owned
};

struct switch_state {
    struct link *links; // [from][to]
    struct port ports[PORTS_MAX];
    size_t port_count;
    struct waiting heap[WAITING_MAX];
    size_t waiting_count;
    uint64_t random;
};

static uint64_t now_us(void)
{
    struct timespec time;
    ASSERT(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return (uint64_t)time.tv_sec * MILLION + (uint64_t)time.tv_nsec / 1000;
}

// Below `bound`, which is not 0.
static unsigned draw(struct switch_state *self, unsigned bound)
{
    self->random ^= self->random << 13;
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return (unsigned)((self->random >> 32) % bound);
}

static int open_port(const char *name)
{
    int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL),
                                  .sll_ifindex = (int)if_nametoindex(name)};
    int yes = 1;
    bool is_open = descriptor >= 0 && address.sll_ifindex != 0 &&
                   setsockopt(descriptor, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof yes) == 0 &&
                   setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) ==
                       0 &&
                   bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0;
    if (!is_open) {
        fprintf(stderr, "skein-switch: %s: %s\n", name, strerror(errno));
        exit(EXIT_FAILURE);
    }
    return descriptor;
}

static struct link *map_links(const char *path, size_t port_count)
{
    size_t size = port_count * port_count * sizeof(struct link);
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0 || ftruncate(descriptor, (off_t)size) != 0) {
        fprintf(stderr, "skein-switch: %s: %s\n", path, strerror(errno));
        exit(EXIT_FAILURE);
    }
    void *links = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    ASSERT(links != MAP_FAILED);
    close(descriptor);
    return links;
}

static void put(struct switch_state *self, const struct waiting *waiting)
{
    // A receiver without room loses it, as on a wire.
    ssize_t sent = write(self->ports[waiting->to].socket, waiting->bytes, waiting->size);
    (void)sent;
}

static void swap(struct waiting *a, struct waiting *b)
{
    struct waiting third = *a;
    *a = *b;
    *b = third;
}

static void heap_add(struct switch_state *self, struct waiting waiting)
{
    size_t at = self->waiting_count++;
    self->heap[at] = waiting;
    while (at > 0 && self->heap[(at - 1) / 2].at_us > self->heap[at].at_us) {
        swap(&self->heap[(at - 1) / 2], &self->heap[at]);
        at = (at - 1) / 2;
    }
}

static struct waiting heap_take(struct switch_state *self)
{
    struct waiting first = self->heap[0];
    self->heap[0] = self->heap[--self->waiting_count];
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
            bool is_less = child < self->waiting_count &&
                           self->heap[child].at_us < self->heap[least].at_us;
            least = is_less ? child : least;
        }
        if (least == at) {
            return first;
        }
        swap(&self->heap[at], &self->heap[least]);
        at = least;
    }
}

static void pass_once(struct switch_state *self, const struct link *link, struct waiting frame)
{
    unsigned delay = atomic_load(&link->delay_us);
    unsigned jitter = atomic_load(&link->jitter_us);
    if (delay == 0 && jitter == 0) {
        put(self, &frame);
        return;
    }
    if (self->waiting_count == WAITING_MAX) {
        return;
    }
    uint8_t *bytes = malloc(frame.size);
    ASSERT(bytes != NULL);
    memcpy(bytes, frame.bytes, frame.size);
    frame.bytes = bytes;
    frame.at_us = now_us() + delay + (jitter > 0 ? draw(self, jitter) : 0);
    heap_add(self, frame);
}

// Gives a frame, borrowed, to one interface, as their link is.
static void pass(struct switch_state *self, size_t from, struct waiting frame)
{
    const struct link *link = &self->links[from * self->port_count + frame.to];
    if (atomic_load(&link->is_cut) != 0 || draw(self, MILLION) < atomic_load(&link->loss_ppm)) {
        return;
    }
    pass_once(self, link, frame);
    if (draw(self, MILLION) < atomic_load(&link->duplicate_ppm)) {
        pass_once(self, link, frame);
    }
}

static size_t find_port(const struct switch_state *self, const uint8_t *address)
{
    for (size_t i = 0; i < self->port_count; i++) {
        if (memcmp(self->ports[i].address, address, ETH_ALEN) == 0) {
            return i;
        }
    }
    return NO_PORT;
}

static void on_frame(struct switch_state *self, size_t from, struct waiting frame)
{
    const uint8_t *target = frame.bytes + HEADER_SIZE;
    memcpy(self->ports[from].address, target + ETH_ALEN, ETH_ALEN);
    size_t to = (target[0] & 1) != 0 ? NO_PORT : find_port(self, target);
    for (frame.to = 0; frame.to < self->port_count; frame.to++) {
        if (frame.to != from && (to == NO_PORT || frame.to == to)) {
            pass(self, from, frame);
        }
    }
}

static void take_frames(struct switch_state *self, size_t from)
{
    uint8_t bytes[FRAME_SIZE_MAX];
    for (int i = 0; i < TURN_FRAMES_MAX; i++) {
        ssize_t size = read(self->ports[from].socket, bytes, sizeof bytes);
        if (size < HEADER_SIZE + ETH_HLEN) {
            return;
        }
        on_frame(self, from, (struct waiting){.bytes = bytes, .size = (size_t)size});
    }
}

static void put_due(struct switch_state *self)
{
    uint64_t now = self->waiting_count > 0 ? now_us() : 0;
    while (self->waiting_count > 0 && self->heap[0].at_us <= now) {
        struct waiting due = heap_take(self);
        put(self, &due);
        free(due.bytes);
    }
}

// Waits for a frame, or until one is due.
static void wait_for_more(struct switch_state *self)
{
    struct pollfd sockets[PORTS_MAX];
    for (size_t i = 0; i < self->port_count; i++) {
        sockets[i] = (struct pollfd){.fd = self->ports[i].socket, .events = POLLIN};
    }
    struct timespec rest = {0};
    if (self->waiting_count > 0) {
        uint64_t now = now_us();
        uint64_t left = self->heap[0].at_us > now ? self->heap[0].at_us - now : 0;
        rest = (struct timespec){.tv_sec = (time_t)(left / MILLION),
                                 .tv_nsec = (long)(left % MILLION) * 1000};
    }
    ppoll(sockets, self->port_count, self->waiting_count > 0 ? &rest : NULL, NULL);
}

int main(int word_count, char **words)
{
    if (word_count < 4 || word_count > PORTS_MAX + 2) {
        fprintf(stderr, "usage: skein-switch MATRIX INTERFACE...\n");
        return 2;
    }
    struct switch_state *self = calloc(1, sizeof *self);
    ASSERT(self != NULL);
    self->random = now_us() | 1;
    self->port_count = (size_t)word_count - 2;
    self->links = map_links(words[1], self->port_count);
    for (size_t i = 0; i < self->port_count; i++) {
        self->ports[i].socket = open_port(words[i + 2]);
    }
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        wait_for_more(self);
        put_due(self);
        for (size_t i = 0; i < self->port_count; i++) {
            take_frames(self, i);
        }
    }
}
