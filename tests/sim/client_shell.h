/*
 * A simulated client process: the real client machine and a workload that uses it.
 */
#ifndef SKEIN_TESTS_SIM_CLIENT_SHELL_H
#define SKEIN_TESTS_SIM_CLIENT_SHELL_H

#include "client/requests.h"
#include "tests/sim/shell.h"
#include "tests/sim/workload.h"

struct client_shell {
    struct shell shell;
    struct workload workload; // options, history, model and random are set before it starts
    bool is_scripted;         // asks nothing by itself: a scenario does
};

// A process that is down. shell->process must be completed before it starts.
void client_shell_init(struct client_shell *client, struct network *network, const char *name);
void client_shell_release(struct client_shell *client);

// Sends a question that the workload has opened. False if it couldn't be sent: it is closed then.
bool client_shell_ask(struct client_shell *client, struct open_question *open);

// From now on it asks at random.
void client_shell_work(struct client_shell *client);

// Asks a coordinator for another primary: `target`, or any other voter if that is empty. False when
// the client can't ask.
bool client_shell_switchover(struct client_shell *client, const struct shell *coordinator,
                             const char *target);

#endif
