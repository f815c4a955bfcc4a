/*
 * Drawing questions at random.
 */
#ifndef SKEIN_TESTS_SIM_DRAW_H
#define SKEIN_TESTS_SIM_DRAW_H

#include "tests/sim/workload.h"

// True so many times in a hundred.
bool draw_percent(struct workload *workload, unsigned percent);

// A transaction; one that a client in want of service can ask if it is.
void draw_transaction(struct workload *workload, struct question *question);

// A read, perhaps of a page of the find that the client goes through.
void draw_read(struct workload *workload, struct question *question);

// The next page of the find that the client goes through; there is one.
void draw_page(struct workload *workload, struct question *question);

#endif
