/*
 * The topology: one slot for each coordinator with what it published last, and the union of them.
 *
 *   topology_update -> the coordinator's slot is replaced -> topology_merge -> members, primary
 *
 * 1. Of two records of one process the one with the later beat counts, of two incarnations the
 *    one that somebody can reach, else the one that the coordinator heard last tells of.
 * 2. The highest epoch names the primary. It never falls: the word of a coordinator that is
 *    behind does not bring a deposed primary back, even when the better one is silent.
 * 3. A coordinator tells of itself in its own list, so the record of a silent one is kept, as
 *    unreachable; its other news are forgotten when another coordinator is heard.
 * 4. Slots and members are bounded. A coordinator started anew takes the slot of its former self,
 *    else the slot not heard for longest is taken.
 *
 * The whole union is made anew at every update: a few hundred members at most, once a second.
 */
#include "cluster/topology.h"

#include "base/assert.h"
#include "cluster/machine.h"
#include "cluster/word.h"

#include <stdlib.h>

enum { MEMBERS_SIZE_MAX = 128 * KIB };

// What one coordinator published last.
struct source {
    uint64_t coordinator;            // its incarnation; 0 for a free slot
    uint64_t sequence;               // of the topology taken last
    uint64_t heard_us;               // when that was
    bool is_silent;                  // only its own record counts
    uint64_t epoch;                  // of the primary named, or the highest known
    char primary[NAME_SIZE_MAX + 1]; // empty for none
    struct topology_member *members; // owned
    size_t count;
};

// The union.
struct view {
    uint64_t epoch;                  // highest known
    char primary[NAME_SIZE_MAX + 1]; // empty for none
    struct topology_member *members; // owned, in order of names
    size_t count;
};

struct topology {
    uint64_t cluster_id;                  // 0 until a coordinator named it
    char cluster_name[NAME_SIZE_MAX + 1]; // empty until a coordinator named it
    struct source sources[COORDINATOR_COUNT_MAX];
    struct view view;
};

enum status topology_member_read(const struct message_member *message,
                                 struct topology_member *ret_member)
{
    struct topology_member member = {
        .address = address_of_endpoint(message->endpoint),
        .role = (enum role)message->role,
        .state = (enum member_state)message->state,
        .incarnation = message->incarnation,
        .directory_id = message->directory_id,
        .epoch = message->epoch,
        .promised = message->promised,
        .last_position = message->last_position,
        .commit_position = message->commit_position,
        .applied_version = message->applied_version,
        .beat = message->beat,
        .pid = message->pid,
    };
    TRY(word_copy(message->name, member.name, sizeof member.name));
    TRY(word_copy(message->endpoint, member.endpoint, sizeof member.endpoint));
    TRY(word_copy(message->trace_endpoint, member.trace_endpoint, sizeof member.trace_endpoint));
    bool is_named = member.name[0] != '\0' && member.endpoint[0] != '\0';
    bool has_role = member.role >= ROLE_primary && member.role <= ROLE_monitor;
    bool has_state = member.state >= MEMBER_ready && member.state <= MEMBER_unreachable;
    bool was_heard = member.state != MEMBER_unreachable;
    if (!is_named || !has_role || !has_state || (was_heard && member.incarnation == 0)) {
        return STATUS_bad_request;
    }
    *ret_member = member;
    return STATUS_ok;
}

void topology_member_encode(const struct topology_member *member, struct buffer *out)
{
    struct message message = {
        .kind = MESSAGE_member,
        .member = {.name = bytes_from_text(member->name),
                   .role = (uint8_t)member->role,
                   .endpoint = bytes_from_text(member->endpoint),
                   .trace_endpoint = bytes_from_text(member->trace_endpoint),
                   .incarnation = member->incarnation,
                   .directory_id = member->directory_id,
                   .pid = member->pid,
                   .state = (uint8_t)member->state,
                   .epoch = member->epoch,
                   .promised = member->promised,
                   .last_position = member->last_position,
                   .commit_position = member->commit_position,
                   .applied_version = member->applied_version,
                   .beat = member->beat},
    };
    message_encode(&message, out);
}

struct topology *topology_new(void)
{
    struct topology *topology = calloc(1, sizeof *topology);
    ASSERT(topology != NULL);
    return topology;
}

static void source_release(struct source *source)
{
    free(source->members);
    *source = (struct source){0};
}

void topology_destroy(struct topology **take_topology)
{
    struct topology *topology = *take_topology;
    if (topology == NULL) {
        return;
    }
    for (size_t i = 0; i < COORDINATOR_COUNT_MAX; i++) {
        source_release(&topology->sources[i]);
    }
    free(topology->view.members);
    free(topology);
    *take_topology = NULL;
}

// Checks every member of a list and counts them.
static enum status members_check(struct bytes list, size_t *ret_count)
{
    size_t count = 0;
    while (list.size > 0) {
        struct message message;
        struct topology_member member;
        TRY(message_decode(&list, &message));
        if (message.kind != MESSAGE_member || count == MEMBER_COUNT_MAX) {
            return STATUS_bad_request;
        }
        TRY(topology_member_read(&message.member, &member));
        count++;
    }
    *ret_count = count;
    return STATUS_ok;
}

