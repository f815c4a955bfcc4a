/*
 * The processor time that the processes of a cluster have used, as far as they run on this machine.
 */
#ifndef SKEIN_CLIENT_CLI_CPU_TIME_H
#define SKEIN_CLIENT_CLI_CPU_TIME_H

#include "wire/message.h"

// Seconds of user and system time of all members that are reached. False if one of them is no
// skeind of that name here: then the sum would say nothing.
bool cpu_time_of(const struct message_topology *topology, double *ret_seconds);

#endif
