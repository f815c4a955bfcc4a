/*
 * A coordinator, c1, with three voters of the file, s1 to s3, that report and answer as the test
 * says, and a reader r1. Everybody reports from an address of its own kind (report_address), as
 * over a connection that was made to the coordinator.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_COORDINATOR_H
#define SKEIN_TESTS_UNIT_FIXTURE_COORDINATOR_H

#include "actors/coordinator/state.h"
#include "tests/unit/fixture_electors.h"

enum { OFFICE_VOTERS = 3, OFFICE_CLIENT = 99 };

struct office {
    struct process process;
    struct voter_seed seeds[OFFICE_VOTERS];
    struct script scripts[OFFICE_VOTERS];
    struct coordinator *coordinator;
    struct post *post;
    uint64_t now_us;
    uint64_t beats; // of all reports
};

// Started at 10 s; nobody has reported yet. Logs are as in fixture_electors.h.
void office_open(struct office *office);

// The same; s1 leads epoch 4, s2 and s3 follow it, r1 is ready. Letters are forgotten.
void office_open_with_primary(struct office *office);
void office_close(struct office *office);

void office_step(struct office *office, struct event event);

// A message from `from`, whose frame says this name; the client is nobody's name.
void office_receive(struct office *office, uint64_t from, const char *name, struct message message);

// Time passes, timers go off; or also everybody reports each 100 ms as before, but for the process
// named `silent`.
void office_wait(struct office *office, uint64_t us);
void office_wait_reporting(struct office *office, uint64_t us, const char *silent);

// The report of a process: of s1 to s3 as a storage node, else as a reader.
struct message_member office_member(struct office *office, const char *name,
                                    enum member_state state, uint64_t epoch);
void office_report(struct office *office, struct message_member member);
void office_report_as(struct office *office, const char *name, enum member_state state,
                      uint64_t epoch);

uint64_t report_address(const char *name);
uint64_t voter_address(const struct office *office, size_t voter);

// Voters answer the latest poll or seal, "13"; the appointee takes the appointment.
void office_answer(struct office *office, const char *digits);
void office_answer_appoint(struct office *office, size_t voter);

// The connection to a voter is lost and refused, or stands again.
void office_connect(struct office *office, size_t voter, bool is_up);

// s2 is elected and reports; time stands still.
void office_elect_second(struct office *office, uint64_t epoch);

// The topology that was last sent to a process.
const struct message_topology *office_topology(const struct office *office, const char *name);

// State of a member in it; 0 if it is not listed.
enum member_state office_state(const struct office *office, const char *name);

void office_check_primary(const struct office *office, const char *name, uint64_t epoch);

#endif
