/*
 * skein-sim: runs clusters of the real machines in a simulated world, seed by seed.
 *
 *     --seed S --count N   seeds S to S+N-1, one by default
 *     --seeds FILE         the seeds in a file, one a line; what follows the number is a comment
 *     --scenario FILE      follows a script instead of chance (tests/sim/scenario.h)
 *     --bug K              with deviation K of the replication rules
 *     --jobs J             in so many processes
 *     --go-on              after a violation, too
 *     --twice              every seed twice: it must go the same way
 *     --trace              tells every step on standard output
 *     --set NAME=VALUE     changes an option that was drawn (tests/sim/changes.h)
 *     --only 3,7-9         only these faults happen; "none"
 *     --shrink             makes the first violation found a short run, and traces that; no script
 *     --coverage           tells which ways to recover were taken
 *     --cover-all          fails if one of them was not
 *     --must-fail          succeeds if a violation is found that isn't there without --bug
 *     --list               the kinds of faults
 *
 * Exits 1 when a rule was violated, 2 for bad usage, else 0, and ends with one JSON object.
 */
#include "tests/sim/shrink.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    JOBS_LIMIT = 64,
    LINE_SIZE_MAX = 256,
    SEEDS_MAX = 1024,
    EXIT_VIOLATION = 1,
    EXIT_BAD_USAGE = 2
};

// What the arguments ask for.
struct request {
    struct campaign_options campaign;
    const char *seeds; // file with seeds; NULL for none
    bool lists;
    bool shrinks;
    bool covers; // tells the coverage
    bool must_cover_all;
};

static int tell_usage(void)
{
    fprintf(stderr, "usage: skein-sim [--seed S] [--count N] [--seeds FILE] [--scenario FILE]\n"
                    "                 [--bug K] [--jobs J] [--go-on] [--twice] [--trace]\n"
                    "                 [--set NAME=VALUE]... [--only FAULTS] [--shrink]\n"
                    "                 [--coverage] [--cover-all] [--must-fail]\n"
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
static bool read_request(int count, char **arguments, struct request *request)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},
        {"count", required_argument, NULL, 'n'},
        {"jobs", required_argument, NULL, 'j'},
        {"bug", required_argument, NULL, 'b'},
        {"scenario", required_argument, NULL, 'c'},
        {"seeds", required_argument, NULL, 'f'},
        {"go-on", no_argument, NULL, 'g'},
        {"twice", no_argument, NULL, '2'},
        {"trace", no_argument, NULL, 't'},
        {"must-fail", no_argument, NULL, 'm'},
        {"list", no_argument, NULL, 'l'},
        {"set", required_argument, NULL, 'v'},
        {"only", required_argument, NULL, 'o'},
        {"shrink", no_argument, NULL, 'k'},
        {"coverage", no_argument, NULL, 'r'},
        {"cover-all", no_argument, NULL, 'a'},
        {0},
    };
    struct campaign_options *campaign = &request->campaign;
    uint64_t jobs = 1;
    uint64_t bug = 0;
    bool is_good = true;
    for (int name = 0; name != -1; name = getopt_long(count, arguments, "", names, NULL)) {
        switch (name) {
        case 0: break;
        case 's': is_good = is_good && read_number(optarg, &campaign->seed); break;
        case 'n': is_good = is_good && read_number(optarg, &campaign->count); break;
        case 'j': is_good = is_good && read_number(optarg, &jobs); break;
        case 'b': is_good = is_good && read_number(optarg, &bug); break;
        case 'c': campaign->scenario = optarg; break;
        case 'f': request->seeds = optarg; break;
        case 'g': campaign->goes_on = true; break;
        case '2': campaign->is_twice = true; break;
        case 't': campaign->is_tracing = true; break;
        case 'm': campaign->must_fail = true; break;
        case 'l': request->lists = true; break;
        case 'v': is_good = is_good && changes_set(&campaign->changes, optarg); break;
        case 'o': is_good = is_good && changes_choose(&campaign->changes, optarg); break;
        case 'k': request->shrinks = true; break;
        case 'r': request->covers = true; break;
        case 'a': request->must_cover_all = true; break;
        default: is_good = false;
        }
    }
    campaign->jobs = (unsigned)(jobs < campaign->count ? jobs : campaign->count);
    campaign->bug = (unsigned)bug;
    bool is_script = campaign->scenario != NULL;
    return is_good && optind == count && campaign->count >= 1 && jobs >= 1 && jobs <= JOBS_LIMIT &&
           bug <= UINT16_MAX && !(is_script && request->shrinks);
}

// Runs the seeds in the file; false if it can't be read.
static bool read_seeds(const char *name, uint64_t *seeds, size_t *ret_count)
{
    char line[LINE_SIZE_MAX];
    size_t count = 0;
    FILE *file = fopen(name, "r");
    bool is_read = file != NULL;
    while (is_read && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, " #\n")] = '\0';
        if (*line != '\0') {
            is_read = count < SEEDS_MAX && read_number(line, &seeds[count++]);
        }
    }
    if (file != NULL) {
        fclose(file); // before a worker is forked, which would share its place in it
    }
    *ret_count = count;
    return is_read;
}

static bool run_file(const struct request *request, struct campaign_result *ret_sum)
{
    uint64_t seeds[SEEDS_MAX];
    size_t count;
    if (!read_seeds(request->seeds, seeds, &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct campaign_options options = request->campaign;
        struct campaign_result result;
        options.seed = seeds[i];
        options.count = 1;
        options.jobs = 1;
        campaign_run(&options, &result);
        campaign_add(ret_sum, &result);
    }
    return true;
}

int main(int count, char **arguments)
{
    struct request request = {.campaign = {.seed = 1, .count = 1}};
    struct campaign_result result = {0};
    if (!read_request(count, arguments, &request)) {
        return tell_usage();
    }
    if (request.lists) {
        list_faults();
        return EXIT_SUCCESS;
    }
    if (request.seeds == NULL) {
        campaign_run(&request.campaign, &result);
    } else if (!run_file(&request, &result)) {
        fprintf(stderr, "skein-sim: %s can't be read\n", request.seeds);
        return EXIT_BAD_USAGE;
    }
    if (request.shrinks && result.violations > 0) {
        struct campaign_result found = result;
        shrink_run(&request.campaign, &found, &result);
    }
    if (request.covers) {
        coverage_print(&result.coverage);
    }
    printf("{\"seeds\":%llu,\"violations\":%llu,\"virtual_seconds\":%.3f,\"commits\":%llu,"
           "\"faults\":%llu,\"digest\":\"%016llx\"}\n",
           (unsigned long long)result.seeds, (unsigned long long)result.violations,
           (double)result.virtual_us / 1e6, (unsigned long long)result.commits,
           (unsigned long long)result.faults, (unsigned long long)result.digest);
    if (request.must_cover_all && !coverage_is_whole(&result.coverage)) {
        fprintf(stderr, "skein-sim: not every way to recover was taken\n");
        return EXIT_VIOLATION;
    }
    bool is_violated = result.violations > 0;
    return is_violated == request.campaign.must_fail ? EXIT_SUCCESS : EXIT_VIOLATION;
}
