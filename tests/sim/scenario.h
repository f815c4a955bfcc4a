/*
 * Scenarios: runs that follow a script instead of chance. A script is a text file, one step a line:
 *
 *     # comment
 *     cluster voters=3 clients=2       first line; also replicas coordinators writers readers
 *                                      delay_us sync_us flush segment keys outstanding seed,
 *                                      and the sizes drop_flush keep max window chunk
 *     run 500ms                        virtual time passes (us, ms, s)
 *     wait primary s1|any|none [2s]    until it serves; a violation after the limit (5s)
 *     wait answers [2s]                until no client has a question open
 *     wait applied s3 [2s]             until it has applied all that is committed
 *     wait down s1 [2s]                until the process has ended
 *     mark · wait committed [2s]       until an entry more is committed than at the mark
 *     let A = primary · let B = other s1,A     a name for a storage node
 *     crash|start|stop|pause|resume|wipe s1,s2 · start *       * are all that it makes sense for
 *     cut s1 s2,s3 · cut s1 -> s2      both ways, one way
 *     reset s1                         its connections break
 *     hold append s1 -> s2 [entries|empty|own] kept back until release
 *     copy appoint c1 -> s1            passes, and comes a second time at release
 *     drop seal_reply * -> c1          lost
 *     release · heal                   of holds and copies; of cuts and drops
 *     stall s1 500ms · full s1 · space s1 · damage s1 journal|vote · rate s1 500000
 *     put|insert k1 d0 [number [padding]] · delete k1 d0 · check k1 d0 version · get k1 d0 [level]
 *     update k1 d0 number · index k1 create|drop [unique]
 *     find k1 any|id|number 2 · page k1        two documents a page, in this order; the next page
 *     expect primary s2|any|none · expect status ok · expect number 5      of k1's last answer
 *     switchover s2
 *     work · rest                      clients work at random, and stop
 *     finish                           heals everything, then converges as a random run does
 */
#ifndef SKEIN_TESTS_SIM_SCENARIO_H
#define SKEIN_TESTS_SIM_SCENARIO_H

#include "tests/sim/simulation.h"

// Makes a simulation and runs the script in it. A step that fails, also for being malformed, is a
// violation of the run. The caller releases the simulation.
void scenario_run(const char *path, struct simulation *simulation, uint64_t seed, bool is_tracing);

#endif
