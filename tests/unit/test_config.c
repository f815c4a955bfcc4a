/*
 * The configuration: what a good one gives, and the sentence and place of every mistake.
 */
#include "actors/runtime/config.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define GOOD                                                                                       \
    "cluster = t\ncoordinators\n    c1 = tcp://127.0.0.1:7300\nstorage\n    s1\n"                  \
    "        role = primary\n        endpoint = tcp://127.0.0.1:7310\n"

static struct mistakes found;
static struct config config;

static void setup(void)
{
    mistakes_init(&found);
}

static void teardown(void)
{
    mistakes_release(&found);
}

static enum status load(const char *text, const char *setting)
{
    struct config_source source = {
        .file = "f", .settings = &setting, .setting_count = setting != NULL};
    return config_load_text(&source, text, &config, &found);
}

static void expect_good(const char *text, const char *setting)
{
    cr_expect_eq(load(text, setting), STATUS_ok, "%.*s", (int)found.text.size,
                 (const char *)found.text.data);
}

static void expect_mistakes(const char *text, const char *setting, const char *expected)
{
    cr_expect_eq(load(text, setting), STATUS_bad_request);
    cr_expect(bytes_equal(buffer_bytes(&found.text), bytes_from_text(expected)), "got: %.*s",
              (int)found.text.size, (const char *)found.text.data);
}

TestSuite(config, .init = setup, .fini = teardown);

Test(config, reads_nodes_and_defaults)
{
    expect_good(GOOD, NULL);
    cr_expect_str_eq(config.cluster_name, "t");
    cr_expect_str_eq(config.data_folder, "/var/lib/skein");
    cr_expect_str_eq(config.coordinators[0].endpoint, "tcp://127.0.0.1:7300");
    cr_expect_eq(config.voters[0].role, ROLE_primary);
    cr_expect_eq(config.voters[0].place.line, 5);
    cr_expect_eq(config.timings.suspect_after_ms, SUSPECT_AFTER_MS);
    cr_expect_not(config.auto_format);
}

Test(config, a_setting_wins_over_the_file)
{
    expect_good(GOOD "timings\n    beat_ms = 50\n", "timings/beat_ms=60");
    cr_expect_eq(config.timings.beat_ms, 60);
}

Test(config, a_setting_moves_a_node)
{
    expect_good(GOOD, "storage/s1/endpoint=ipc:///tmp/s1");
    cr_expect_str_eq(config.voters[0].endpoint, "ipc:///tmp/s1");
    cr_expect_eq(config.voter_count, 1);
}

Test(config, finds_nodes_by_name)
{
    expect_good(GOOD, NULL);
    cr_expect_eq(config_find(&config, "c1"), &config.coordinators[0]);
    cr_expect_eq(config_find(&config, "s1"), &config.voters[0]);
    cr_expect_null(config_find(&config, "s2"));
}

Test(config, an_empty_file_lacks_three_things)
{
    expect_mistakes("", NULL,
                    "f: the key cluster, its name, is missing\n"
                    "f: the section coordinators names no coordinator\n"
                    "f: the section storage names no node\n");
}

Test(config, unknown_keys_are_mistakes_of_their_line)
{
    expect_mistakes(GOOD "colour = red\ntimings\n    beat = 1\n", "storage/s1/size=1",
                    "f:8: there is no key colour\n"
                    "f:10: there is no key timings/beat\n"
                    "--set storage/s1/size=1: there is no key storage/s1/size\n");
}

Test(config, a_key_set_twice_is_a_mistake)
{
    expect_mistakes(GOOD "cluster = u\n", NULL, "f:8: cluster is set already\n");
}

Test(config, values_are_checked)
{
    expect_mistakes(GOOD "auto_format = yes\nquery_threads = 0\ndata = here\nlisten = tcp://h:1\n",
                    "timings/beat_ms=-1",
                    "f:8: auto_format = \"yes\": it is 0 or 1\n"
                    "f:9: query_threads = \"0\": it is a number from 1 to 16\n"
                    "f:10: data = \"here\": a folder is an absolute path of at most 200 bytes\n"
                    "f:11: listen = \"tcp://h:1\": its port should be '*'; every process takes a "
                    "free one\n"
                    "--set timings/beat_ms=-1: timings/beat_ms = \"-1\": it is a number from 10 to "
                    "60000\n");
}

