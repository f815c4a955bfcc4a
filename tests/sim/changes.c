/*
 * Settings are options by name. Sets of faults are said as numbers and ranges of numbers.
 */
#include "tests/sim/changes.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>

static const char *const NAMES[SETTING_COUNT] = {
#define SETTING_NAME(name, member, least, most) #name,
    SETTING_LIST(SETTING_NAME)
#undef SETTING_NAME
};

static const uint64_t LEAST[SETTING_COUNT] = {
#define SETTING_LEAST(name, member, least, most) least,
    SETTING_LIST(SETTING_LEAST)
#undef SETTING_LEAST
};

static const uint64_t MOST[SETTING_COUNT] = {
#define SETTING_MOST(name, member, least, most) most,
    SETTING_LIST(SETTING_MOST)
#undef SETTING_MOST
};

// Takes a number off the text; false if there is none.
static bool take_number(const char **text, uint64_t *ret_number)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(*text, &end, 10);
    if (errno != 0 || **text < '0' || **text > '9') {
        return false;
    }
    *text = end;
    *ret_number = number;
    return true;
}

static bool take_sign(const char **text, char sign)
{
    bool is_there = **text == sign;
    *text += is_there;
    return is_there;
}

bool changes_set(struct changes *changes, const char *text)
{
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        size_t size = strlen(NAMES[i]);
        const char *rest = text + size;
        uint64_t value;
        if (strncmp(text, NAMES[i], size) == 0 && take_sign(&rest, '=')) {
            bool is_good = take_number(&rest, &value) && *rest == '\0' && value >= LEAST[i] &&
                           value <= MOST[i];
            changes->is_set[i] = is_good;
            changes->values[i] = is_good ? value : 0;
            return is_good;
        }
    }
    return false;
}

bool changes_choose(struct changes *changes, const char *text)
{
    changes->chooses = true;
    changes->chosen = (struct fault_set){0};
    bool is_over = strcmp(text, "none") == 0;
    while (!is_over) {
        uint64_t first;
        if (!take_number(&text, &first)) {
            return false;
        }
        uint64_t last = first;
        if (take_sign(&text, '-') && !take_number(&text, &last)) {
            return false;
        }
        if (last >= FAULT_NUMBERS_MAX) {
            return false;
        }
        for (uint64_t number = first; number <= last; number++) {
            fault_set_put(&changes->chosen, number, true);
        }
        is_over = !take_sign(&text, ',');
        if (is_over && *text != '\0') {
            return false;
        }
    }
    return true;
}

void changes_apply(const struct changes *changes, struct options *options)
{
#define SETTING_APPLY(name, member, least, most)                                                   \
    if (changes->is_set[SETTING_##name]) {                                                         \
        options->member = (__typeof__(options->member))changes->values[SETTING_##name];            \
    }
    SETTING_LIST(SETTING_APPLY)
#undef SETTING_APPLY
    if (changes->chooses) {
        options->chooses_faults = true;
        options->chosen = changes->chosen;
    }
}

static void print_chosen(const struct fault_set *chosen, struct buffer *out)
{
    const char *separator = "";
    text_append(out, " --only ");
    for (unsigned first = 0; first < FAULT_NUMBERS_MAX; first++) {
        unsigned last = first;
        if (!fault_set_has(chosen, first)) {
            continue;
        }
        while (last + 1 < FAULT_NUMBERS_MAX && fault_set_has(chosen, last + 1)) {
            last++;
        }
        text_append(out, "%s%u", separator, first);
        if (last > first) {
            text_append(out, "-%u", last);
        }
        separator = ",";
        first = last;
    }
    if (*separator == '\0') {
        text_append(out, "none");
    }
}

void changes_print(const struct changes *changes, struct buffer *out)
{
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (changes->is_set[i]) {
            text_append(out, " --set %s=%llu", NAMES[i], (unsigned long long)changes->values[i]);
        }
    }
    if (changes->chooses) {
        print_chosen(&changes->chosen, out);
    }
}

uint64_t setting_value(enum setting setting, const struct options *options)
{
    const uint64_t values[SETTING_COUNT] = {
#define SETTING_VALUE(name, member, least, most) options->member,
        SETTING_LIST(SETTING_VALUE)
#undef SETTING_VALUE
    };
    return values[setting];
}

uint64_t setting_least(enum setting setting)
{
    return LEAST[setting];
}
