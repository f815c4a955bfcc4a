/*
 * Checks of the whole configuration. Each one adds its mistakes and none stops another, so that a
 * person sees everything at once. A timing that contradicts another is reported at the place of the
 * one that was written down last by a person, or at the file if both are defaults.
 */
#include "actors/runtime/config_check.h"

#include <stdio.h>
#include <stdlib.h>

enum { IPC_PATH_SIZE_MAX = 100 };

// What one check needs.
struct check {
    const struct config *config;
    const struct config_places *places;
    struct mistakes *mistakes;
};

// Two timings, in the same unit, of which the first may not be above the second.
struct timing_order {
    const char *low_key;
    const char *high_key;
    uint64_t low;
    uint64_t high;
    const char *reason;
};

static struct place place_of(const struct check *check, const char *key)
{
    struct place place;
    if (check->places->find(check->places->context, key, &place)) {
        return place;
    }
    return check->places->file;
}

static void check_presence(const struct check *check)
{
    const struct config *config = check->config;
    if (config->cluster_name[0] == '\0') {
        mistakes_add(check->mistakes, check->places->file, "the key cluster, its name, is missing");
    }
    if (config->coordinator_count == 0) {
        mistakes_add(check->mistakes, check->places->file,
                     "the section coordinators names no coordinator");
    }
    if (config->voter_count == 0) {
        mistakes_add(check->mistakes, check->places->file, "the section storage names no node");
    }
}

static void check_pair(const struct check *check, const struct config_node *node,
                       const struct config_node *earlier)
{
    if (strcmp(node->name, earlier->name) == 0) {
        mistakes_add(check->mistakes, node->place, "%s is the name of a coordinator already (%u)",
                     node->name, earlier->place.line);
    }
    if (node->endpoint[0] != '\0' && strcmp(node->endpoint, earlier->endpoint) == 0) {
        mistakes_add(check->mistakes, node->place, "%s has the endpoint of %s, %s", node->name,
                     earlier->name, node->endpoint);
    }
    if (node->role == ROLE_primary && earlier->role == ROLE_primary) {
        mistakes_add(check->mistakes, node->place,
                     "%s has role primary like %s; one node at most is preferred", node->name,
                     earlier->name);
    }
}

static const struct config_node *node_at(const struct config *config, size_t i)
{
    return i < config->coordinator_count ? &config->coordinators[i]
                                         : &config->voters[i - config->coordinator_count];
}

static void check_nodes(const struct check *check)
{
    size_t count = check->config->coordinator_count + check->config->voter_count;
    for (size_t i = 0; i < count; i++) {
        const struct config_node *node = node_at(check->config, i);
        if (node->endpoint[0] == '\0') {
            mistakes_add(check->mistakes, node->place, "%s has no endpoint", node->name);
        }
        if (node->role == 0) {
            mistakes_add(check->mistakes, node->place, "%s has no role", node->name);
        }
        for (size_t earlier = 0; earlier < i; earlier++) {
            check_pair(check, node, node_at(check->config, earlier));
        }
    }
}

static void check_order(const struct check *check, const struct timing_order *order)
{
    if (order->low <= order->high) {
        return;
    }
    struct place low = place_of(check, order->low_key);
    struct place place = low.line > 0 || low.is_setting ? low : place_of(check, order->high_key);
    mistakes_add(check->mistakes, place, "%s and %s contradict each other: %s", order->low_key,
                 order->high_key, order->reason);
}

