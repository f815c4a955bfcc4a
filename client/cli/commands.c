/*
 * The table of all commands, in the order of the help: documents first, then the cluster, then
 * tools. A new command is a file with its run_ function and a row here.
 *
 * Lines of details are broken for a terminal of 80 columns; the help prints them as they are.
 */
#include "client/cli/commands.h"

const struct option READ_OPTIONS[] = {
    {"level", "LEVEL", "linearizable (default), session, snapshot or any"},
    {"after-version", "V", "session: the answer has at least this version"},
    {"at-version", "V", "exactly this version; too_old when it is no longer kept"},
    {"at-time", "T", "what was there then: RFC 3339, or microseconds since 1970"},
    {"max-lag-versions", "N", "any: stale if it is further behind"},
    {"max-lag-ms", "MS", "any: stale if it may be further behind"},
    {NULL, NULL, NULL},
};

static const struct option INSERT_OPTIONS[] = {
    {"id", "ID", "its id; one is made when it is left out"},
    {NULL, NULL, NULL},
};

static const struct option UPDATE_OPTIONS[] = {
    {"where", "W", "refused unless this holds for the document, {\"stock\": {\"$gte\": 2}}"},
    {"upsert", NULL, "begin with an empty document if there is none"},
    {NULL, NULL, NULL},
};

static const struct option DELETE_OPTIONS[] = {
    {"where", "W", "refused unless this holds for the document"},
    {NULL, NULL, NULL},
};

static const struct option FIND_OPTIONS[] = {
    {"where", "W", "a condition, {\"stock\": {\"$gte\": 2}}; all documents without one"},
    {"order", "F", "the field to order by, -F backwards; $id and -$id by id"},
    {"limit", "N", "documents of a page, 1 to 1000 (100)"},
    {"cursor", "X", "go on where a page with this cursor ended, at its version"},
    {"index", "I", "use this index"},
    {"explain", NULL, "say which index is used and how many rows are looked at"},
    {NULL, NULL, NULL},
};

static const struct option COUNT_OPTIONS[] = {
    {"where", "W", "a condition; all documents without one"},
    {NULL, NULL, NULL},
};

static const struct option INDEX_OPTIONS[] = {
    {"unique", NULL, "create: no two documents may have the same values"},
    {NULL, NULL, NULL},
};

