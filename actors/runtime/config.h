/*
 * The configuration of a cluster: one ZPL file, the same for every process, and the settings of one
 * process on its command line (--set KEY=VALUE). deploy/skein.conf documents every key.
 */
#ifndef SKEIN_ACTORS_RUNTIME_CONFIG_H
#define SKEIN_ACTORS_RUNTIME_CONFIG_H

#include "actors/runtime/mistakes.h"
#include "base/limits.h"
#include "base/status.h"
#include "cluster/process.h"

enum { CONFIG_FOLDER_SIZE_MAX = 200, CONFIG_SETTINGS_MAX = 64 };

#define CONFIG_FILE_DEFAULT "/etc/skein/skein.conf"

// Where a configuration is written.
struct config_source {
    const char *file;            // ZPL file
    const char *const *settings; // "KEY=VALUE" of --set, which win over the file
    size_t setting_count;        // at most CONFIG_SETTINGS_MAX
};

// A process that has an entry in the file: a coordinator or a voter.
struct config_node {
    char name[NAME_SIZE_MAX + 1];
    char endpoint[ENDPOINT_SIZE_MAX + 1];
    enum role role;     // coordinator, primary or replica; 0 only while it is read
    struct place place; // where its entry begins; source is borrowed from config_source
};

struct config {
    char cluster_name[NAME_SIZE_MAX + 1];
    char data_folder[CONFIG_FOLDER_SIZE_MAX + 1]; // data of node NAME is in data_folder/NAME
    char listen[ENDPOINT_SIZE_MAX + 1];           // of processes without an entry: a free port here
    bool auto_format;                             // storage processes prepare an empty directory
    uint32_t log_debug;                           // lines of level debug are logged, too
    struct config_node coordinators[COORDINATOR_COUNT_MAX];
    size_t coordinator_count;
    struct config_node voters[VOTER_COUNT_MAX];
    size_t voter_count;
    struct timings timings;
    uint32_t query_threads;    // of a storage process
    uint32_t state_cache_mib;  // blocks of the state kept in memory
    uint32_t state_buffer_mib; // one of the two write buffers of the state
};

// Whether a process may have this name: 1 to NAME_SIZE_MAX letters, digits, '-', '_' and '.', the
// first one a letter or digit.
bool config_name_is_good(const char *name);

// Whether only processes of this machine can reach the endpoint.
bool config_endpoint_is_local(const char *endpoint);

// Reads and checks the whole configuration. Fails with bad_request when there is a mistake; all of
// them are in `mistakes` then, and `ret_config` is not to be used.
MUST_CHECK enum status config_load(const struct config_source *source, struct config *ret_config,
                                   struct mistakes *mistakes);

// The same for a text in memory in place of the file; source->file is its name in mistakes.
MUST_CHECK enum status config_load_text(const struct config_source *source, const char *text,
                                        struct config *ret_config, struct mistakes *mistakes);

// The coordinator or voter of this name; NULL when it has no entry.
const struct config_node *config_find(const struct config *config, const char *name);

#endif