// Reads a list that members_check() found good.
static struct topology_member *members_read(struct bytes list, size_t count)
{
    struct topology_member *members = calloc(count == 0 ? 1 : count, sizeof *members);
    ASSERT(members != NULL);
    for (size_t i = 0; i < count; i++) {
        struct message message;
        enum status status = message_decode(&list, &message);
        ASSERT(status == STATUS_ok);
        status = topology_member_read(&message.member, &members[i]);
        ASSERT(status == STATUS_ok);
    }
    return members;
}

// The coordinator's record of itself; NULL if it did not list itself.
static const struct topology_member *source_self(const struct source *source)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct topology_member *member = &source->members[i];
        if (member->role == ROLE_coordinator && member->incarnation == source->coordinator) {
            return member;
        }
    }
    return NULL;
}

// Where the name is in the view, or where it would be put in.
static size_t view_search(const struct view *view, struct bytes name, bool *ret_found)
{
    size_t low = 0;
    size_t high = view->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = bytes_compare(bytes_from_text(view->members[middle].name), name);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_found = false;
    return low;
}

// Whether `later`, from a coordinator heard after the one of `known`, replaces it.
static bool member_replaces(const struct topology_member *later,
                            const struct topology_member *known)
{
    bool known_is_gone = known->state == MEMBER_unreachable;
    if (later->incarnation == known->incarnation) {
        return later->beat > known->beat || (later->beat == known->beat && known_is_gone);
    }
    return known_is_gone || later->state != MEMBER_unreachable;
}

static void view_add(struct view *view, const struct topology_member *member)
{
    bool is_known;
    size_t at = view_search(view, bytes_from_text(member->name), &is_known);
    if (is_known) {
        if (member_replaces(member, &view->members[at])) {
            view->members[at] = *member;
        }
        return;
    }
    if (view->count == MEMBER_COUNT_MAX) {
        return;
    }
    memmove(&view->members[at + 1], &view->members[at], (view->count - at) * sizeof *view->members);
    view->members[at] = *member;
    view->count++;
}

static void view_add_source(struct view *view, const struct source *source)
{
    if (!source->is_silent) {
        for (size_t i = 0; i < source->count; i++) {
            view_add(view, &source->members[i]);
        }
        return;
    }
    const struct topology_member *self = source_self(source);
    if (self != NULL) {
        struct topology_member gone = *self;
        gone.state = MEMBER_unreachable;
        view_add(view, &gone);
    }
}

// Who leads: the word of the sources that know the highest epoch, if they are not behind.
static void view_choose_primary(struct view *view, const struct source *source)
{
    if (source->is_silent || source->epoch < view->epoch) {
        return;
    }
    if (source->epoch > view->epoch || source->primary[0] != '\0') {
        view->epoch = source->epoch;
        memcpy(view->primary, source->primary, sizeof view->primary);
    }
}

// The sources in the order in which they were heard; free slots are left out.
static size_t topology_order(const struct topology *topology,
                             const struct source *ret_sources[COORDINATOR_COUNT_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < COORDINATOR_COUNT_MAX; i++) {
        const struct source *source = &topology->sources[i];
        if (source->coordinator == 0) {
            continue;
        }
        size_t at = count++;
        for (; at > 0 && ret_sources[at - 1]->heard_us > source->heard_us; at--) {
            ret_sources[at] = ret_sources[at - 1];
        }
        ret_sources[at] = source;
    }
    return count;
}

static bool member_equal(const struct topology_member *a, const struct topology_member *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->endpoint, b->endpoint) == 0 &&
           strcmp(a->trace_endpoint, b->trace_endpoint) == 0 && a->role == b->role &&
           a->state == b->state && a->incarnation == b->incarnation &&
           a->directory_id == b->directory_id;
}

static bool view_equal(const struct view *a, const struct view *b)
{
    if (a->epoch != b->epoch || strcmp(a->primary, b->primary) != 0 || a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!member_equal(&a->members[i], &b->members[i])) {
            return false;
        }
    }
    return true;
}

// Makes the union anew; true if it is another than before.
static bool topology_merge(struct topology *topology)
{
    const struct source *sources[COORDINATOR_COUNT_MAX];
    size_t source_count = topology_order(topology, sources);
    size_t member_count = 1;
    bool is_known = false;
    for (size_t i = 0; i < source_count; i++) {
        member_count += sources[i]->count;
        is_known |= !sources[i]->is_silent && sources[i]->epoch >= topology->view.epoch;
    }
    struct view view = {.epoch = topology->view.epoch};
    view.members = calloc(member_count, sizeof *view.members);
    ASSERT(view.members != NULL);
    if (!is_known) {
        memcpy(view.primary, topology->view.primary, sizeof view.primary);
    }
    for (size_t i = 0; i < source_count; i++) {
        view_add_source(&view, sources[i]);
        view_choose_primary(&view, sources[i]);
    }
    bool is_changed = !view_equal(&view, &topology->view);
    free(topology->view.members);
    topology->view = view;
    return is_changed;
}

