/*
 * The one list of expected failures. Numbers go over the wire and never change meaning; a code
 * exists only if a caller would act on it.
 *
 * STATUS(number, name, http, exit, retry): the HTTP status, the exit code of the command line
 * tool, and whether the same request may succeed when it is tried again.
 */
#ifndef SKEIN_BASE_STATUS_H
#define SKEIN_BASE_STATUS_H

#include <stdbool.h>

#define STATUS_LIST(STATUS)                                                                        \
    STATUS(0, ok, 200, 0, false)                                                                   \
    STATUS(1, bad_request, 400, 2, false)                                                          \
    STATUS(2, type, 400, 2, false)                                                                 \
    STATUS(3, too_large, 413, 2, false)                                                            \
    STATUS(4, too_deep, 400, 2, false)                                                             \
    STATUS(5, unauthenticated, 401, 3, false)                                                      \
    STATUS(6, forbidden, 403, 3, false)                                                            \
    STATUS(7, absent, 404, 1, false)                                                               \
    STATUS(8, exists, 409, 1, false)                                                               \
    STATUS(9, unique, 409, 1, false)                                                               \
    STATUS(10, refused, 409, 1, false)                                                             \
    STATUS(11, conflict, 409, 1, true)                                                             \
    STATUS(12, too_old, 410, 1, false)                                                             \
    STATUS(13, gap, 410, 1, false)                                                                 \
    STATUS(14, expired, 410, 1, false)                                                             \
    STATUS(15, lagged, 410, 1, true)                                                               \
    STATUS(16, busy, 429, 4, true)                                                                 \
    STATUS(17, deadline, 408, 4, true)                                                             \
    STATUS(18, unknown_outcome, 504, 5, true)                                                      \
    STATUS(19, unavailable, 503, 4, true)                                                          \
    STATUS(20, stale, 503, 4, true)                                                                \
    STATUS(21, read_only, 507, 4, true)                                                            \
    STATUS(22, internal, 500, 6, false)                                                            \
    STATUS(23, not_primary, 503, 4, true)                                                          \
    STATUS(24, wrong_cluster, 400, 2, false)                                                       \
    STATUS(25, wrong_timeline, 410, 1, false)                                                      \
    STATUS(26, version_mismatch, 400, 2, false)                                                    \
    STATUS(27, damaged, 500, 6, false)                                                             \
    STATUS(28, in_use, 500, 6, true)

enum status {
#define STATUS_ENUM(number, name, http, exit, retry) STATUS_##name = number,
    STATUS_LIST(STATUS_ENUM)
#undef STATUS_ENUM
};

enum { STATUS_COUNT = 29 };

// The name of `status` as users see it, "ok" or "bad_request"; "unknown" for a number that no
// status has. Static text.
const char *status_name(enum status status);

// True and `ret_status` set if a status has this name.
bool status_from_name(const char *name, enum status *ret_status);

// The HTTP status code (200 to 507); 500 for a number that no status has.
unsigned status_http(enum status status);

// The exit code of the command line tool (0 to 6).
unsigned status_exit_code(enum status status);

// Whether the same request may succeed if it is sent again.
bool status_may_retry(enum status status);

#define MUST_CHECK __attribute__((warn_unused_result))

// Hands a failure to our caller; the one macro that hides a return.
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum status try_status_ = (call);                                                          \
        if (try_status_ != STATUS_ok) {                                                            \
            return try_status_;                                                                    \
        }                                                                                          \
    } while (0)

// Owning local: `destroy(&local)` runs when the scope ends.
#define AUTO(destroy) __attribute__((cleanup(destroy)))

#endif
