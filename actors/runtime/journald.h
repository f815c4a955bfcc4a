/*
 * Lines for journald. Apart from logger.c because syslog.h, which comes with systemd's header,
 * gives the names of our levels other numbers.
 */
#ifndef SKEIN_ACTORS_RUNTIME_JOURNALD_H
#define SKEIN_ACTORS_RUNTIME_JOURNALD_H

#include "base/bytes.h"

enum journald_priority { JOURNALD_ERROR = 3, JOURNALD_WARNING, JOURNALD_INFO = 6, JOURNALD_DEBUG };

// Whether what is written to stderr ends up in the journal.
bool journald_has_stderr(void);

// Sends the line as MESSAGE, and its "key=value" pairs as fields SKEIN_KEY.
void journald_send(enum journald_priority priority, struct bytes line);

#endif
