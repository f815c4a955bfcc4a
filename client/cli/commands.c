/*
 * The table of all commands, in the order of the help: documents first, then the cluster, then
 * tools. A new command is a file with its run_ function and a row here.
 */
#include "client/cli/commands.h"

static const struct option GET_OPTIONS[] = {
    {"level", "LEVEL", "linearizable (default), session, snapshot or any"},
    {"after-version", "V", "the answer has at least this version"},
    {"at-version", "V", "exactly this version; too_old when it is no longer kept"},
    {NULL, NULL, NULL},
};

static const struct option INSERT_OPTIONS[] = {
    {"id", "ID", "its id; one is made when it is left out"},
    {NULL, NULL, NULL},
};

static const struct option PIPE_OPTIONS[] = {
    {"outstanding", "N", "requests under way at the same time (64)"},
    {NULL, NULL, NULL},
};

static const struct option STATUS_OPTIONS[] = {
    {"watch", NULL, "again every second, until interrupted"},
    {NULL, NULL, NULL},
};

static const struct option MONITOR_OPTIONS[] = {
    {"count", "N", "end after so many messages"},
    {"payload", NULL, "show what is in them, too"},
    {NULL, NULL, NULL},
};

static const struct option BENCH_OPTIONS[] = {
    {"workload", "NAME", "write (default), read, mixed, txn or echo"},
    {"clients", "N", "requests outstanding (64)"},
    {"connections", "N", "clients with sockets of their own (1)"},
    {"seconds", "S", "how long to measure (10)"},
    {"size", "B", "bytes of a document (256)"},
    {"keys", "N", "documents in use (10000)"},
    {NULL, NULL, NULL},
};

static const struct option DEV_OPTIONS[] = {
    {"dir", "D", "folder of the cluster (~/.local/state/skein/dev)"},
    {"storage", "N", "storage nodes, 1 to 7 (3)"},
    {"readers", "N", "readers (2)"},
    {"writers", "N", "writers (1)"},
    {"coordinators", "N", "coordinators, 1 to 7 (2)"},
    {"gateways", "N", "gateways; this version has none (0)"},
    {"monitors", "N", "monitors (0)"},
    {"port", "P", "ports are taken from here on (7300)"},
    {NULL, NULL, NULL},
};

const struct command COMMANDS[] = {
    {"get", "COLLECTION ID", "Prints a document", 2, 2, GET_OPTIONS, run_get},
    {"put", "COLLECTION ID JSON|-", "Stores a document, in place of one that is there", 3, 3, NULL,
     run_put},
    {"insert", "COLLECTION JSON|-", "Stores a document that is not there yet", 2, 2, INSERT_OPTIONS,
     run_insert},
    {"delete", "COLLECTION ID", "Removes a document", 2, 2, NULL, run_delete},
    {"txn", "FILE|-", "Runs a transaction, a JSON array of operations", 1, 1, NULL, run_txn},
    {"txn-status", "SESSION SEQUENCE", "Tells whether a transaction ran; if not, it never will", 2,
     2, NULL, run_txn_status},
    {"pipe", "", "JSON requests in, JSON replies out, a line each", 0, 0, PIPE_OPTIONS, run_pipe},
    {"status", "", "Shows the cluster and its processes", 0, 0, STATUS_OPTIONS, run_status},
    {"why", "", "Shows the last failovers step by step", 0, 0, NULL, run_why},
    {"switchover", "[NAME]", "Hands the lead to another storage node, as planned", 0, 1, NULL,
     run_switchover},
    {"digest", "", "Compares the state of all storage nodes at one version", 0, 0, NULL,
     run_digest},
    {"monitor", "", "Shows messages between the processes live", 0, 0, MONITOR_OPTIONS,
     run_monitor},
    {"bench", "", "Measures throughput and latency", 0, 0, BENCH_OPTIONS, run_bench},
    {"dev", "start|stop|status", "A local cluster for trying things out", 1, 1, DEV_OPTIONS,
     run_dev},
    {NULL, NULL, NULL, 0, 0, NULL, NULL},
};
