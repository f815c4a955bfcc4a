/*
 * `skein why`: the last failovers, latest first. Each coordinator remembers those that it ran, so
 * all that can be reached are asked and their records put in order by epoch. One that is down takes
 * its records with it; that is no failure as long as another answers.
 */
#include "client/cli/commands.h"

#include "client/cli/connection.h"
#include "wire/pack.h"

#include <stdlib.h>

enum { FAILOVERS_SHOWN_MAX = 64 };

// The records of all coordinators.
struct failovers {
    struct {
        uint64_t epoch;
        size_t start; // where its packed map begins
        size_t size;
    } places[FAILOVERS_SHOWN_MAX];
    size_t count;
    struct buffer packed; // their maps
};

static double ms_of(uint64_t us)
{
    return (double)us / 1000.0;
}

static void pack_optional(const char *name, struct bytes text, struct buffer *out)
{
    pack_text_literal(out, name);
    if (text.size == 0) {
        pack_nil(out);
    } else {
        pack_text(out, text);
    }
}

static enum status pack_phases(struct bytes *rest, uint32_t count, struct buffer *out)
{
    pack_text_literal(out, "phases");
    pack_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        struct message phase;
        TRY(message_decode(rest, &phase));
        if (phase.kind != MESSAGE_phase) {
            return STATUS_bad_request;
        }
        pack_map(out, 2);
        pack_text_literal(out, "name");
        pack_text(out, phase.phase.name);
        pack_text_literal(out, "ms");
        pack_double(out, ms_of(phase.phase.took_us));
    }
    return STATUS_ok;
}

// Packs one record and its phases off the front of `rest`.
static enum status pack_failover(struct bytes *rest, struct buffer *out, uint64_t *ret_epoch)
{
    struct message record;
    TRY(message_decode(rest, &record));
    if (record.kind != MESSAGE_failover) {
        return STATUS_bad_request;
    }
    const struct message_failover *failover = &record.failover;
    pack_map(out, 7);
    pack_text_literal(out, "epoch");
    pack_u64(out, failover->epoch);
    pack_optional("old", failover->old_primary, out);
    pack_optional("new", failover->new_primary, out);
    pack_optional("cause", failover->cause, out);
    pack_text_literal(out, "started");
    pack_timestamp(out, (int64_t)(failover->started_us / 1000000),
                   (uint32_t)(failover->started_us % 1000000) * 1000);
    TRY(pack_phases(rest, failover->phases, out));
    pack_text_literal(out, "total_ms");
    pack_double(out, ms_of(failover->total_us));
    *ret_epoch = failover->epoch;
    return STATUS_ok;
}

static enum status take_failovers(struct failovers *failovers, struct bytes rest)
{
    while (rest.size > 0 && failovers->count < FAILOVERS_SHOWN_MAX) {
        size_t start = failovers->packed.size;
        uint64_t epoch = 0;
        TRY(pack_failover(&rest, &failovers->packed, &epoch));
        size_t i = failovers->count++;
        failovers->places[i].epoch = epoch;
        failovers->places[i].start = start;
        failovers->places[i].size = failovers->packed.size - start;
    }
    return STATUS_ok;
}

// Asks one coordinator; true if it answered.
static bool ask(struct call *call, struct client_loop *loop, struct bytes name,
                struct failovers *failovers)
{
    AUTO(answer_release) struct answer answer = {0};
    const struct client_call request = {
        .message = {.kind = MESSAGE_why}, .to = name, .timeout_ms = call->timeout_ms};
    if (connection_call(call, loop, &request, MESSAGE_why_reply, &answer) != STATUS_ok) {
        return false;
    }
    return take_failovers(failovers, answer.reply.why_reply.failovers) == STATUS_ok;
}

// The one of the highest epoch below `epoch`; count for none.
static size_t find_below(const struct failovers *failovers, uint64_t epoch)
{
    size_t best = failovers->count;
    for (size_t i = 0; i < failovers->count; i++) {
        bool is_candidate = failovers->places[i].epoch < epoch;
        bool is_better = best == failovers->count ||
                         failovers->places[i].epoch > failovers->places[best].epoch;
        best = is_candidate && is_better ? i : best;
    }
    return best;
}

static void print_failovers(struct call *call, const struct failovers *failovers)
{
    AUTO(buffer_release) struct buffer maps = {0};
    AUTO(buffer_release) struct buffer out = {0};
    uint32_t count = 0;
    for (size_t i = find_below(failovers, UINT64_MAX); i < failovers->count;
         i = find_below(failovers, failovers->places[i].epoch)) {
        const uint8_t *data = failovers->packed.data + failovers->places[i].start;
        buffer_append(&maps, bytes_of(data, failovers->places[i].size));
        count++;
    }
    pack_map(&out, 1);
    pack_text_literal(&out, "failovers");
    pack_array(&out, count);
    buffer_append(&out, buffer_bytes(&maps));
    output_value(&call->output, buffer_bytes(&out));
}

static void failovers_release(struct failovers *failovers)
{
    buffer_release(&failovers->packed);
}

enum status run_why(struct call *call)
{
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    AUTO(answer_release) struct answer answer = {0};
    AUTO(failovers_release) struct failovers failovers = {0};
    TRY(connection_open(call, &loop));
    TRY(connection_topology(call, loop, &answer));
    struct bytes members = answer.reply.topology.members;
    struct message_member member;
    bool has_answer = false;
    while (members_next(&members, &member)) {
        if (member.role == ROLE_coordinator && member.state != MEMBER_unreachable) {
            has_answer = ask(call, loop, member.name, &failovers) || has_answer;
        }
    }
    if (!has_answer) {
        return failure_set(&call->failure, STATUS_unavailable, "no coordinator answers");
    }
    print_failovers(call, &failovers);
    return STATUS_ok;
}