static const struct option LOAD_OPTIONS[] = {
    {"batch", "N", "documents of a transaction, 1 to 4096 (200)"},
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
    {"workload", "NAME", "write (default), read, mixed, update, txn, find or echo"},
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
    {.name = "get",
     .synopsis = "COLLECTION ID",
     .summary = "Prints a document",
     .operands_min = 2,
     .operands_max = 2,
     .is_read = true,
     .run = run_get},
    {.name = "put",
     .synopsis = "COLLECTION ID JSON|-",
     .summary = "Stores a document, in place of one that is there",
     .operands_min = 3,
     .operands_max = 3,
     .run = run_put},
    {.name = "insert",
     .synopsis = "COLLECTION JSON|-",
     .summary = "Stores a document that is not there yet",
     .operands_min = 2,
     .operands_max = 2,
     .options = INSERT_OPTIONS,
     .run = run_insert},
    {.name = "update",
     .synopsis = "COLLECTION ID PATCH|-",
     .summary = "Changes fields of a document",
     .details =
         "A patch sets fields by path, or changes them with an operator:\n"
         "\n"
         "  {\"address.city\": \"Kiel\", \"note\": {\"$unset\": true}, \"stock\": {\"$inc\": -2}}\n"
         "\n"
         "Operators: $unset $inc (with min, max) $mul $min $max $push $pull $now.",
     .operands_min = 3,
     .operands_max = 3,
     .options = UPDATE_OPTIONS,
     .run = run_update},
    {.name = "delete",
     .synopsis = "COLLECTION ID",
     .summary = "Removes a document",
     .operands_min = 2,
     .operands_max = 2,
     .options = DELETE_OPTIONS,
     .run = run_delete},
    {.name = "txn",
     .synopsis = "FILE|-",
     .summary = "Runs a transaction, a JSON array of operations",
     .operands_min = 1,
     .operands_max = 1,
     .run = run_txn},
    {.name = "txn-status",
     .synopsis = "SESSION SEQUENCE",
     .summary = "Tells whether a transaction ran; if not, it never will",
     .operands_min = 2,
     .operands_max = 2,
     .run = run_txn_status},
    {.name = "find",
     .synopsis = "COLLECTION",
     .summary = "Prints the documents for which a condition holds, page by page",
     .details = "If there are more, the last line is {\"cursor\": X}: the same words with\n"
                "--cursor X give the next page, of the same version.\n"
                "\n"
                "Conditions: $eq $ne $lt $lte $gt $gte $in $exists $type $prefix $and $or $not.",
     .operands_min = 1,
     .operands_max = 1,
     .options = FIND_OPTIONS,
     .is_read = true,
     .run = run_find},
    {.name = "count",
     .synopsis = "COLLECTION",
     .summary = "Prints how many documents there are, or match a condition",
     .operands_min = 1,
     .operands_max = 1,
     .options = COUNT_OPTIONS,
     .is_read = true,
     .run = run_count},
    {.name = "history",
     .synopsis = "COLLECTION ID",
     .summary = "Prints the versions of a document that are kept, newest first",
     .operands_min = 2,
     .operands_max = 2,
     .is_read = true,
     .run = run_history},
    {.name = "collection",
     .synopsis = "create C [SETTINGS] | list | drop C",
     .summary = "Makes, shows and drops collections",
     .details =
         "SETTINGS is a JSON object, all of it optional:\n"
         "\n"
         "  ttl      seconds after the last write, or a field that holds the time, of expiry\n"
         "  history  seconds for which superseded documents are kept\n"
         "  check    array of conditions that every document must satisfy\n"
         "  indexes  array of {\"name\", \"fields\", \"unique\"?}",
     .operands_min = 1,
     .operands_max = 3,
     .run = run_collection},
    {.name = "index",
     .synopsis = "create C NAME FIELD[,FIELD...] | drop C NAME",
     .summary = "Makes and drops indexes, online",
     .details = "create makes the collection if need be, and returns when the index serves.",
     .operands_min = 3,
     .operands_max = 4,
     .options = INDEX_OPTIONS,
     .run = run_index},
    {.name = "load",
     .synopsis = "COLLECTION FILE|-",
     .summary = "Stores documents from JSON lines {\"id\"?, \"document\"}",
     .details = "Every line is checked before anything is sent; bad ones are named. A load that\n"
                "was cut off can be repeated: a document that is there is stored again under its\n"
                "id. A line without an id gets one that is made of the content of the whole file\n"
                "and the number of the line, so it is there once, however often it is loaded.",
     .operands_min = 2,
     .operands_max = 2,
     .options = LOAD_OPTIONS,
     .run = run_load},
    {.name = "dump",
     .synopsis = "COLLECTION",
     .summary = "Prints all documents as JSON lines for load, at one version",
     .details = "The version goes to standard error.",
     .operands_min = 1,
     .operands_max = 1,
     .is_read = true,
     .run = run_dump},
    {.name = "pipe",
     .synopsis = "",
     .summary = "JSON requests in, JSON replies out, a line each",
     .options = PIPE_OPTIONS,
     .run = run_pipe},
    {.name = "status",
     .synopsis = "",
     .summary = "Shows the cluster and its processes",
     .options = STATUS_OPTIONS,
     .run = run_status},
    {.name = "why",
     .synopsis = "",
     .summary = "Shows the last failovers step by step",
     .run = run_why},
    {.name = "switchover",
     .synopsis = "[NAME]",
     .summary = "Hands the lead to another storage node, as planned",
     .operands_max = 1,
     .run = run_switchover},
    {.name = "digest",
     .synopsis = "",
     .summary = "Compares the state of all storage nodes at one version",
     .run = run_digest},
    {.name = "monitor",
     .synopsis = "",
     .summary = "Shows messages between the processes live",
     .options = MONITOR_OPTIONS,
     .run = run_monitor},
    {.name = "bench",
     .synopsis = "",
     .summary = "Measures throughput and latency",
     .options = BENCH_OPTIONS,
     .run = run_bench},
    {.name = "dev",
     .synopsis = "start|stop|status",
     .summary = "A local cluster for trying things out",
     .operands_min = 1,
     .operands_max = 1,
     .options = DEV_OPTIONS,
     .run = run_dev},
    {.name = NULL},
};