Test(config, a_setting_without_a_value_is_a_mistake)
{
    expect_mistakes(GOOD, "auto_format", "--set auto_format: it should be KEY=VALUE\n");
}

Test(config, a_node_needs_role_and_endpoint)
{
    expect_mistakes("cluster = t\ncoordinators\n    c1 = tcp://127.0.0.1:1\nstorage\n    s1\n",
                    NULL, "f:5: s1 has no endpoint\nf:5: s1 has no role\n");
}

Test(config, names_and_endpoints_are_used_once)
{
    expect_mistakes(GOOD "    c1\n        role = primary\n"
                         "        endpoint = tcp://127.0.0.1:7310\n",
                    NULL,
                    "f:8: c1 is the name of a coordinator already (3)\n"
                    "f:8: c1 has the endpoint of s1, tcp://127.0.0.1:7310\n"
                    "f:8: c1 has role primary like s1; one node at most is preferred\n");
}

Test(config, timings_that_contradict_each_other_are_refused)
{
    expect_mistakes(GOOD "timings\n    heartbeat_ms = 100\n", NULL,
                    "f:9: timings/heartbeat_ms and timings/suspect_after_ms contradict each other: "
                    "four heartbeats must fit, so that a few may be lost\n");
}

Test(config, the_timing_that_was_set_is_the_one_blamed)
{
    expect_mistakes(GOOD, "timings/member_expiry_ms=350",
                    "--set timings/member_expiry_ms=350: timings/beat_ms and "
                    "timings/member_expiry_ms contradict each other: four beats must fit, so that "
                    "a few may be lost\n");
}

Test(config, auto_format_is_refused_beyond_loopback)
{
    expect_mistakes(GOOD "listen = tcp://10.0.0.1:*\nauto_format = 1\n", NULL,
                    "f:9: auto_format = 1 is for loopback only, listen is tcp://10.0.0.1:*\n");
}

Test(config, there_are_seven_voters_at_most)
{
    char text[4096] = GOOD;
    for (char name = '2'; name <= '8'; name++) {
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "    s%c\n        role = replica\n        endpoint = tcp://h:%c\n", name, name);
    }
    cr_expect_eq(load(text, NULL), STATUS_bad_request);
    cr_expect_eq(config.voter_count, VOTER_COUNT_MAX);
    const char *first = "f:26: storage/s8 is one too many: there can be 7 at most\n";
    cr_expect(bytes_starts_with(buffer_bytes(&found.text), bytes_from_text(first)));
}

struct endpoint_case {
    const char *endpoint;
    bool is_good;
};

Test(config, endpoints_are_checked)
{
    static const struct endpoint_case cases[] = {
        {"tcp://10.0.0.1:80", true},
        {"tcp://db-1.example:65535", true},
        {"ipc:///run/s1", true},
        {"tcp://*:80", false},
        {"tcp://0.0.0.0:80", false},
        {"tcp://h:0", false},
        {"tcp://h:65536", false},
        {"tcp://h:*", false},
        {"tcp://h", false},
        {"tcp://:80", false},
        {"tcp://[::1]:80", false},
        {"ipc://run", false},
        {"udp://h:80", false},
        {"tcp://h:80x", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char setting[128];
        snprintf(setting, sizeof setting, "storage/s1/endpoint=%s", cases[i].endpoint);
        mistakes_release(&found);
        enum status expected = cases[i].is_good ? STATUS_ok : STATUS_bad_request;
        cr_expect_eq(load(GOOD, setting), expected, "%s", cases[i].endpoint);
    }
}

Test(config, names_become_folders_and_are_checked)
{
    cr_expect(config_name_is_good("s1"));
    cr_expect(config_name_is_good("eu-west.1_a"));
    cr_expect_not(config_name_is_good(""));
    cr_expect_not(config_name_is_good("../x"));
    cr_expect_not(config_name_is_good("a/b"));
    cr_expect_not(config_name_is_good("a b"));
}
