/*
 * The simulated disk: files in memory behind the disk port (storage/disk.h). It keeps what was
 * written apart from what would survive a power cut, in sectors of 512 bytes, and breaks on
 * request. Nothing in it is random but by the generator that a call is given, and nothing takes
 * time: whoever drives it computes latencies from sim_disk_usage().
 */
#ifndef SKEIN_TESTS_SIM_DISK_H
#define SKEIN_TESTS_SIM_DISK_H

#include "base/buffer.h"
#include "base/random.h"
#include "storage/disk.h"

struct sim_disk;

// What was done since the disk was made.
struct sim_disk_usage {
    uint64_t operations;    // calls of the port that can fail
    uint64_t syncs;         // of files
    uint64_t folder_syncs;  // of folders
    uint64_t bytes_written; // by write
    uint64_t bytes_read;    // by read
    uint64_t bytes_synced;  // made durable by syncs
};

// An empty disk with much space.
struct sim_disk *sim_disk_new(void);

// Every file of it has been closed.
void sim_disk_destroy(struct sim_disk **take_disk);

// The port, the disk's own.
struct disk *sim_disk_port(struct sim_disk *disk);

const struct sim_disk_usage *sim_disk_usage(const struct sim_disk *disk);

// The power is cut and comes back: of the sectors, sizes and names that were not synced some are
// lost, by a share that is drawn anew each time (often none or all). Every file has been closed.
void sim_disk_crash(struct sim_disk *disk, struct random *random);

// Everything is gone, durably. Every file has been closed.
void sim_disk_wipe(struct sim_disk *disk);

// From now on `size` more bytes can be written; UINT64_MAX for no limit. Overwriting needs no
// space.
void sim_disk_set_free(struct sim_disk *disk, uint64_t size);

// The operation after `count` more ones fails with `status`, once; then all is well again. A write
// that fails with internal has written a part; a sync that fails has synced nothing, and what it
// should have synced is lost at the next crash unless it is written once more, though reads show it
// and a later sync seems to succeed. STATUS_ok takes it back.
void sim_disk_fail_after(struct sim_disk *disk, uint64_t count, enum status status);

// Whether the failure asked for has happened.
bool sim_disk_has_failed(const struct sim_disk *disk);

// Damages a synced sector of a random file whose name begins with `prefix`: flips a bit, or fills
// it with zeros or noise. False when there is none; what was hit is copied to `name`, if not NULL.
bool sim_disk_corrupt(struct sim_disk *disk, const char *prefix, struct random *random,
                      char name[DISK_NAME_SIZE_MAX]);

// Flips one bit of a file, durably; false when there is no such byte.
bool sim_disk_flip(struct sim_disk *disk, const char *name, uint64_t offset, unsigned bit);

// Cuts a file to `size` bytes, or removes it (UINT64_MAX), durably; false when there is none.
bool sim_disk_shorten(struct sim_disk *disk, const char *name, uint64_t size);

// The bytes of a file as a process reads them, appended to `out`; false when there is none.
bool sim_disk_peek(struct sim_disk *disk, const char *name, struct buffer *out);

#endif
