/*
 * ZeroMQ binds to numeric addresses and names of interfaces only, so names of hosts are resolved
 * here. The endpoint that others are told keeps the name: they compare it with what they read in
 * the configuration.
 */
#include "actors/runtime/bind.h"

#include "base/assert.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <zmq.h>

// The first IPv4 address of `host`.
static enum status resolve_host(const char *host, char address[static INET_ADDRSTRLEN],
                                struct buffer *ret_error)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, NULL, &hints, &found);
    if (error != 0) {
        text_append(ret_error, "the host %s is not known: %s", host, gai_strerror(error));
        return STATUS_unavailable;
    }
    const struct sockaddr_in *first = (const struct sockaddr_in *)(const void *)found->ai_addr;
    ASSERT(inet_ntop(AF_INET, &first->sin_addr, address, INET_ADDRSTRLEN) != NULL);
    freeaddrinfo(found);
    return STATUS_ok;
}

static enum status bind_numeric(void *socket, const char *endpoint, struct buffer *ret_error)
{
    if (zmq_bind(socket, endpoint) == 0) {
        return STATUS_ok;
    }
    if (errno == EADDRINUSE) {
        text_append(ret_error, "another process listens on %s already", endpoint);
        return STATUS_in_use;
    }
    text_append(ret_error, "can't listen on %s: %s", endpoint, zmq_strerror(errno));
    return STATUS_unavailable;
}

static enum status bind_tcp(void *socket, const char *host_and_port,
                            char ret_endpoint[static BIND_ENDPOINT_SIZE], struct buffer *ret_error)
{
    char host[BIND_ENDPOINT_SIZE];
    snprintf(host, sizeof host, "%s", host_and_port);
    char *colon = strrchr(host, ':');
    ASSERT(colon != NULL);
    *colon = '\0';
    char address[INET_ADDRSTRLEN];
    TRY(resolve_host(host, address, ret_error));
    char numeric[INET_ADDRSTRLEN + BIND_ENDPOINT_SIZE];
    snprintf(numeric, sizeof numeric, "tcp://%s:%s", address, colon + 1);
    TRY(bind_numeric(socket, numeric, ret_error));
    size_t size = sizeof numeric;
    ASSERT(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, numeric, &size) == 0);
    snprintf(ret_endpoint, BIND_ENDPOINT_SIZE, "tcp://%.*s%s", ENDPOINT_SIZE_MAX - 12, host,
             strrchr(numeric, ':'));
    return STATUS_ok;
}

enum status bind_socket(void *socket, const char *endpoint,
                        char ret_endpoint[static BIND_ENDPOINT_SIZE], struct buffer *ret_error)
{
    ASSERT(strlen(endpoint) < BIND_ENDPOINT_SIZE);
    if (strncmp(endpoint, "tcp://", 6) == 0) {
        return bind_tcp(socket, endpoint + 6, ret_endpoint, ret_error);
    }
    TRY(bind_numeric(socket, endpoint, ret_error));
    text_copy(ret_endpoint, BIND_ENDPOINT_SIZE, endpoint);
    return STATUS_ok;
}
