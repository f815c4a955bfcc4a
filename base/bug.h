/*
 * BUG(n): a place where the simulator can switch on deviation n of the replication rules, to prove
 * that its checks find it. In the daemons and the tools it is the constant false. 31 to 34 are
 * deviations of the model alone (tests/model/run); 35: a read with a bound on its lag is answered
 * whatever the lag.
 */
#ifndef SKEIN_BASE_BUG_H
#define SKEIN_BASE_BUG_H

#include <stdbool.h>

#ifdef SKEIN_BUGS
// True when the run of the simulator asked for deviation `number`. Defined by the simulator.
bool bug_is_active(unsigned number);
#define BUG(number) bug_is_active(number)
#else
#define BUG(number) false
#endif

#endif