// The slot for news of this coordinator, whose own record is `self` (NULL if it has none).
static struct source *topology_slot(struct topology *topology, uint64_t coordinator,
                                    const struct topology_member *self)
{
    struct source *oldest = &topology->sources[0];
    for (size_t i = 0; i < COORDINATOR_COUNT_MAX; i++) {
        struct source *source = &topology->sources[i];
        const struct topology_member *former = source_self(source);
        bool is_same_name = self != NULL && former != NULL && strcmp(self->name, former->name) == 0;
        if (source->coordinator == coordinator || is_same_name) {
            return source;
        }
        bool is_older = source->coordinator == 0 || source->heard_us < oldest->heard_us;
        if (oldest->coordinator != 0 && is_older) {
            oldest = source;
        }
    }
    return oldest;
}

enum status topology_update(struct topology *topology, const struct message_topology *message,
                            uint64_t now_us, bool *ret_changed)
{
    struct source news = {
        .coordinator = message->coordinator,
        .sequence = message->sequence,
        .heard_us = now_us,
        .epoch = message->epoch,
    };
    char cluster_name[NAME_SIZE_MAX + 1];
    TRY(word_copy(message->primary, news.primary, sizeof news.primary));
    TRY(word_copy(message->cluster_name, cluster_name, sizeof cluster_name));
    TRY(members_check(message->members, &news.count));
    if (message->cluster_id != 0 && topology->cluster_id != 0 &&
        message->cluster_id != topology->cluster_id) {
        return STATUS_wrong_cluster;
    }
    *ret_changed = false;
    if (message->coordinator == 0) {
        return STATUS_ok;
    }
    news.members = members_read(message->members, news.count);
    struct source *slot = topology_slot(topology, news.coordinator, source_self(&news));
    if (slot->coordinator == news.coordinator && slot->sequence > news.sequence) {
        source_release(&news);
        return STATUS_ok;
    }
    source_release(slot);
    *slot = news;
    bool is_named = message->cluster_id != 0 && topology->cluster_id == 0;
    topology->cluster_id = is_named ? message->cluster_id : topology->cluster_id;
    memcpy(topology->cluster_name, cluster_name, sizeof cluster_name);
    *ret_changed = topology_merge(topology) || is_named;
    return STATUS_ok;
}

bool topology_expire(struct topology *topology, uint64_t expiry_us)
{
    bool is_heard = false;
    for (size_t i = 0; i < COORDINATOR_COUNT_MAX; i++) {
        const struct source *source = &topology->sources[i];
        is_heard |= source->coordinator != 0 && source->heard_us >= expiry_us;
    }
    bool is_changed = false;
    for (size_t i = 0; i < COORDINATOR_COUNT_MAX && is_heard; i++) {
        struct source *source = &topology->sources[i];
        bool expires = source->coordinator != 0 && source->heard_us < expiry_us;
        is_changed |= expires && !source->is_silent;
        source->is_silent |= expires;
    }
    return is_changed && topology_merge(topology);
}

uint64_t topology_cluster_id(const struct topology *topology)
{
    return topology->cluster_id;
}

uint64_t topology_epoch(const struct topology *topology)
{
    return topology->view.epoch;
}

const struct topology_member *topology_primary(const struct topology *topology)
{
    return topology_find(topology, bytes_from_text(topology->view.primary));
}

const struct topology_member *topology_members(const struct topology *topology, size_t *ret_count)
{
    *ret_count = topology->view.count;
    return topology->view.members;
}

const struct topology_member *topology_find(const struct topology *topology, struct bytes name)
{
    bool is_known;
    size_t at = view_search(&topology->view, name, &is_known);
    return is_known ? &topology->view.members[at] : NULL;
}

// The coordinator heard last; its number stands for the union when that is passed on.
static const struct source *topology_latest(const struct topology *topology)
{
    const struct source *sources[COORDINATOR_COUNT_MAX];
    size_t count = topology_order(topology, sources);
    return count == 0 ? &topology->sources[0] : sources[count - 1];
}

void topology_encode(const struct topology *topology, struct buffer *out)
{
    const struct source *latest = topology_latest(topology);
    AUTO(buffer_release) struct buffer members = {0};
    for (size_t i = 0; i < topology->view.count; i++) {
        size_t size = members.size;
        topology_member_encode(&topology->view.members[i], &members);
        if (members.size > MEMBERS_SIZE_MAX) {
            buffer_truncate(&members, size);
        }
    }
    struct message message = {
        .kind = MESSAGE_topology,
        .topology = {.cluster_id = topology->cluster_id,
                     .epoch = topology->view.epoch,
                     .primary = bytes_from_text(topology->view.primary),
                     .coordinator = latest->coordinator,
                     .sequence = latest->sequence,
                     .cluster_name = bytes_from_text(topology->cluster_name),
                     .members = buffer_bytes(&members)},
    };
    message_encode(&message, out);
}
