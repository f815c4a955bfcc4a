/*
 * The folder of a local cluster and what is in it:
 *
 *     DIR/skein.conf      configuration of the cluster, written once
 *     DIR/processes       one process a line: role, name, endpoint or * for a free one
 *     DIR/lock            held while somebody starts or stops
 *     DIR/data/NAME/      of storage node NAME
 *     DIR/log/NAME        what the process said
 *     DIR/run/NAME.pid    its process id
 */
#ifndef SKEIN_CLIENT_CLI_DEV_CLUSTER_H
#define SKEIN_CLIENT_CLI_DEV_CLUSTER_H

#include "client/cli/arguments.h"
#include "wire/message.h"

#include <sys/types.h>

enum { DEV_PROCESSES_MAX = 64, DEV_PATH_SIZE_MAX = 512, DEV_PORT_DEFAULT = 7300 };

// A number of a shape that nobody said: as it is, or the default for a new cluster.
#define DEV_UNSAID UINT64_MAX

// How many processes of each role a cluster shall have.
struct dev_shape {
    uint64_t counts[ROLE_client]; // by enum role; storage nodes all under ROLE_primary
    uint64_t port;                // the first of its ports
};

struct dev_process {
    enum role role;
    char name[NAME_SIZE_MAX + 1];
    char endpoint[ENDPOINT_SIZE_MAX + 1]; // "*" for any free port
    pid_t pid;                            // 0 while it does not run
};

struct dev_cluster {
    char dir[DEV_PATH_SIZE_MAX];                     // absolute
    struct dev_process processes[DEV_PROCESSES_MAX]; // in the order in which they are started
    size_t process_count;
    int lock; // descriptor of DIR/lock; -1 for none
};

// Nothing is said.
struct dev_shape dev_shape_unsaid(void);

// Where the cluster is when nobody says: $XDG_STATE_HOME/skein/dev or ~/.local/state/skein/dev.
// Fails with bad_request when neither variable is set.
MUST_CHECK enum status dev_dir_default(char ret_dir[DEV_PATH_SIZE_MAX], struct failure *failure);

// Makes the folder, waits for others who start or stop the cluster in it, and keeps them out until
// the release. Fails with unavailable when the folder can't be made or written to.
MUST_CHECK enum status dev_cluster_lock(struct dev_cluster *cluster, const char *dir,
                                        struct failure *failure);

// Reads what belongs to the cluster in `dir`; a locked cluster may be opened. Fails with absent
// when there is none.
MUST_CHECK enum status dev_cluster_open(struct dev_cluster *cluster, const char *dir,
                                        struct failure *failure);

// Lays out a new cluster of this shape in a locked folder (3 storage, 2 readers, 1 writer and 2
// coordinators where nothing is said), or adds to the one that was opened the readers, writers and
// monitors that it is short of. Fails with bad_request when the shape is
// impossible, or differs in coordinators, storage nodes or port from a cluster that is there; with
// unavailable when something can't be written.
MUST_CHECK enum status dev_cluster_shape(struct dev_cluster *cluster, const struct dev_shape *shape,
                                         struct failure *failure);

void dev_cluster_release(struct dev_cluster *cluster);

// Appends the coordinators' endpoints, separated by commas: where clients find the cluster.
void dev_cluster_at(const struct dev_cluster *cluster, struct buffer *out);

// Writes DIR/FOLDER/FILE to ret_path; an empty folder means DIR/FILE.
void dev_cluster_path(const struct dev_cluster *cluster, const char *folder, const char *file,
                      char ret_path[DEV_PATH_SIZE_MAX]);

#endif
