/*
 * Drawing a run. Ranges are wide and lopsided: most runs are near what a cluster meets in practice,
 * some are far out. Two constraints keep runs useful: a request takes a fraction of a second in
 * most of them, so that there are hundreds of commits in ten seconds, and a fault begins a few
 * times a second.
 */
#include "tests/sim/options.h"

#include "base/text.h"

enum { COMMITS_MIN = 200 };

static const uint32_t FAULT_WEIGHTS[FAULT_KIND_COUNT] = {
#define FAULT_WEIGHT(name, weight, doc) weight,
    FAULT_LIST(FAULT_WEIGHT)
#undef FAULT_WEIGHT
};

const char *fault_name(enum fault_kind kind)
{
    static const char *const names[FAULT_KIND_COUNT] = {
#define FAULT_NAME(name, weight, doc) #name,
        FAULT_LIST(FAULT_NAME)
#undef FAULT_NAME
    };
    return names[kind];
}

static bool draw_percent(struct random *random, unsigned percent)
{
    return random_below(random, 100) < percent;
}

// Between low and high, each order of magnitude as likely as any other.
static uint64_t draw_scale(struct random *random, uint64_t low, uint64_t high)
{
    uint64_t top = low;
    while (top < high && draw_percent(random, 75)) {
        top = 2 * top < high ? 2 * top : high;
    }
    return random_between(random, low, top);
}

static void draw_processes(struct options *options, struct random *random)
{
    static const unsigned voters[] = {1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5, 5, 5};
    options->voters = voters[random_below(random, sizeof voters / sizeof voters[0])];
    options->replicas = draw_percent(random, 30) ? 1 + draw_percent(random, 30) : 0;
    options->coordinators = 1 + (unsigned)random_below(random, 3);
    options->writers = 1 + draw_percent(random, 50);
    options->readers = 1 + draw_percent(random, 50);
    options->clients = 1 + (unsigned)random_below(random, 4);
}

static void draw_network(struct options *options, struct random *random)
{
    struct network_manner *manner = &options->network;
    manner->delay_us = (uint32_t)draw_scale(random, 50, 8000);
    manner->is_harsh = draw_percent(random, 40);
    if (manner->is_harsh) {
        manner->outlives = draw_percent(random, 50);
        manner->loss_ppm = draw_percent(random, 60) ? (uint32_t)draw_scale(random, 500, 80000) : 0;
        manner->duplicate_ppm = draw_percent(random, 60) ? (uint32_t)draw_scale(random, 500, 200000)
                                                         : 0;
        manner->straggler_ppm = draw_percent(random, 60) ? (uint32_t)draw_scale(random, 200, 20000)
                                                         : 0;
    }
    options->turn_delay_us = (uint32_t)draw_scale(random, 1, 200);
}

static void draw_disks(struct options *options, struct random *random)
{
    options->sync_us = (uint32_t)draw_scale(random, 50, 5000);
    options->stall_ppm = draw_percent(random, 20) ? (uint32_t)draw_scale(random, 50, 1000) : 0;
    options->flush_writes = draw_percent(random, 70) ? (uint32_t)draw_scale(random, 5, 500) : 0;
    options->sizes = node_sizes_default();
    options->sizes.segment = draw_scale(random, 16 * KIB, 256 * KIB);
    options->sizes.transfer_chunk = draw_scale(random, 256, 16 * KIB);
    options->sizes.log_window = draw_scale(random, 1 * KIB, 256 * KIB);
    options->sizes.work_cells = draw_scale(random, 1, 128);
    if (draw_percent(random, 60)) { // journals are dropped, and followers need state transfers
        options->sizes.flush = draw_scale(random, 2 * KIB, 128 * KIB);
        options->sizes.journal_keep = draw_percent(random, 50) ? 0 : options->sizes.flush;
        options->sizes.journal_max = draw_scale(random, 4 * KIB, 1 * MIB);
    }
}

