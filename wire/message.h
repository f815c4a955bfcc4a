/*
 * Messages: the structs, their encoding and decoding, all expanded from wire/schema.h.
 *
 * A decoded message borrows its texts and blobs from the bytes it was read from. An encoder
 * asserts the limits of the schema (breaking one is a bug of ours); a decoder checks them (breaking
 * one is a peer that misbehaves).
 */
#ifndef SKEIN_WIRE_MESSAGE_H
#define SKEIN_WIRE_MESSAGE_H

#include "base/buffer.h"
#include "base/status.h"
#include "wire/schema.h"

enum role {
    ROLE_primary = 1, // the word a storage process was started with; who leads is decided by votes
    ROLE_replica = 2,
    ROLE_coordinator = 3,
    ROLE_writer = 4,
    ROLE_reader = 5,
    ROLE_gateway = 6,
    ROLE_monitor = 7,
    ROLE_client = 8,
};

enum member_state {
    MEMBER_ready = 1,       // serves; of a storage node: follows
    MEMBER_primary = 2,     // leads, its no-op is committed and applied
    MEMBER_replica = 3,     // storage: follows a primary
    MEMBER_catching_up = 4, // storage: replays or receives the state
    MEMBER_damaged = 5,     // storage: not voting until refilled
    MEMBER_unreachable = 6, // set by a coordinator: named in its file or heard before, silent now
};

enum read_level {
    READ_linearizable = 1,
    READ_session = 2,
    READ_snapshot = 3,
    READ_any = 4,
};

#define MESSAGE_TYPE_u8 uint8_t
#define MESSAGE_TYPE_u32 uint32_t
#define MESSAGE_TYPE_u64 uint64_t
#define MESSAGE_TYPE_flag bool
#define MESSAGE_TYPE_text struct bytes
#define MESSAGE_TYPE_blob struct bytes

enum message_kind {
#define MESSAGE_ENUM(id, name, doc) MESSAGE_##name = id,
    MESSAGE_LIST(MESSAGE_ENUM)
#undef MESSAGE_ENUM
};

#define MESSAGE_FIELD(type, name, limit, doc) MESSAGE_TYPE_##type name;
#define MESSAGE_STRUCT(id, name, doc)                                                              \
    struct message_##name {                                                                        \
        WIRE_##name(MESSAGE_FIELD)                                                                 \
    };
MESSAGE_LIST(MESSAGE_STRUCT)
#undef MESSAGE_STRUCT
#undef MESSAGE_FIELD

// Any one of them.
struct message {
    enum message_kind kind;
    union {
#define MESSAGE_MEMBER(id, name, doc) struct message_##name name;
        MESSAGE_LIST(MESSAGE_MEMBER)
#undef MESSAGE_MEMBER
    };
};

// Appends the encoded message to `out`.
void message_encode(const struct message *message, struct buffer *out);

// Takes one message off the front of `*rest`. Fails with bad_request when the bytes are cut short,
// malformed, of an unknown kind or over a limit of the schema; `*rest` and `*ret_message` are then
// untouched.
MUST_CHECK enum status message_decode(struct bytes *rest, struct message *ret_message);

// The name of a kind, "append"; "unknown" for a number that no message has. Static text.
const char *message_kind_name(enum message_kind kind);

// Appends the message as one line of text, "append{epoch=4 leader=17 ...}", blobs as their size.
void message_print(const struct message *message, struct buffer *out);

// The request id in a message, 0 for kinds without one; epoch and position likewise. For traces.
uint64_t message_request(const struct message *message);
uint64_t message_epoch(const struct message *message);
uint64_t message_position(const struct message *message);

// The word of a role, "primary"; NULL for a number that no role has. And back.
const char *role_name(enum role role);
bool role_from_name(struct bytes name, enum role *ret_role);

// Storage nodes are those started as primary or replica.
static inline bool role_is_storage(enum role role)
{
    return role == ROLE_primary || role == ROLE_replica;
}

// The word of a member's state, "catching_up"; "unknown" for a number that no state has.
const char *member_state_name(enum member_state state);

// The word of a read level, "linearizable"; NULL for a number that no level has. And back.
const char *read_level_name(enum read_level level);
bool read_level_from_name(struct bytes name, enum read_level *ret_level);

#endif
