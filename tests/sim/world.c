/*
 * The queue is a heap ordered by (time, number of insertion), so that what happens at the same
 * moment happens in the order in which it was asked for and a seed always gives the same run. There
 * are four children a node: half the depth of a binary heap, and the four are next to each other in
 * memory.
 *
 * The digest is made of the time and kind of all that happens and of the content of all messages;
 * two runs with equal digests went the same way.
 */
#include "tests/sim/world.h"

#include "base/assert.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEAP_CAPACITY_MIN = 4096, HEAP_CHILDREN = 4 };

void world_init(struct world *world, bool is_tracing)
{
    *world = (struct world){.is_tracing = is_tracing, .capacity = HEAP_CAPACITY_MIN};
    world->heap = reallocarray(NULL, world->capacity, sizeof *world->heap);
    ASSERT(world->heap != NULL);
}

void world_release(struct world *world)
{
    free(world->heap);
    *world = (struct world){0};
}

static bool is_before(const struct occurrence *a, const struct occurrence *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->number < b->number;
}

static void heap_lift(struct occurrence *heap, size_t at, const struct occurrence *item)
{
    while (at > 0) {
        size_t parent = (at - 1) / HEAP_CHILDREN;
        if (!is_before(item, &heap[parent])) {
            break;
        }
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = *item;
}

static size_t heap_first_child(const struct occurrence *heap, size_t count, size_t parent)
{
    size_t first = parent * HEAP_CHILDREN + 1;
    size_t end = first + HEAP_CHILDREN < count ? first + HEAP_CHILDREN : count;
    size_t best = first;
    for (size_t child = first + 1; child < end; child++) {
        if (is_before(&heap[child], &heap[best])) {
            best = child;
        }
    }
    return best;
}

// Puts `item` where the root was taken away.
static void heap_sink(struct occurrence *heap, size_t count, const struct occurrence *item)
{
    size_t at = 0;
    while (at * HEAP_CHILDREN + 1 < count) {
        size_t child = heap_first_child(heap, count, at);
        if (!is_before(&heap[child], item)) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = *item;
}

void world_at(struct world *world, uint64_t at_us, void (*run)(void *, uint64_t), void *context,
              uint64_t argument)
{
    if (world->count == world->capacity) {
        world->capacity *= 2;
        world->heap = reallocarray(world->heap, world->capacity, sizeof *world->heap);
        ASSERT(world->heap != NULL);
    }
    struct occurrence item = {.at_us = at_us < world->now_us ? world->now_us : at_us,
                              .number = world->next_number++,
                              .run = run,
                              .context = context,
                              .argument = argument};
    heap_lift(world->heap, world->count++, &item);
}

bool world_step(struct world *world, uint64_t until_us)
{
    if (world->count == 0 || world->heap[0].at_us > until_us) {
        world->now_us = until_us > world->now_us ? until_us : world->now_us;
        return false;
    }
    struct occurrence item = world->heap[0];
    world->count--;
    if (world->count > 0) {
        heap_sink(world->heap, world->count, &world->heap[world->count]);
    }
    world->now_us = item.at_us;
    world->happened++;
    world_mix(world, item.at_us);
    item.run(item.context, item.argument);
    return true;
}

void world_mix(struct world *world, uint64_t number)
{
    uint64_t mixed = (world->digest ^ number) * 0x9e3779b97f4a7c15;
    world->digest = mixed ^ (mixed >> 29);
}

void world_trace(const struct world *world, const char *format, ...)
{
    if (!world->is_tracing) {
        return;
    }
    printf("%4u.%06u ", (unsigned)(world->now_us / 1000000), (unsigned)(world->now_us % 1000000));
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void world_violate(struct world *world, const char *format, ...)
{
    if (world->is_violated) {
        return;
    }
    world->is_violated = true;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(world->violation, sizeof world->violation, format, arguments);
    va_end(arguments);
    ASSERT(size >= 0);
    world_trace(world, "VIOLATION %s", world->violation);
}

uint64_t random_wait(struct random *random, uint64_t mean)
{
    double uniform = ((double)(random_next(random) >> 11) + 1.0) / 9007199254740993.0;
    double wait = -log(uniform) * (double)mean;
    uint64_t bounded = wait > 16.0 * (double)mean ? 16 * mean : (uint64_t)wait;
    return bounded == 0 ? 1 : bounded;
}
