/*
 * skein-sim: runs clusters of the real machines in a simulated world, seed by seed.
 *
 *     skein-sim [--seed S] [--count N] [--jobs J] [--bug K] [--scenario FILE] [--go-on] [--trace]
 *
 * Exits 1 when a rule was violated, 2 for bad usage, else 0, and ends with one JSON object.
 */
#include "tests/sim/campaign.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { JOBS_LIMIT = 64, EXIT_VIOLATION = 1, EXIT_BAD_USAGE = 2 };

static int tell_usage(void)
{
    fprintf(stderr, "usage: skein-sim [--seed S] [--count N] [--jobs J] [--bug K] "
                    "[--scenario FILE] [--go-on] [--trace]\n"
                    "       skein-sim --list\n");
    return EXIT_BAD_USAGE;
}

static bool read_number(const char *text, uint64_t *ret_number)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0') {
        return false;
    }
    *ret_number = number;
    return true;
}

static void list_faults(void)
{
    static const char *const docs[FAULT_KIND_COUNT] = {
#define FAULT_DOC(name, weight, doc) doc,
        FAULT_LIST(FAULT_DOC)
#undef FAULT_DOC
    };
    for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        printf("%-16s %s\n", fault_name(kind), docs[kind]);
    }
}

// Reads the arguments; false when they are wrong.
static bool read_options(int count, char **arguments, struct campaign_options *options,
                         bool *ret_lists)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},
        {"count", required_argument, NULL, 'n'},
        {"jobs", required_argument, NULL, 'j'},
        {"bug", required_argument, NULL, 'b'},
        {"scenario", required_argument, NULL, 'c'},
        {"go-on", no_argument, NULL, 'g'},
        {"trace", no_argument, NULL, 't'},
        {"list", no_argument, NULL, 'l'},
        {0},
    };
    uint64_t jobs = 1;
    uint64_t bug = 0;
    bool is_good = true;
    for (int name = 0; name != -1; name = getopt_long(count, arguments, "", names, NULL)) {
        switch (name) {
        case 0: break;
        case 's': is_good = is_good && read_number(optarg, &options->seed); break;
        case 'n': is_good = is_good && read_number(optarg, &options->count); break;
        case 'j': is_good = is_good && read_number(optarg, &jobs); break;
        case 'b': is_good = is_good && read_number(optarg, &bug); break;
        case 'c': options->scenario = optarg; break;
        case 'g': options->goes_on = true; break;
        case 't': options->is_tracing = true; break;
        case 'l': *ret_lists = true; break;
        default: is_good = false;
        }
    }
    options->jobs = (unsigned)(jobs < options->count ? jobs : options->count);
    options->bug = (unsigned)bug;
    return is_good && optind == count && options->count >= 1 && jobs >= 1 && jobs <= JOBS_LIMIT &&
           bug <= UINT16_MAX;
}

int main(int count, char **arguments)
{
    struct campaign_options options = {.seed = 1, .count = 1};
    bool lists = false;
    if (!read_options(count, arguments, &options, &lists)) {
        return tell_usage();
    }
    if (lists) {
        list_faults();
        return EXIT_SUCCESS;
    }
    struct campaign_result result;
    campaign_run(&options, &result);
    printf("{\"seeds\":%llu,\"violations\":%llu,\"virtual_seconds\":%.3f,\"commits\":%llu,"
           "\"faults\":%llu,\"digest\":\"%016llx\"}\n",
           (unsigned long long)result.seeds, (unsigned long long)result.violations,
           (double)result.virtual_us / 1e6, (unsigned long long)result.commits,
           (unsigned long long)result.faults, (unsigned long long)result.digest);
    return result.violations > 0 ? EXIT_VIOLATION : EXIT_SUCCESS;
}
