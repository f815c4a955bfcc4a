/*
 * Tables over the list of statuses; the list itself, and what each number means, is in the header.
 *
 * A number may come from a peer of a newer version that has statuses we don't know. Such a number
 * reads as "unknown" and is treated as an internal failure that no retry helps.
 */
#include "base/status.h"

#include <stddef.h>
#include <string.h>

struct status_row {
    const char *name;   // as users see it
    unsigned http;      // HTTP status code
    unsigned exit_code; // of the command line tool
    bool may_retry;     // whether sending again can help
};

static const struct status_row STATUS_ROWS[STATUS_COUNT] = {
#define STATUS_ROW(number, name, http, exit, retry) [number] = {#name, http, exit, retry},
    STATUS_LIST(STATUS_ROW)
#undef STATUS_ROW
};

static const struct status_row *status_row(enum status status)
{
    static const struct status_row unknown = {"unknown", 500, 6, false};
    return (unsigned)status < STATUS_COUNT ? &STATUS_ROWS[status] : &unknown;
}

const char *status_name(enum status status)
{
    return status_row(status)->name;
}

bool status_from_name(const char *name, enum status *ret_status)
{
    for (unsigned number = 0; number < STATUS_COUNT; number++) {
        if (strcmp(STATUS_ROWS[number].name, name) == 0) {
            *ret_status = (enum status)number;
            return true;
        }
    }
    return false;
}

unsigned status_http(enum status status)
{
    return status_row(status)->http;
}

unsigned status_exit_code(enum status status)
{
    return status_row(status)->exit_code;
}

bool status_may_retry(enum status status)
{
    return status_row(status)->may_retry;
}
