/*
 * The pool keeps packets with their buffers, so that a run soon allocates nothing for messages.
 */
#include "tests/sim/packet.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "wire/cursor.h"

#include <stdlib.h>

struct packet *packet_new(struct network *network, struct bytes bytes)
{
    struct packet *packet = network->free_packets;
    if (packet == NULL) {
        packet = calloc(1, sizeof *packet);
        ASSERT(packet != NULL);
        packet->older = network->all_packets;
        network->all_packets = packet;
    } else {
        network->free_packets = packet->next;
    }
    struct buffer kept = packet->bytes;
    buffer_clear(&kept);
    buffer_append(&kept, bytes);
    *packet = (struct packet){.network = network, .bytes = kept, .older = packet->older};
    return packet;
}

struct packet *packet_copy(struct network *network, const struct packet *packet)
{
    struct packet *copy = packet_new(network, buffer_bytes(&packet->bytes));
    struct buffer kept = copy->bytes;
    struct packet *older = copy->older;
    *copy = *packet;
    copy->bytes = kept;
    copy->older = older;
    return copy;
}

void packet_free(struct network *network, struct packet *packet)
{
    packet->next = network->free_packets;
    network->free_packets = packet;
}

void packets_release(struct network *network)
{
    while (network->all_packets != NULL) {
        struct packet *packet = network->all_packets;
        network->all_packets = packet->older;
        buffer_release(&packet->bytes);
        free(packet);
    }
}

uint32_t packet_kind(const struct packet *packet)
{
    struct cursor cursor = cursor_of(buffer_bytes(&packet->bytes));
    uint32_t count;
    uint64_t kind;
    if (cursor_array(&cursor, &count) != STATUS_ok || cursor_u64(&cursor, &kind) != STATUS_ok) {
        return 0;
    }
    return (uint32_t)kind;
}

// The epoch of the last entry in an append; 0 when there is none.
static uint64_t last_entry_epoch(const struct packet *packet, struct bytes frames)
{
    uint64_t epoch = 0;
    struct entry entry;
    size_t size;
    while (entry_decode(frames, packet->cluster_id, &entry, &size) == STATUS_ok) {
        epoch = entry.epoch;
        frames = bytes_of(frames.data + size, frames.size - size);
    }
    return epoch;
}

bool packet_passes(const struct packet *packet, enum hold_filter filter)
{
    struct bytes rest = buffer_bytes(&packet->bytes);
    struct message message;
    if (filter == HOLD_ALL) {
        return true;
    }
    if (message_decode(&rest, &message) != STATUS_ok || message.kind != MESSAGE_append) {
        return false;
    }
    bool has_entries = message.append.entries.size > 0;
    bool is_own = has_entries &&
                  last_entry_epoch(packet, message.append.entries) == message.append.epoch;
    return filter == HOLD_EMPTY ? !has_entries : filter == HOLD_OWN ? is_own : has_entries;
}

uint64_t packet_hash(const struct packet *packet)
{
    uint64_t crc = crc32c(0, buffer_bytes(&packet->bytes));
    return crc << 16 | (uint64_t)packet->from << 8 | packet->to;
}

void packet_trace(struct network *network, const struct packet *packet, const char *what)
{
    AUTO(buffer_release) struct buffer line = {0};
    struct bytes rest = buffer_bytes(&packet->bytes);
    struct message message;
    if (message_decode(&rest, &message) == STATUS_ok) {
        message_print(&message, &line);
    }
    world_trace(network->world, "%s -> %s %.*s%s%s%s", network->shells[packet->from]->name,
                network->shells[packet->to]->name, (int)line.size, (const char *)line.data,
                *what == '\0' ? "" : " (", what, *what == '\0' ? "" : ")");
}

void packet_list_add(struct packet_list *list, struct packet *packet)
{
    packet->next = NULL;
    if (list->last == NULL) {
        list->first = packet;
    } else {
        list->last->next = packet;
    }
    list->last = packet;
    list->count++;
}

struct packet *packet_list_take(struct packet_list *list)
{
    struct packet *packet = list->first;
    if (packet != NULL) {
        list->first = packet->next;
        list->last = list->first == NULL ? NULL : list->last;
        list->count--;
    }
    return packet;
}

void packet_list_drop(struct network *network, struct packet_list *list)
{
    for (struct packet *packet = packet_list_take(list); packet != NULL;
         packet = packet_list_take(list)) {
        packet_free(network, packet);
    }
}
