/*
 * Chunks of a state transfer, as a node receives them: any messages in any order, a sum of 0 stands
 * for the right one. A state that is complete is made current; what is wrong with it is found when
 * it is read.
 */
#include "tests/fuzz/fuzz.h"

#include "actors/replica/transfer_in.h"
#include "base/crc32c.h"
#include "storage/apply.h"
#include "storage/catalog.h"
#include "storage/state_memory.h"

// Makes states in memory, and keeps the last one.
struct factory {
    struct state_factory port; // first: it is cast back
    struct state *state;       // made last; the transfer's, unless it was installed
};

static enum status create(struct state_factory *port, uint64_t generation, struct state **ret_state)
{
    struct factory *factory = (struct factory *)port;
    ASSERT(generation == 2);
    factory->state = *ret_state = state_memory_new();
    return STATUS_ok;
}

static void init_core(struct core *core, const struct process *process)
{
    AUTO(buffer_release) struct buffer record = {0};
    const struct message message = {.kind = MESSAGE_vote_record,
                                    .vote_record = {.format = 1,
                                                    .name = process->name,
                                                    .cluster_name = process->cluster_name,
                                                    .directory_id = 5,
                                                    .cluster_id = 77,
                                                    .generation = 1}};
    message_encode(&message, &record);
    ASSERT(core_init(core, process, buffer_bytes(&record)) == STATUS_ok);
    core->commit_position = 3;
}

// The state is the shell's now: it is read as a node does that starts.
static void check_installed(struct factory *factory)
{
    AUTO(applied_release) struct applied applied;
    struct catalog *catalog = catalog_new();
    applied_init(&applied);
    if (applied_load(factory->state, NULL, &applied) == STATUS_ok) {
        (void)catalog_load(catalog, factory->state);
    }
    catalog_destroy(&catalog);
    state_destroy(&factory->state);
}

static bool has_installed(const struct outbox *out)
{
    for (size_t i = 0; i < out->count; i++) {
        if (out->effects[i].kind == EFFECT_DISK) {
            ASSERT(out->effects[i].disk.kind == DISK_INSTALL);
            return true;
        }
    }
    return false;
}

// Hands over chunks until one completes the state; whether one did.
static bool take_chunks(struct transfer_in *transfer, struct bytes input, struct outbox *out)
{
    struct message message;
    while (input.size > 0 && message_decode(&input, &message) == STATUS_ok) {
        if (message.kind != MESSAGE_transfer_chunk) {
            continue;
        }
        struct message_transfer_chunk *chunk = &message.transfer_chunk;
        chunk->crc = chunk->crc == 0 ? crc32c(0, chunk->cells) : chunk->crc;
        const struct event event = {.kind = EVENT_MESSAGE, .from = 9, .message = &message};
        outbox_clear(out);
        transfer_in_on_chunk(transfer, &event, out);
        ASSERT(out->count > 0);
        if (has_installed(out)) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct process process = {.name = bytes_from_text("s1"),
                                    .cluster_name = bytes_from_text("wild"),
                                    .timings = timings_default(),
                                    .sizes = node_sizes_default()};
    struct factory factory = {.port = {.create = create}};
    struct core core;
    struct transfer_in transfer;
    struct outbox out;
    init_core(&core, &process);
    transfer_in_init(&transfer, &core);
    transfer.factory = &factory.port;
    outbox_init(&out);
    if (take_chunks(&transfer, bytes_of(data, size), &out)) {
        check_installed(&factory);
    }
    outbox_release(&out);
    transfer_in_release(&transfer);
    core_release(&core);
    return 0;
}
