/*
 * Shrinking: a seed that violates a rule is made a short run that still does.
 */
#ifndef SKEIN_TESTS_SIM_SHRINK_H
#define SKEIN_TESTS_SIM_SHRINK_H

#include "tests/sim/campaign.h"

// Takes away what the violation doesn't need: faults, time, processes, load, vices of network and
// disks. `found` is what a campaign with these options found; it holds a violation. Tells progress
// on stderr; in the end the command of the short run, and its trace on standard output.
void shrink_run(const struct campaign_options *options, const struct campaign_result *found,
                struct campaign_result *ret_result);

#endif
