/*
 * A sector that goes bad while a node is down.
 */
#ifndef SKEIN_TESTS_SIM_BAD_SECTOR_H
#define SKEIN_TESTS_SIM_BAD_SECTOR_H

#include "tests/sim/storage_shell.h"

// Damages a sector of the vote file or of the journal, and copies the name of the file to `name`.
// False when there is none that may go bad.
bool bad_sector_make(struct storage_shell *storage, struct random *random,
                     char name[DISK_NAME_SIZE_MAX]);

#endif