static void check_timings(const struct check *check)
{
    const struct timings *t = &check->config->timings;
    const struct timing_order orders[] = {
        {"timings/heartbeat_ms", "timings/suspect_after_ms", 4 * (uint64_t)t->heartbeat_ms,
         t->suspect_after_ms, "four heartbeats must fit, so that a few may be lost"},
        {"timings/beat_ms", "timings/member_expiry_ms", 4 * (uint64_t)t->beat_ms,
         t->member_expiry_ms, "four beats must fit, so that a few may be lost"},
        {"timings/suspect_after_ms", "timings/stall_ms", t->suspect_after_ms, t->stall_ms,
         "a primary may be slow for at least as long as it may be silent"},
        {"timings/suspect_after_ms", "timings/member_expiry_ms", t->suspect_after_ms,
         t->member_expiry_ms, "a process is suspected before it is unreachable"},
        {"timings/gather_us", "timings/heartbeat_ms", 2 * (uint64_t)t->gather_us,
         1000 * (uint64_t)t->heartbeat_ms, "gathering must be over well before a heartbeat is due"},
    };
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        check_order(check, &orders[i]);
    }
}

// A directory that prepares itself could let a wiped disk vote under its old name.
static void check_auto_format(const struct check *check)
{
    const struct config *config = check->config;
    if (!config->auto_format) {
        return;
    }
    struct place place = place_of(check, "auto_format");
    if (!config_endpoint_is_local(config->listen)) {
        mistakes_add(check->mistakes, place, "auto_format = 1 is for loopback only, listen is %s",
                     config->listen);
    }
    for (size_t i = 0; i < config->coordinator_count + config->voter_count; i++) {
        const struct config_node *node = node_at(config, i);
        if (node->endpoint[0] != '\0' && !config_endpoint_is_local(node->endpoint)) {
            mistakes_add(check->mistakes, place,
                         "auto_format = 1 is for loopback only, the endpoint of %s is %s",
                         node->name, node->endpoint);
        }
    }
}

void config_check(const struct config *config, const struct config_places *places,
                  struct mistakes *mistakes)
{
    struct check check = {.config = config, .places = places, .mistakes = mistakes};
    check_presence(&check);
    check_nodes(&check);
    check_timings(&check);
    check_auto_format(&check);
}

static const char *ipc_mistake(const char *path, bool wants_free_port)
{
    if (wants_free_port) {
        return "it should be tcp://HOST:*";
    }
    if (path[0] != '/' || strlen(path) > IPC_PATH_SIZE_MAX) {
        return "an ipc endpoint is ipc:// and an absolute path of at most 100 bytes";
    }
    return NULL;
}

static const char *port_mistake(const char *port, bool wants_free_port)
{
    bool is_star = strcmp(port, "*") == 0;
    if (wants_free_port) {
        return is_star ? NULL : "its port should be '*'; every process takes a free one";
    }
    if (is_star) {
        return "its port must be a number, since others have to know it";
    }
    size_t size = strlen(port);
    bool is_number = size >= 1 && size <= 5 && strspn(port, "0123456789") == size;
    unsigned long number = is_number ? strtoul(port, NULL, 10) : 0;
    return number >= 1 && number <= 65535 ? NULL : "its port must be a number from 1 to 65535";
}

static const char *tcp_mistake(const char *address, bool wants_free_port)
{
    const char *colon = strrchr(address, ':');
    size_t host_size = colon == NULL ? 0 : (size_t)(colon - address);
    static const char *const host_characters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    if (host_size == 0) {
        return "it should be tcp://HOST:PORT";
    }
    if (strncmp(address, "*:", 2) == 0 || strncmp(address, "0.0.0.0:", 8) == 0) {
        return "name an address at which others can reach the process";
    }
    if (strspn(address, host_characters) != host_size) {
        return "its host should be a name or an IPv4 address";
    }
    return port_mistake(colon + 1, wants_free_port);
}

const char *config_endpoint_mistake(const char *endpoint, bool wants_free_port)
{
    if (strlen(endpoint) > ENDPOINT_SIZE_MAX) {
        return "it is longer than 200 bytes";
    }
    if (strncmp(endpoint, "ipc://", 6) == 0) {
        return ipc_mistake(endpoint + 6, wants_free_port);
    }
    if (strncmp(endpoint, "tcp://", 6) == 0) {
        return tcp_mistake(endpoint + 6, wants_free_port);
    }
    return "it should begin with tcp:// or ipc://";
}
