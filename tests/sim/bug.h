/*
 * The deviation from the replication rules that a run switches on (base/bug.h).
 */
#ifndef SKEIN_TESTS_SIM_BUG_H
#define SKEIN_TESTS_SIM_BUG_H

#include "base/bug.h"

// From now on BUG(number) is true, and no other; 0 for none.
void bug_activate(unsigned number);

#endif
