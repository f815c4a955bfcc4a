/*
 * The end of a process that found a bug in itself. One line on stderr, then abort, so that a core
 * is left and the supervisor starts the process again.
 *
 * It neither unwinds nor flushes anything of ours: with an invariant broken, what is on disk is to
 * be trusted more than what is in memory.
 */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void assert_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "level=fatal event=assertion_failed at=%s:%d what=\"%s\"\n", file, line, what);
    fflush(stderr);
    abort();
}