static void draw_faults(struct options *options, struct random *random)
{
    options->safety_us = 10000000 + random_below(random, 2000000);
    options->commits_min = COMMITS_MIN;
    options->freezes = true;
    options->fault_interval_us = random_between(random, 150000, 900000);
    options->fault_length_us = draw_scale(random, 100000, 1500000);
    for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        bool is_chosen = draw_percent(random, 60);
        uint32_t factor = (uint32_t)random_between(random, 1, 5);
        options->weights[kind] = is_chosen ? FAULT_WEIGHTS[kind] * factor : 0;
    }
}

static void draw_work(struct options *options, struct random *random)
{
    options->keys = (unsigned)draw_scale(random, 2, 40);
    options->outstanding = (unsigned)random_between(random, 1, 6);
    options->think_us = (uint32_t)random_between(random, 5000, 40000);
    options->timeout_ms = (uint32_t)random_between(random, 200, 3000);
    options->read_percent = (uint32_t)random_between(random, 10, 60);
}

void options_draw(struct options *options, uint64_t seed)
{
    *options = (struct options){.seed = seed};
    struct random random;
    random_init(&random, seed ^ 0x6f7074696f6e73); // the same seed serves other streams
    draw_processes(options, &random);
    draw_network(options, &random);
    draw_disks(options, &random);
    draw_faults(options, &random);
    draw_work(options, &random);
}

void options_calm(struct options *options, uint64_t seed)
{
    *options = (struct options){
        .seed = seed,
        .voters = 3,
        .coordinators = 1,
        .writers = 1,
        .readers = 1,
        .clients = 1,
        .network = {.delay_us = 200},
        .turn_delay_us = 20,
        .sync_us = 200,
        .sizes = node_sizes_default(),
        .keys = 4,
        .outstanding = 1,
        .think_us = 10000,
        .timeout_ms = 2000,
    };
    options->sizes.segment = 64 * KIB;
}

static void print_faults(const struct options *options, struct buffer *out)
{
    text_append(out, "faults{every=%uus last=%uus", (unsigned)options->fault_interval_us,
                (unsigned)options->fault_length_us);
    for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        if (options->weights[kind] > 0) {
            text_append(out, " %s=%u", fault_name(kind), options->weights[kind]);
        }
    }
    text_append(out, "}");
}

static void print_disk(const struct options *options, struct buffer *out)
{
    const struct node_sizes *sizes = &options->sizes;
    text_append(out, "disk{sync=%uus stall=%u self_flush=%u} ", options->sync_us,
                options->stall_ppm, options->flush_writes);
    text_append(out, "sizes{segment=%u flush=%u keep=%u max=%u ", (unsigned)sizes->segment,
                (unsigned)sizes->flush, (unsigned)sizes->journal_keep,
                (unsigned)sizes->journal_max);
    text_append(out, "window=%u chunk=%u work=%u} ", (unsigned)sizes->log_window,
                (unsigned)sizes->transfer_chunk, (unsigned)sizes->work_cells);
}

void options_print(const struct options *options, struct buffer *out)
{
    const struct network_manner *network = &options->network;
    text_append(out, "voters=%u replicas=%u coordinators=%u writers=%u readers=%u clients=%u ",
                options->voters, options->replicas, options->coordinators, options->writers,
                options->readers, options->clients);
    text_append(out, "network{delay=%uus%s%s loss=%u duplicate=%u straggler=%u turn=%uus} ",
                network->delay_us, network->is_harsh ? " harsh" : "",
                network->outlives ? " outlives" : "", network->loss_ppm, network->duplicate_ppm,
                network->straggler_ppm, options->turn_delay_us);
    print_disk(options, out);
    print_faults(options, out);
    text_append(out, " work{keys=%u outstanding=%u think=%uus timeout=%ums reads=%u%%}",
                options->keys, options->outstanding, options->think_us, options->timeout_ms,
                options->read_percent);
}
