/*
 * Coordinators and voters are in the file, under a name and with an endpoint that others know. All
 * other processes need no entry: they listen on a free port and register with the coordinators.
 *
 *     role          in the file        not in the file
 *     coordinator   its entry          refused
 *     primary       its entry          refused
 *     replica       its entry          a replica without a vote
 *     others        refused            a free port
 *
 * The context of libzmq is made with one thread, which serves any number of connections.
 */
#include "actors/runtime/launch.h"

#include "actors/runtime/clock.h"
#include "base/assert.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>
#include <zmq.h>

enum {
    SOCKETS_MAX = 4096,              // of one process
    REBIND_US_MAX = 2 * 1000 * 1000, // a port that we had ourselves is free again after some time
    REBIND_WAIT_US = 10 * 1000,
};

// The only entry with this role; NULL if there is none or several.
static const struct config_node *only_node(const struct config *config, enum role role)
{
    const struct config_node *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < config->coordinator_count + config->voter_count; i++) {
        const struct config_node *node = i < config->coordinator_count
                                             ? &config->coordinators[i]
                                             : &config->voters[i - config->coordinator_count];
        if (node->role == role) {
            only = node;
            count++;
        }
    }
    return count == 1 ? only : NULL;
}

static enum status be_node(struct launch *launch, const struct config_node *node,
                           struct mistakes *mistakes)
{
    if (node->role != launch->role) {
        mistakes_add(mistakes, node->place, "%s is a %s, not a %s", node->name,
                     role_name(node->role), role_name(launch->role));
        return STATUS_bad_request;
    }
    text_copy(launch->name, sizeof launch->name, node->name);
    text_copy(launch->listen, sizeof launch->listen, node->endpoint);
    return STATUS_ok;
}

static enum status be_free(struct launch *launch, const char *name, struct mistakes *mistakes)
{
    struct place place = {.source = "--name"};
    if (launch->role == ROLE_coordinator || launch->role == ROLE_primary) {
        if (name != NULL) {
            mistakes_add(mistakes, place, "the configuration names no %s %s",
                         role_name(launch->role), name);
        } else {
            mistakes_add(mistakes, place, "the configuration names no %s, or several: which one?",
                         role_name(launch->role));
        }
        return STATUS_bad_request;
    }
    if (launch->role == ROLE_replica && name == NULL) {
        mistakes_add(mistakes, place, "a replica needs a name: its data directory has it");
        return STATUS_bad_request;
    }
    if (name != NULL && !config_name_is_good(name)) {
        mistakes_add(mistakes, place, "\"%s\": a name is 1 to %d letters, digits, '-', '_' and '.'",
                     name, NAME_SIZE_MAX);
        return STATUS_bad_request;
    }
    if (name != NULL) {
        text_copy(launch->name, sizeof launch->name, name);
    } else {
        snprintf(launch->name, sizeof launch->name, "%s-%06" PRIx64, role_name(launch->role),
                 launch_random() & 0xffffff);
    }
    text_copy(launch->listen, sizeof launch->listen, launch->config->listen);
    return STATUS_ok;
}

static void fill_process(struct launch *launch)
{
    const struct config *config = launch->config;
    for (size_t i = 0; i < config->coordinator_count; i++) {
        launch->coordinators[i] = bytes_from_text(config->coordinators[i].endpoint);
    }
    for (size_t i = 0; i < config->voter_count; i++) {
        const struct config_node *node = &config->voters[i];
        launch->voters[i] = (struct voter_seed){.name = bytes_from_text(node->name),
                                                .endpoint = bytes_from_text(node->endpoint),
                                                .preferred = node->role == ROLE_primary};
    }
    launch->process = (struct process){
        .name = bytes_from_text(launch->name),
        .role = launch->role,
        .cluster_name = bytes_from_text(config->cluster_name),
        .pid = (uint32_t)getpid(),
        .coordinators = launch->coordinators,
        .coordinator_count = config->coordinator_count,
        .timings = config->timings,
        .sizes = node_sizes_default(),
    };
}

