/*
 * Every try is a run of the same seed with more changes (tests/sim/changes.h). It counts if it
 * violates the same rule: the same words, whatever the numbers in them.
 *
 *   faults ──► take away halves, quarters, ... single ones, as long as the violation stays
 *   each setting ──► the least value, else the middle between that and the value now, and so on
 *   again, until a round changes nothing
 *
 * What a fault draws depends on its number alone, so most of them mean the same without the others.
 * Nothing here is random: the same seed shrinks to the same run.
 */
#include "tests/sim/shrink.h"

#include <stdio.h>

enum { ROUNDS_MAX = 4 };

struct shrinking {
    struct campaign_options options;     // of the shortest run so far
    const char *violation;               // borrowed; that has to stay
    uint64_t numbers[FAULT_NUMBERS_MAX]; // of its faults
    size_t count;
    unsigned tries;
};

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

// Whether two violations are the same but for the numbers.
static bool is_same(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (is_digit(*a) && is_digit(*b)) {
            while (is_digit(*a)) {
                a++;
            }
            while (is_digit(*b)) {
                b++;
            }
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return *a == *b;
}

static bool stays(struct shrinking *shrinking, const struct changes *changes)
{
    struct campaign_options options = shrinking->options;
    struct campaign_result result;
    options.changes = *changes;
    options.is_quiet = true;
    campaign_run(&options, &result);
    shrinking->tries++;
    return result.violations > 0 && is_same(result.violation, shrinking->violation);
}

// Takes the changes over if the violation stays with them.
static bool try_changes(struct shrinking *shrinking, const struct changes *changes)
{
    bool is_good = stays(shrinking, changes);
    if (is_good) {
        shrinking->options.changes = *changes;
    }
    return is_good;
}

// Whether the run goes without the faults at `from` to `to` of the list, which are gone then.
static bool try_without(struct shrinking *shrinking, size_t from, size_t to)
{
    struct changes changes = shrinking->options.changes;
    changes.chooses = true;
    changes.chosen = (struct fault_set){0};
    for (size_t i = 0; i < shrinking->count; i++) {
        fault_set_put(&changes.chosen, shrinking->numbers[i], i < from || i >= to);
    }
    if (!try_changes(shrinking, &changes)) {
        return false;
    }
    memmove(shrinking->numbers + from, shrinking->numbers + to,
            (shrinking->count - to) * sizeof shrinking->numbers[0]);
    shrinking->count -= to - from;
    return true;
}

static bool shrink_faults(struct shrinking *shrinking)
{
    size_t before = shrinking->count;
    for (size_t size = shrinking->count; size > 0; size /= 2) {
        size_t from = 0;
        while (from < shrinking->count) {
            size_t to = from + size < shrinking->count ? from + size : shrinking->count;
            from = try_without(shrinking, from, to) ? from : to;
        }
    }
    return shrinking->count < before;
}

static uint64_t value_now(const struct shrinking *shrinking, enum setting setting)
{
    struct options options;
    options_draw(&options, shrinking->options.seed);
    changes_apply(&shrinking->options.changes, &options);
    return setting_value(setting, &options);
}

static bool shrink_setting(struct shrinking *shrinking, enum setting setting)
{
    uint64_t value = value_now(shrinking, setting);
    uint64_t tried = setting_least(setting);
    while (tried < value) {
        struct changes changes = shrinking->options.changes;
        changes.is_set[setting] = true;
        changes.values[setting] = tried;
        if (try_changes(shrinking, &changes)) {
            return true;
        }
        tried += (value - tried + 1) / 2;
    }
    return false;
}

static bool shrink_all(struct shrinking *shrinking)
{
    bool is_shorter = shrink_faults(shrinking);
    for (unsigned setting = 0; setting < SETTING_COUNT; setting++) {
        is_shorter = shrink_setting(shrinking, (enum setting)setting) || is_shorter;
    }
    fprintf(stderr, "skein-sim: %zu faults are left after %u tries\n", shrinking->count,
            shrinking->tries);
    return is_shorter;
}

// All faults that the run has seen; of one that died of its violation nobody knows how many.
static void list_faults(struct shrinking *shrinking, uint64_t last)
{
    uint64_t end = last == 0 || last >= FAULT_NUMBERS_MAX ? FAULT_NUMBERS_MAX : last + 1;
    const struct changes *changes = &shrinking->options.changes;
    for (uint64_t number = 1; number < end; number++) {
        if (!changes->chooses || fault_set_has(&changes->chosen, number)) {
            shrinking->numbers[shrinking->count++] = number;
        }
    }
}

void shrink_run(const struct campaign_options *options, const struct campaign_result *found,
                struct campaign_result *ret_result)
{
    struct shrinking shrinking = {.options = *options, .violation = found->violation};
    shrinking.options.seed = found->violated_seed;
    shrinking.options.count = 1;
    shrinking.options.jobs = 1;
    shrinking.options.is_tracing = false;
    list_faults(&shrinking, found->fault_number);
    unsigned rounds = 0;
    while (rounds < ROUNDS_MAX && shrink_all(&shrinking)) {
        rounds++;
    }
    shrinking.options.is_tracing = true;
    campaign_run(&shrinking.options, ret_result);
}
