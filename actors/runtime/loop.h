/*
 * The event loop of a process: one thread, one machine. It turns frames, timers, signals and what
 * other threads finished into events, and effects into frames, timers and calls of its owner.
 */
#ifndef SKEIN_ACTORS_RUNTIME_LOOP_H
#define SKEIN_ACTORS_RUNTIME_LOOP_H

#include "actors/runtime/logger.h"
#include "actors/runtime/tap.h"
#include "cluster/machine.h"

struct loop;

struct loop_options {
    void *context;        // libzmq context; outlives the loop
    struct logger *log;   // outlives the loop
    struct bytes name;    // of the process; copied
    uint64_t incarnation; // of this start
    const char *listen;   // endpoint to bind to
};

// What the process around the loop does itself. Functions that are NULL are not called; a machine
// that asks for a disk or a query needs an owner who has them. All are called by the loop's thread.
struct loop_owner {
    void *context;
    // Effects DISK (its bytes are in request->bytes) and QUERY; the bytes are borrowed for the
    // call.
    void (*disk)(void *context, const struct disk_request *request);
    void (*query)(void *context, uint64_t from, struct bytes encoded);
    // The effects of some events have been carried out: what was collected can be handed on.
    void (*turn_over)(void *context);
    // True while so much waits that others should send no more.
    bool (*is_congested)(void *context);
    // A message, before the machine takes it.
    void (*message)(void *context, const struct event *event);
    // SIGHUP.
    void (*reload)(void *context);
};

// Opens the sockets. Fails with in_use when another process has the endpoint, with unavailable when
// it can't be had; `ret_error` then gets a sentence.
MUST_CHECK enum status loop_new(const struct loop_options *options, struct loop **ret_loop,
                                struct buffer *ret_error);

// Closes the sockets; what was sent gets up to 200 ms on its way once the context is terminated.
void loop_destroy(struct loop **take_loop);

// Where others reach the process, and where it publishes its traffic.
const char *loop_endpoint(const struct loop *loop);
const char *loop_trace_endpoint(const struct loop *loop);

// The tap of the process, for the monitor.
struct tap *loop_tap(struct loop *loop);

// Calls `ready` whenever the descriptor is readable. Descriptors can't be taken back: they outlive
// the loop.
void loop_watch(struct loop *loop, int fd, void (*ready)(void *context), void *context);

// Sends an encoded message in the name of the machine.
void loop_send(struct loop *loop, uint64_t to, struct bytes encoded);

// Hands an event to the machine and carries out its effects; the time is filled in. For owners,
// while loop_run() runs.
void loop_step(struct loop *loop, struct event *event);

// Runs the machine, from EVENT_START until it stops or, after a signal to stop, until it had its
// time for that. Returns the exit code, one of EXIT_*.
int loop_run(struct loop *loop, const struct machine *machine, const struct loop_owner *owner);

// Blocks the signals that the loop reads, in the calling thread and all that it starts later. To be
// called before any other thread is started.
void loop_block_signals(void);

#endif