enum status launch_init(struct launch *launch, const struct launch_options *options,
                        struct mistakes *mistakes)
{
    const struct config *config = options->config;
    const char *name = options->name;
    *launch = (struct launch){.source = options->source, .config = config, .role = options->role};
    const struct config_node *node = name != NULL ? config_find(config, name)
                                                  : only_node(config, options->role);
    if (node != NULL) {
        TRY(be_node(launch, node, mistakes));
    } else {
        TRY(be_free(launch, name, mistakes));
    }
    fill_process(launch);
    logger_init(&launch->log, role_name(launch->role), launch->name);
    logger_set_debug(&launch->log, config->log_debug == 1);
    launch->context = zmq_ctx_new();
    ASSERT(launch->context != NULL);
    ASSERT(zmq_ctx_set(launch->context, ZMQ_MAX_SOCKETS, SOCKETS_MAX) == 0);
    return STATUS_ok;
}

void launch_release(struct launch *launch)
{
    while (zmq_ctx_term(launch->context) != 0 && errno == EINTR) {
    }
    logger_release(&launch->log);
}

// A port that this process had until now is given back by libzmq's own thread, a moment later.
static enum status open_loop(struct launch *launch, struct loop **ret_loop,
                             struct buffer *ret_error)
{
    struct loop_options options = {.context = launch->context,
                                   .log = &launch->log,
                                   .name = launch->process.name,
                                   .incarnation = launch->process.incarnation,
                                   .listen = launch->listen};
    bool had_it = launch->process.endpoint.size > 0;
    uint64_t deadline_us = clock_monotonic_us() + REBIND_US_MAX;
    for (;;) {
        buffer_clear(ret_error);
        enum status status = loop_new(&options, ret_loop, ret_error);
        if (status != STATUS_in_use || !had_it || clock_monotonic_us() > deadline_us) {
            return status;
        }
        usleep(REBIND_WAIT_US);
    }
}

enum status launch_open(struct launch *launch, struct loop **ret_loop)
{
    struct buffer error AUTO(buffer_release) = {0};
    struct loop *loop = NULL;
    launch->process.incarnation = launch_random();
    launch->process.seed = launch_random();
    enum status status = open_loop(launch, &loop, &error);
    if (status != STATUS_ok) {
        logger_line(&launch->log, LOG_ERROR, "event=start_failed why=\"%.*s\"", (int)error.size,
                    (const char *)error.data);
        return status;
    }
    text_copy(launch->listen, sizeof launch->listen, loop_endpoint(loop));
    launch->process.endpoint = bytes_from_text(launch->listen);
    launch->process.trace_endpoint = bytes_from_text(loop_trace_endpoint(loop));
    logger_line(&launch->log, LOG_INFO, "event=listening endpoint=%s trace=%s", loop_endpoint(loop),
                loop_trace_endpoint(loop));
    *ret_loop = loop;
    return STATUS_ok;
}

void launch_reload(struct launch *launch)
{
    struct mistakes mistakes AUTO(mistakes_release) = {0};
    struct config config;
    if (config_load(launch->source, &config, &mistakes) != STATUS_ok) {
        logger_line(&launch->log, LOG_ERROR, "event=reload_refused mistakes=%zu why=\"%.*s\"",
                    mistakes.count, (int)mistakes.text.size, (const char *)mistakes.text.data);
        return;
    }
    logger_set_debug(&launch->log, config.log_debug == 1);
    logger_line(&launch->log, LOG_INFO, "event=reloaded log_debug=%u", config.log_debug);
}

uint64_t launch_random(void)
{
    uint64_t number = 0;
    while (number == 0) {
        ASSERT(getrandom(&number, sizeof number, 0) == (ssize_t)sizeof number);
    }
    return number;
}
