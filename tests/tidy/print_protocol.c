/*
 * Prints wire/PROTOCOL.md: what is written by hand below, around the tables that expand from
 * wire/schema.h, base/status.h and the enums of wire/message.h. The target `docs` writes the file;
 * a test compares it with what this program prints, so that it never goes stale.
 *
 *   skein-protocol > wire/PROTOCOL.md
 */
#include "base/status.h"
#include "wire/message.h"

#include <stdio.h>

// Kinds with ids from `first` on, until the next section.
struct section {
    unsigned first;
    const char *text; // heading and explanation, written by hand
};

static const char INTRODUCTION[] =
    "# Protocol\n"
    "\n"
    "This file is printed by `skein-protocol` from wire/schema.h; change it there and build the\n"
    "target `docs`.\n"
    "\n"
    "Processes talk over ZeroMQ sockets: who takes messages binds a ROUTER, who sends requests\n"
    "connects a DEALER. One message part is one *frame*: the message `frame` as its head, then "
    "one\n"
    "or more messages. Whatever goes to the same peer at the same moment shares a frame.\n"
    "\n"
    "A message is the msgpack array `[id, field, field, ...]`. Fields are only ever appended and "
    "ids\n"
    "never used again: a missing field at the end is zero (false, empty), unknown ones are "
    "skipped.\n"
    "`u8`, `u32` and `u64` are unsigned integers, `flag` is a boolean, `text` is UTF-8, `blob` is\n"
    "msgpack bin; sizes are bytes. A frame that is malformed, of an unknown kind or over a limit "
    "is\n"
    "refused as a whole. A list of records is a blob of messages one after another.\n"
    "\n"
    "Every request carries an id that its sender chose, unique for its lifetime and never 0; the\n"
    "answer echoes it. A request that can't be done is answered by `refusal` or by the status in\n"
    "its own answer. \"Rule n\" is rule n of the replication rules.\n";

static const struct section SECTIONS[] = {
    {1, "## Frames\n"},
    {10,
     "## Elections\n"
     "\n"
     "A coordinator that suspects the primary sends `poll` to the voters; if a majority doesn't\n"
     "hear the primary either, it sends `seal` with a new epoch. Each voter makes its promise\n"
     "durable and answers with the end of its log. The one with the best log among a majority\n"
     "gets `appoint`; its durable no-op is answered by `appoint_reply`. In a `switchover` the\n"
     "primary drains, brings the target to its end of log and sends `consent`, which replaces the\n"
     "poll.\n"},
    {20,
     "## Replication\n"
     "\n"
     "The primary sends `append` with entries, or empty as a heartbeat. A follower answers twice:\n"
     "`round_reply` at once with the epoch it has promised, `append_reply` when the entries are\n"
     "durable. A follower that can't follow from the log gets the state, chunk by chunk.\n"},
    {30, "## Read points\n"
         "\n"
         "A reader asks the primary (`read_point`) and another voter (`confirm`) at the same time; "
         "the\n"
         "two answers together make a version that a linearizable read must reach (rule 26).\n"},
    {40,
     "## Topology\n"
     "\n"
     "Every process reports itself to the coordinators with `member`; they answer with `topology`\n"
     "and send it again when it changes.\n"},
    {50, "## Transactions and reads\n"
         "\n"
         "Clients send `transact` to a writer, which sends it on to the primary, again and again "
         "across\n"
         "failovers, and passes the `outcome` back; session and sequence make it run once. Clients "
         "send\n"
         "`read` to a reader, which answers from its cache or sends it on to a storage node. "
         "Operations\n"
         "are described in wire/document/operation.h.\n"},
    {60, "## Marks, digests and failovers\n"},
    {70, "## Observation\n"},
    {80, "## Records\n"
         "\n"
         "Encoded as messages, but kept in files, in the log and inside of other messages.\n"},
};

enum { SECTION_COUNT = sizeof SECTIONS / sizeof SECTIONS[0] };

static void print_field(const char *type, const char *name, unsigned long limit, const char *doc)
{
    if (limit > 0) {
        printf("| `%s` | %s | %lu | %s |\n", name, type, limit, doc);
    } else {
        printf("| `%s` | %s | | %s |\n", name, type, doc);
    }
}

static void print_head(unsigned id, const char *name, const char *doc)
{
    printf("\n### %u %s\n\n%s\n\n", id, name, doc);
    printf("| field | type | at most | meaning |\n|---|---|---|---|\n");
}

#define PRINT_FIELD(type, name, limit, doc) print_field(#type, #name, limit, doc);
#define PRINT_MESSAGE(id, name, doc)                                                               \
    if (id >= first && id < end) {                                                                 \
        print_head(id, #name, doc);                                                                \
        WIRE_##name(PRINT_FIELD)                                                                   \
    }

// Prints the messages with ids from `first` to below `end`.
static void print_messages(unsigned first, unsigned end)
{
    MESSAGE_LIST(PRINT_MESSAGE)
}

static void print_sections(void)
{
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        printf("\n%s", SECTIONS[i].text);
        print_messages(SECTIONS[i].first, i + 1 < SECTION_COUNT ? SECTIONS[i + 1].first : ~0u);
    }
}

static void print_numbers(void)
{
    printf("\n## Numbers\n\nRoles:");
    for (unsigned role = ROLE_primary; role <= ROLE_client; role++) {
        printf(" %u %s%s", role, role_name((enum role)role), role < ROLE_client ? "," : ".\n");
    }
    printf("\nStates of a member:");
    for (unsigned state = MEMBER_ready; state <= MEMBER_unreachable; state++) {
        printf(" %u %s%s", state, member_state_name((enum member_state)state),
               state < MEMBER_unreachable ? "," : ".\n");
    }
    printf("\nLevels of reads:");
    for (unsigned level = READ_linearizable; level <= READ_any; level++) {
        printf(" %u %s%s", level, read_level_name((enum read_level)level),
               level < READ_any ? "," : ".\n");
    }
}

static void print_statuses(void)
{
    printf("\n| status | name | HTTP | exit code | retry may help |\n|---|---|---|---|---|\n");
    for (unsigned number = 0; number < STATUS_COUNT; number++) {
        enum status status = (enum status)number;
        printf("| %u | `%s` | %u | %u | %s |\n", number, status_name(status), status_http(status),
               status_exit_code(status), status_may_retry(status) ? "yes" : "no");
    }
}

int main(void)
{
    printf("%s", INTRODUCTION);
    print_sections();
    print_numbers();
    print_statuses();
    return 0;
}
