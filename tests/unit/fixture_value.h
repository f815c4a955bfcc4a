/*
 * Random msgpack for property tests, and damage for fuzzing.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_VALUE_H
#define SKEIN_TESTS_UNIT_FIXTURE_VALUE_H

#include "base/buffer.h"
#include "base/random.h"

// How often a test with random values goes round that is to do so `count` times: so often, and
// under a sanitizer, where everything takes longer, a quarter of it.
unsigned rounds_of(unsigned count);

// An integer of any magnitude, often at a border of a msgpack form.
uint64_t natural_random(struct random *random);

// A finite double of any magnitude, often an integer or next to one.
double real_random(struct random *random);

// Appends a valid text of at most `size_max` bytes.
void text_append_random(struct random *random, size_t size_max, struct buffer *out);

// Appends a value of any kind, containers nested at most `depth` deep. Integers, floats and texts
// prefer the borders of their ranges.
void value_append_random(struct random *random, unsigned depth, struct buffer *out);

// Changes or inserts a few bytes, or cuts off the end.
void bytes_damage(struct random *random, struct buffer *bytes);

#endif
