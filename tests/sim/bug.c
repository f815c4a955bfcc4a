/*
 * The machines ask for deviations without naming a run, so the answer is a variable of the process.
 */
#include "tests/sim/bug.h"

static unsigned active_bug;

void bug_activate(unsigned number)
{
    active_bug = number;
}

bool bug_is_active(unsigned number)
{
    return active_bug == number;
}
