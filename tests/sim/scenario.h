/*
 * Scenarios: runs that follow a script instead of chance. A script is a text file, one step a line:
 *
 *     # comment
 *     cluster voters=3 coordinators=1 clients=1    first line; also replicas writers readers
 *                                                  delay_us sync_us harsh=1 keys flush segment
 *     run 500ms                  virtual time passes (us, ms, s)
 *     wait primary s1|any [2s]   until it serves; a violation after the limit (5s)
 *     wait answers [2s]          until no client has a question open
 *     wait applied s3 [2s]       until it has applied all that is committed
 *     wait down s1 [2s]          until the process has ended
 *     crash|start|stop|pause|resume|wipe|reset s1
 *     cut s1 s2,s3 · cut s1 -> s2 · heal
 *     hold append s1 -> s2 · drop seal_reply * -> c1 · release
 *     stall s1 500ms · full s1 · space s1 · damage s1 journal|vote
 *     put|insert|delete|get|check k1 d0 [number|level|version]
 *     expect primary s2|none · expect status ok · expect number 5
 *     switchover s2
 *     work · rest                clients work at random, and stop
 *     finish                     heals everything, then converges as a random run does
 */
#ifndef SKEIN_TESTS_SIM_SCENARIO_H
#define SKEIN_TESTS_SIM_SCENARIO_H

#include "tests/sim/simulation.h"

// Makes a simulation and runs the script in it. A step that fails, also for being malformed, is a
// violation of the run. The caller releases the simulation.
void scenario_run(const char *path, struct simulation *simulation, uint64_t seed, bool is_tracing);

#endif
