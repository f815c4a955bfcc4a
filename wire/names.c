/*
 * The words of roles, member states and read levels, as they stand on the command line and in
 * replies: one table each, by number.
 *
 * Numbers may come from a peer of a newer version. Where a word must be shown (a member's state)
 * such a number reads as "unknown"; elsewhere it has no word, and the caller refuses it.
 */
#include "wire/message.h"

enum { ROLE_COUNT = ROLE_client + 1, STATE_COUNT = MEMBER_unreachable + 1 };
enum { LEVEL_COUNT = READ_any + 1 };

static const char *const ROLE_NAMES[ROLE_COUNT] = {
    [ROLE_primary] = "primary", [ROLE_replica] = "replica", [ROLE_coordinator] = "coordinator",
    [ROLE_writer] = "writer",   [ROLE_reader] = "reader",   [ROLE_gateway] = "gateway",
    [ROLE_monitor] = "monitor", [ROLE_client] = "client",
};

static const char *const STATE_NAMES[STATE_COUNT] = {
    [MEMBER_ready] = "ready",     [MEMBER_primary] = "primary",
    [MEMBER_replica] = "replica", [MEMBER_catching_up] = "catching_up",
    [MEMBER_damaged] = "damaged", [MEMBER_unreachable] = "unreachable",
};

static const char *const LEVEL_NAMES[LEVEL_COUNT] = {
    [READ_linearizable] = "linearizable",
    [READ_session] = "session",
    [READ_snapshot] = "snapshot",
    [READ_any] = "any",
};

// The number whose word is `name`, 0 for none; no word has number 0.
static unsigned find_name(const char *const *names, unsigned count, struct bytes name)
{
    for (unsigned number = 1; number < count; number++) {
        if (bytes_equal(bytes_from_text(names[number]), name)) {
            return number;
        }
    }
    return 0;
}

const char *role_name(enum role role)
{
    return (unsigned)role < ROLE_COUNT ? ROLE_NAMES[role] : NULL;
}

bool role_from_name(struct bytes name, enum role *ret_role)
{
    unsigned number = find_name(ROLE_NAMES, ROLE_COUNT, name);
    if (number != 0) {
        *ret_role = (enum role)number;
    }
    return number != 0;
}

const char *member_state_name(enum member_state state)
{
    bool is_known = (unsigned)state < STATE_COUNT && STATE_NAMES[state] != NULL;
    return is_known ? STATE_NAMES[state] : "unknown";
}

const char *read_level_name(enum read_level level)
{
    return (unsigned)level < LEVEL_COUNT ? LEVEL_NAMES[level] : NULL;
}

bool read_level_from_name(struct bytes name, enum read_level *ret_level)
{
    unsigned number = find_name(LEVEL_NAMES, LEVEL_COUNT, name);
    if (number != 0) {
        *ret_level = (enum read_level)number;
    }
    return number != 0;
}
