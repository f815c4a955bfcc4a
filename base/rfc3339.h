/*
 * Points in time as text, RFC 3339: "2024-02-29T12:30:00.5Z". Years 0 to 9999.
 */
#ifndef SKEIN_BASE_RFC3339_H
#define SKEIN_BASE_RFC3339_H

#include "base/buffer.h"
#include "base/status.h"

// Seconds since 1970 of the first and the last second that has such a text.
#define RFC3339_SECONDS_MIN (-62167219200LL)
#define RFC3339_SECONDS_MAX 253402300799LL

// Appends the text in UTC, with as many digits behind the point (0, 3, 6 or 9) as it takes.
// `seconds` is within the bounds above, `nanoseconds` below 10^9.
void rfc3339_print(int64_t seconds, uint32_t nanoseconds, struct buffer *out);

// Reads a text in any zone, with up to nine digits behind the point. Fails with bad_request for
// anything else, also for days that don't exist and for leap seconds.
MUST_CHECK enum status rfc3339_parse(struct bytes text, int64_t *ret_seconds,
                                     uint32_t *ret_nanoseconds);

#endif
