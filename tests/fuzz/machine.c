/*
 * The input is a list of steps; what a step needs is taken behind it. So that an answer can meet a
 * question, the machine's last messages are kept with the address that they went to: peers answer
 * from there, with the id that was asked with.
 */
#include "tests/fuzz/machine.h"

#include "tests/fuzz/fuzz.h"

enum { STEPS_MAX = 200, ASKED_COUNT = 16, TIMERS_MAX = 32, PEERS_MAX = 8 };

static const uint64_t INBOUND_BIT = UINT64_C(1) << 63;

// A message that the machine has sent.
struct asked {
    uint64_t to;
    uint64_t request;
};

struct bench {
    const struct machine *machine;
    struct outbox out;
    uint64_t now_us;
    uint64_t timers[TIMERS_MAX]; // when each is due; 0: never
    struct asked asked[ASKED_COUNT];
    size_t asked_count;        // ever
    uint64_t peers[PEERS_MAX]; // that it is connected to
    size_t peer_count;         // ever
};

struct process fuzz_process(enum role role)
{
    static const struct bytes coordinators[] = {{(const uint8_t *)"tcp://c1:7300", 13}};
    return (struct process){.name = bytes_from_text("p1"),
                            .role = role,
                            .endpoint = bytes_from_text("tcp://p1:7500"),
                            .cluster_name = bytes_from_text("wild"),
                            .incarnation = 5,
                            .seed = 3,
                            .pid = 12,
                            .coordinators = coordinators,
                            .coordinator_count = 1,
                            .timings = timings_default(),
                            .sizes = node_sizes_default()};
}

static void note_sent(struct bench *bench, uint64_t to, struct bytes encoded)
{
    struct message message;
    ASSERT(to != 0);
    ASSERT(message_decode(&encoded, &message) == STATUS_ok && encoded.size == 0);
    bench->asked[bench->asked_count++ % ASKED_COUNT] = (struct asked){
        .to = to, .request = message_request(&message)};
}

static void note_effects(struct bench *bench)
{
    for (size_t i = 0; i < bench->out.count; i++) {
        const struct effect *effect = &bench->out.effects[i];
        struct bytes bytes = outbox_effect_bytes(&bench->out, effect);
        switch (effect->kind) {
        case EFFECT_SEND: note_sent(bench, effect->to, bytes); break;
        case EFFECT_CONNECT: bench->peers[bench->peer_count++ % PEERS_MAX] = effect->to; break;
        case EFFECT_TIMER:
            ASSERT(effect->timer > 0);
            bench->timers[effect->timer % TIMERS_MAX] = effect->at_us;
            break;
        default: break;
        }
    }
    outbox_clear(&bench->out);
}

static void step(struct bench *bench, struct event event)
{
    event.now_us = bench->now_us;
    event.wall_us = UINT64_C(1700000000000000) + bench->now_us;
    bench->machine->step(bench->machine->self, &event, &bench->out);
    note_effects(bench);
}

// Whoever was asked, or somebody who connected to the process.
static uint64_t pick_address(const struct bench *bench, uint8_t number)
{
    uint64_t asked = bench->asked[number % ASKED_COUNT].to;
    return number < 128 && asked != 0 ? asked : INBOUND_BIT | (number % 4 + 1U);
}

static void do_message(struct bench *bench, struct bytes *input)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    uint8_t from = fuzz_take_u8(input);
    struct message message;
    if (message_decode(input, &message) != STATUS_ok) {
        return;
    }
    uint64_t request = message_request(&message);
    if (request > 0 && request < ASKED_COUNT) {
        message.poll.request = bench->asked[request].request; // stands first in all that have one
    }
    message_encode(&message, &encoded);
    struct bytes rest = buffer_bytes(&encoded);
    ASSERT(message_decode(&rest, &message) == STATUS_ok);
    step(bench, (struct event){.kind = EVENT_MESSAGE,
                               .from = pick_address(bench, from),
                               .from_name = bytes_from_text(from % 2 == 0 ? "s1" : "s2"),
                               .from_cluster_id = 77,
                               .message = &message,
                               .encoded = buffer_bytes(&encoded)});
}

// The timer that is due first goes off, and time passes until then.
static void do_timer(struct bench *bench)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < TIMERS_MAX; i++) {
        uint64_t due_us = bench->timers[i];
        if (due_us != 0 && (first == 0 || due_us < bench->timers[first])) {
            first = i;
        }
    }
    if (first != 0) {
        uint64_t due_us = bench->timers[first];
        bench->now_us = due_us > bench->now_us ? due_us : bench->now_us;
        bench->timers[first] = 0;
        step(bench, (struct event){.kind = EVENT_TIMER, .timer = first});
    }
}

static void do_peer(struct bench *bench, enum event_kind kind, uint8_t number)
{
    uint64_t peer = bench->peers[number % PEERS_MAX];
    if (peer != 0) {
        step(bench, (struct event){.kind = kind, .from = peer});
    }
}

void fuzz_machine_run(const struct machine *machine, struct bytes input)
{
    struct bench bench = {.machine = machine, .now_us = 10000000};
    outbox_init(&bench.out);
    step(&bench, (struct event){.kind = EVENT_START});
    for (unsigned i = 0; i < STEPS_MAX && input.size > 0; i++) {
        switch (fuzz_take_u8(&input) % 8) {
        case 0: do_timer(&bench); break;
        case 1: step(&bench, (struct event){.kind = EVENT_TURN}); break;
        case 2: do_peer(&bench, EVENT_PEER_UP, fuzz_take_u8(&input)); break;
        case 3: do_peer(&bench, EVENT_PEER_DOWN, fuzz_take_u8(&input)); break;
        case 4: bench.now_us += (uint64_t)fuzz_take_u16(&input) * 100; break;
        default: do_message(&bench, &input); break;
        }
    }
    step(&bench, (struct event){.kind = EVENT_STOP});
    outbox_release(&bench.out);
}
