/*
 * The one declaration of all messages and records. Structs, encoding, decoding, printing, the
 * table in wire/PROTOCOL.md, the round-trip test and the fuzz target expand from these lists.
 *
 * MESSAGE(id, name, "what it is")        in MESSAGE_LIST; ids are never used again
 * FIELD(type, name, limit, "what it is") in WIRE_<name>; fields are only ever appended
 *
 * Types: u8, u32, u64 (unsigned integers), flag (bool), text (UTF-8, at most `limit` bytes),
 * blob (any bytes, at most `limit`). For numbers and flags the limit is 0. On the wire a message
 * is the array [id, field, field, ...]; a decoder takes a missing field at the end as zero and
 * skips the fields it does not know. Lists are blobs of messages one after another.
 *
 * Request ids: chosen by the asker, unique for its lifetime, echoed by the answer, never 0.
 */
#ifndef SKEIN_WIRE_SCHEMA_H
#define SKEIN_WIRE_SCHEMA_H

#include "base/limits.h"

#define MESSAGE_LIST(MESSAGE)                                                                      \
    MESSAGE(1, frame, "head of every frame")                                                       \
    MESSAGE(2, refusal, "a request that was not done, or a frame that was not understood")         \
    MESSAGE(10, poll, "coordinator to storage: would you take part in an election?")               \
    MESSAGE(11, poll_reply, "answer to poll; nothing is persisted")                                \
    MESSAGE(12, seal, "coordinator to storage: take nothing of an older epoch")                    \
    MESSAGE(13, seal_reply, "answer to seal, after the promise is durable")                        \
    MESSAGE(14, appoint, "coordinator to the appointee: lead this epoch")                          \
    MESSAGE(15, appoint_reply, "answer to appoint")                                                \
    MESSAGE(16, switchover, "hand over to another storage node, in a planned way")                 \
    MESSAGE(17, switchover_reply, "how the switchover ended")                                      \
    MESSAGE(18, consent, "primary to coordinator: elect without a poll, the target wins ties")     \
    MESSAGE(20, append, "primary to storage: entries, commit position and round; or heartbeat")    \
    MESSAGE(21, round_reply, "storage to primary, at once: the epoch promised")                    \
    MESSAGE(22, append_reply, "storage to primary, when durable: how far the logs match")          \
    MESSAGE(24, transfer_chunk, "primary to storage: a part of the state at one position")         \
    MESSAGE(25, transfer_reply, "storage to primary: chunk taken, or transfer refused")            \
    MESSAGE(30, read_point, "reader to primary: which version must a linearizable read reach?")    \
    MESSAGE(31, read_point_reply, "answer to read_point")                                          \
    MESSAGE(32, confirm, "reader to voter: which epoch have you promised?")                        \
    MESSAGE(33, confirm_reply, "answer to confirm, at once")                                       \
    MESSAGE(40, member, "one process: reported by itself, listed in a topology")                   \
    MESSAGE(41, topology, "coordinator to all: who is where, at which epoch")                      \
    MESSAGE(42, topology_get, "send me the topology")                                              \
    MESSAGE(50, transact, "a transaction, from client to writer and from writer to primary")       \
    MESSAGE(51, outcome, "answer to transact")                                                     \
    MESSAGE(52, transact_status, "has this transaction of a session run? If not, it never will")   \
    MESSAGE(53, transact_status_reply, "answer to transact_status")                                \
    MESSAGE(54, read, "reads, from client to reader and from reader to storage")                   \
    MESSAGE(55, read_reply, "answer to read")                                                      \
    MESSAGE(60, mark, "to primary or reader: mark an entry, so that its version stays readable")   \
    MESSAGE(61, mark_reply, "answer to mark, when the marked entry is committed")                  \
    MESSAGE(62, digest, "to storage: hash the live state at a marked version")                     \
    MESSAGE(63, digest_reply, "answer to digest")                                                  \
    MESSAGE(64, why, "to coordinator: how did the last failovers go?")                             \
    MESSAGE(65, why_reply, "answer to why")                                                        \
    MESSAGE(66, failover, "record of one failover, in why_reply")                                  \
    MESSAGE(67, phase, "record of one step of a failover")                                         \
    MESSAGE(70, trace, "one message that an actor took or sent, for the monitor")                  \
    MESSAGE(71, echo, "to any process: send this back")                                            \
    MESSAGE(72, echo_reply, "answer to echo")                                                      \
    MESSAGE(80, vote_record, "content of the vote file")                                           \
    MESSAGE(81, configuration, "the voters of a group, in the log")                                \
    MESSAGE(82, voter, "one voter of a configuration")                                             \
    MESSAGE(83, applied_record, "where a state stands, inside the state")

#define WIRE_frame(FIELD)                                                                          \
    FIELD(u8, format, 0, "wire format, 1")                                                         \
    FIELD(u64, cluster_id, 0, "cluster of the sender; 0 while it knows none")                      \
    FIELD(u32, group_id, 0, "group of storage nodes meant; 1")                                     \
    FIELD(text, from, NAME_SIZE_MAX, "name of the sending process")                                \
    FIELD(u64, incarnation, 0, "random number of this start of the sender")

#define WIRE_refusal(FIELD)                                                                        \
    FIELD(u64, request, 0, "request meant; 0 when a frame was not understood")                     \
    FIELD(u32, status, 0, "enum status")                                                           \
    FIELD(u64, epoch, 0, "for not_primary: highest epoch known")                                   \
    FIELD(u32, retry_after_ms, 0, "for busy: when to try again")                                   \
    FIELD(text, message, ERROR_MESSAGE_SIZE_MAX, "sentence for a person")

#define WIRE_poll(FIELD)                                                                           \
    FIELD(u64, request, 0, "id of the poll")                                                       \
    FIELD(u64, suspect, 0, "epoch of the primary that is suspected; 0 for none known")

#define WIRE_poll_reply(FIELD)                                                                     \
    FIELD(u64, request, 0, "id of the poll")                                                       \
    FIELD(u64, directory_id, 0, "identity of the answering directory")                             \
    FIELD(flag, hears_primary, 0, "a primary was heard within suspect_after, or this is one")      \
    FIELD(flag, would_accept, 0, "would seal: not damaged, not starting")                          \
    FIELD(u64, promised, 0, "epoch promised")                                                      \
    FIELD(u64, last_epoch, 0, "epoch of the last entry")                                           \
    FIELD(u64, last_position, 0, "position of the last entry; 0 when the log is empty")            \
    FIELD(blob, configuration, 16 * KIB, "configuration in its log; empty for none")

#define WIRE_seal(FIELD)                                                                           \
    FIELD(u64, epoch, 0, "new epoch, greater than every one promised")                             \
    FIELD(u64, incarnation, 0, "of the coordinator: tells a retransmission from another attempt")

#define WIRE_seal_reply(FIELD)                                                                     \
    FIELD(u64, epoch, 0, "of the attempt answered")                                                \
    FIELD(u64, incarnation, 0, "of the attempt answered")                                          \
    FIELD(flag, accepted, 0, "the promise is durable")                                             \
    FIELD(u64, promised, 0, "epoch promised; above `epoch` when refused for it")                   \
    FIELD(u64, directory_id, 0, "identity of the answering directory")                             \
    FIELD(u64, last_epoch, 0, "epoch of the last durable entry")                                   \
    FIELD(u64, last_position, 0, "position of the last durable entry; 0 for none")                 \
    FIELD(blob, configuration, 16 * KIB, "configuration in its log; empty for none")

#define WIRE_appoint(FIELD)                                                                        \
    FIELD(u64, epoch, 0, "of the attempt")                                                         \
    FIELD(u64, incarnation, 0, "of the attempt")                                                   \
    FIELD(u64, appointee, 0, "directory id of the voter that shall lead")                          \
    FIELD(u64, last_epoch, 0, "end of log that it reported")                                       \
    FIELD(u64, last_position, 0, "end of log that it reported")                                    \
    FIELD(u64, birth_cluster_id, 0, "at the birth of a cluster its random id, else 0")             \
    FIELD(blob, birth_configuration, 16 * KIB, "at the birth of a cluster its voters, else empty")

#define WIRE_appoint_reply(FIELD)                                                                  \
    FIELD(u64, epoch, 0, "of the attempt")                                                         \
    FIELD(u64, incarnation, 0, "of the attempt")                                                   \
    FIELD(flag, accepted, 0, "the no-op of the epoch is durable")                                  \
    FIELD(u64, promised, 0, "epoch promised")                                                      \
    FIELD(u64, took_us, 0, "from taking the appointment to the durable no-op")

#define WIRE_switchover(FIELD)                                                                     \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(text, target, NAME_SIZE_MAX, "storage node that shall lead; empty for any other voter")

#define WIRE_switchover_reply(FIELD)                                                               \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(u32, status, 0, "enum status")                                                           \
    FIELD(text, message, ERROR_MESSAGE_SIZE_MAX, "sentence for a person when it failed")           \
    FIELD(text, old_primary, NAME_SIZE_MAX, "who led before")                                      \
    FIELD(text, new_primary, NAME_SIZE_MAX, "who leads now")                                       \
    FIELD(u64, epoch, 0, "epoch of the new primary")                                               \
    FIELD(u64, elapsed_us, 0, "from the request to the new primary's committed no-op")

#define WIRE_consent(FIELD)                                                                        \
    FIELD(u64, epoch, 0, "epoch of the primary that hands over")                                   \
    FIELD(u64, target, 0, "directory id of the voter that has the whole log; 0: gave up")          \
    FIELD(u64, last_position, 0, "end of log of both")

#define WIRE_append(FIELD)                                                                         \
    FIELD(u64, epoch, 0, "epoch of the sender")                                                    \
    FIELD(u64, leader, 0, "directory id of the sender")                                            \
    FIELD(u64, previous_epoch, 0, "epoch of the entry before the first")                           \
    FIELD(u64, previous_position, 0, "position of the entry before the first")                     \
    FIELD(u64, commit_position, 0, "entries up to here are committed")                             \
    FIELD(u64, round, 0, "number of the round; grows within an epoch, 0 when none is asked for")   \
    FIELD(blob, entries, APPEND_SIZE_MAX, "framed entries, wire/entry.h; empty in a heartbeat")

#define WIRE_round_reply(FIELD)                                                                    \
    FIELD(u64, epoch, 0, "epoch of the append answered")                                           \
    FIELD(u64, round, 0, "round of the append answered")                                           \
    FIELD(u64, directory_id, 0, "identity of the answering directory")                             \
    FIELD(u64, promised, 0, "epoch promised or in the course of being promised")

#define WIRE_append_reply(FIELD)                                                                   \
    FIELD(u64, epoch, 0, "epoch of the append answered")                                           \
    FIELD(u64, directory_id, 0, "identity of the answering directory")                             \
    FIELD(u64, promised, 0, "epoch promised; above `epoch` when refused for it")                   \
    FIELD(flag, accepted, 0, "durable and matching up to match_position")                          \
    FIELD(u64, match_position, 0, "durable here and verified by an append of this epoch")          \
    FIELD(u64, hint_position, 0, "when refused for a mismatch: try from here")                     \
    FIELD(flag, needs_transfer, 0, "cannot follow from the log: send the state")                   \
    FIELD(u64, applied_version, 0, "version applied on the sender of this answer")                 \
    FIELD(flag, damaged, 0, "not counted in majorities until refilled (rule 20)")                  \
    FIELD(flag, disk_full, 0, "nothing more can be appended here until space is back")             \
    FIELD(u64, damaged_promise, 0, "when damaged: only a newer epoch makes it count again")

#define WIRE_transfer_chunk(FIELD)                                                                 \
    FIELD(u64, epoch, 0, "epoch of the sender")                                                    \
    FIELD(u64, leader, 0, "directory id of the sender")                                            \
    FIELD(u64, transfer, 0, "number of the transfer, unique within the sender's life")             \
    FIELD(u64, sequence, 0, "number of the chunk, from 1")                                         \
    FIELD(blob, applied, 32 * KIB, "applied_record of the transferred state")                      \
    FIELD(u64, first_version, 0, "reserved, 0")                                                    \
    FIELD(u32, crc, 0, "CRC32C of cells")                                                          \
    FIELD(flag, last, 0, "the state is complete with this chunk")                                  \
    FIELD(blob, cells, 7 * MIB, "alternating keys and values, msgpack bin")

#define WIRE_transfer_reply(FIELD)                                                                 \
    FIELD(u64, epoch, 0, "epoch of the chunk answered")                                            \
    FIELD(u64, directory_id, 0, "identity of the answering directory")                             \
    FIELD(u64, transfer, 0, "of the chunk answered")                                               \
    FIELD(u64, sequence, 0, "of the chunk answered")                                               \
    FIELD(u64, promised, 0, "epoch promised")                                                      \
    FIELD(u32, status, 0, "ok: send the next; else the transfer is given up")                      \
    FIELD(flag, complete, 0, "switched to the transferred state")

#define WIRE_read_point(FIELD) FIELD(u64, request, 0, "id; never used twice, not for a retry")

#define WIRE_read_point_reply(FIELD)                                                               \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(u64, epoch, 0, "epoch that the answering primary leads")                                 \
    FIELD(u64, directory_id, 0, "identity of the answering primary")                               \
    FIELD(u64, version, 0, "version committed")                                                    \
    FIELD(u64, promised, 0, "epoch promised by the primary itself")                                \
    FIELD(blob, configuration, 16 * KIB, "latest configuration in its log")

#define WIRE_confirm(FIELD) FIELD(u64, request, 0, "id; never used twice, not for a retry")

#define WIRE_confirm_reply(FIELD)                                                                  \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(u64, directory_id, 0, "identity of the answering directory")                             \
    FIELD(u64, promised, 0, "epoch promised or in the course of being promised")

#define WIRE_member(FIELD)                                                                         \
    FIELD(text, name, NAME_SIZE_MAX, "name of the process")                                        \
    FIELD(u8, role, 0, "enum role")                                                                \
    FIELD(text, endpoint, ENDPOINT_SIZE_MAX, "where it takes messages")                            \
    FIELD(text, trace_endpoint, ENDPOINT_SIZE_MAX, "where it publishes traces")                    \
    FIELD(u64, incarnation, 0, "random number of this start of the process")                       \
    FIELD(u64, directory_id, 0, "storage: identity of its directory; else 0")                      \
    FIELD(u32, pid, 0, "process id on its machine")                                                \
    FIELD(u8, state, 0, "enum member_state")                                                       \
    FIELD(u64, epoch, 0, "storage: epoch that it leads or follows; else 0")                        \
    FIELD(u64, promised, 0, "storage: epoch promised")                                             \
    FIELD(u64, last_position, 0, "storage: end of its log")                                        \
    FIELD(u64, commit_position, 0, "storage: commit position known")                               \
    FIELD(u64, applied_version, 0, "version visible on this process")                              \
    FIELD(u64, beat, 0, "number of this report, grows within an incarnation")                      \
    FIELD(u64, wanted_epoch, 0, "primary: a voter refused it with this higher promise; else 0")

#define WIRE_topology(FIELD)                                                                       \
    FIELD(u64, cluster_id, 0, "the cluster; 0 while it is not born")                               \
    FIELD(u64, epoch, 0, "epoch of the primary named, or the highest one known")                   \
    FIELD(text, primary, NAME_SIZE_MAX, "name of the primary; empty for none known")               \
    FIELD(u64, coordinator, 0, "incarnation of the sender")                                        \
    FIELD(u64, sequence, 0, "grows with every topology of this coordinator")                       \
    FIELD(text, cluster_name, NAME_SIZE_MAX, "name in the configuration file")                     \
    FIELD(blob, members, 128 * KIB, "member, one after another")

#define WIRE_topology_get(FIELD) FIELD(u64, request, 0, "id of the request")

#define WIRE_transact(FIELD)                                                                       \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(text, session, SESSION_NAME_SIZE_MAX, "session; never empty")                            \
    FIELD(u64, sequence, 0, "number of the transaction in its session, from 1")                    \
    FIELD(u64, done_below, 0, "outcomes of smaller sequences are not wanted any more")             \
    FIELD(u32, timeout_ms, 0, "time left until the deadline, 1 to DEADLINE_MS_MAX")                \
    FIELD(blob, operations, TRANSACTION_SIZE_MAX + 4 * KIB, "array of operation maps")

#define WIRE_outcome(FIELD)                                                                        \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(u32, status, 0, "enum status")                                                           \
    FIELD(u64, version, 0, "version of the transaction, or the one a read-only one saw")           \
    FIELD(u64, time_us, 0, "time of the transaction, since 1970")                                  \
    FIELD(flag, replayed, 0, "it ran before; read results are null")                               \
    FIELD(blob, results, 6 * MIB, "array of result maps; empty when it failed")                    \
    FIELD(text, message, ERROR_MESSAGE_SIZE_MAX, "sentence for a person when it failed")           \
    FIELD(u32, operation, 0, "1 + number of the operation that failed; 0 for none")                \
    FIELD(u32, retry_after_ms, 0, "for busy: when to try again")

#define WIRE_transact_status(FIELD)                                                                \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(text, session, SESSION_NAME_SIZE_MAX, "session asked about")                             \
    FIELD(u64, sequence, 0, "transaction asked about")                                             \
    FIELD(u32, timeout_ms, 0, "time left until the deadline")

#define WIRE_transact_status_reply(FIELD)                                                          \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(u32, status, 0, "ok: committed; absent: never will be; expired; or a failure to ask")    \
    FIELD(u64, version, 0, "for ok: version of the transaction")                                   \
    FIELD(text, message, ERROR_MESSAGE_SIZE_MAX, "sentence for a person when it failed")

#define WIRE_read(FIELD)                                                                           \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(u8, level, 0, "enum read_level")                                                         \
    FIELD(u64, after_version, 0, "session: the answer must have at least this version")            \
    FIELD(u64, at_version, 0, "snapshot: exactly this version")                                    \
    FIELD(u32, timeout_ms, 0, "time left until the deadline")                                      \
    FIELD(blob, operations, 1 * MIB,                                                               \
          "array of operation maps: get find count history collections")                           \
    FIELD(u64, lag_versions_max, 0, "any: refuse with stale beyond it; 0 for no bound")            \
    FIELD(u32, lag_ms_max, 0, "any: refuse with stale beyond it; 0 for no bound")                  \
    FIELD(u64, at_time_us, 0, "snapshot: instead of at_version, what was there then; 0 for none")  \
    FIELD(u64, at_position, 0, "snapshot: position of the marked entry if known, else 0")

#define WIRE_read_reply(FIELD)                                                                     \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(u32, status, 0, "enum status")                                                           \
    FIELD(u64, version, 0, "version that the answer was read at")                                  \
    FIELD(blob, results, 6 * MIB, "array of result maps, one for each operation")                  \
    FIELD(text, message, ERROR_MESSAGE_SIZE_MAX, "sentence for a person when it failed")           \
    FIELD(u32, retry_after_ms, 0, "for busy: when to try again")

#define WIRE_mark(FIELD)                                                                           \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(u32, timeout_ms, 0, "to reader: time left until the deadline")

#define WIRE_mark_reply(FIELD)                                                                     \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(u32, status, 0, "enum status")                                                           \
    FIELD(u64, version, 0, "version marked")                                                       \
    FIELD(u64, position, 0, "position of the marked entry")

#define WIRE_digest(FIELD)                                                                         \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(u64, version, 0, "a marked version")                                                     \
    FIELD(u32, timeout_ms, 0, "how long to wait for that version to be applied")

#define WIRE_digest_reply(FIELD)                                                                   \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(u32, status, 0, "enum status; too_old when the mark is gone")                            \
    FIELD(u64, version, 0, "version hashed")                                                       \
    FIELD(u64, digest, 0, "hash of all live cells")                                                \
    FIELD(u64, chain, 0, "chained digest of all applied effects up to that version")               \
    FIELD(u64, position, 0, "position of the last entry in what was hashed")

#define WIRE_why(FIELD) FIELD(u64, request, 0, "id of the request")

#define WIRE_why_reply(FIELD)                                                                      \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(blob, failovers, 64 * KIB, "failover, latest first, each followed by its phases")

#define WIRE_failover(FIELD)                                                                       \
    FIELD(u64, epoch, 0, "epoch that it led to")                                                   \
    FIELD(text, old_primary, NAME_SIZE_MAX, "who led before; empty for none")                      \
    FIELD(text, new_primary, NAME_SIZE_MAX, "who leads now")                                       \
    FIELD(text, cause, 200, "what the coordinator saw")                                            \
    FIELD(u64, started_us, 0, "when, since 1970")                                                  \
    FIELD(u64, total_us, 0, "from the last sign of life to the announcement")                      \
    FIELD(u32, phases, 0, "number of phase records that follow")

#define WIRE_phase(FIELD)                                                                          \
    FIELD(text, name, NAME_SIZE_MAX, "detect, poll, seal, appoint, commit, announce")              \
    FIELD(u64, took_us, 0, "how long it took")

#define WIRE_trace(FIELD)                                                                          \
    FIELD(u64, time_us, 0, "since 1970")                                                           \
    FIELD(text, from, NAME_SIZE_MAX, "sender")                                                     \
    FIELD(text, to, NAME_SIZE_MAX, "receiver, or its address while its name is not known")         \
    FIELD(u32, kind, 0, "enum message_kind")                                                       \
    FIELD(u64, request, 0, "request id; 0 for none")                                               \
    FIELD(u64, epoch, 0, "epoch in the message; 0 for none")                                       \
    FIELD(u64, position, 0, "position in the message; 0 for none")                                 \
    FIELD(u32, size, 0, "bytes of the message")                                                    \
    FIELD(u64, duration_us, 0, "for an answer: since its request was taken")                       \
    FIELD(u32, outcome, 0, "for an answer: enum status")                                           \
    FIELD(blob, payload, 64 * KIB, "the message, only when asked for")

#define WIRE_echo(FIELD)                                                                           \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(blob, payload, 1 * MIB, "any bytes")

#define WIRE_echo_reply(FIELD)                                                                     \
    FIELD(u64, request, 0, "id of the request")                                                    \
    FIELD(blob, payload, 1 * MIB, "the same bytes")

#define WIRE_vote_record(FIELD)                                                                    \
    FIELD(u8, format, 0, "of the vote file, 1")                                                    \
    FIELD(text, name, NAME_SIZE_MAX, "name of the node that the directory was prepared for")       \
    FIELD(text, cluster_name, NAME_SIZE_MAX, "name of the cluster in the configuration file")      \
    FIELD(u64, directory_id, 0, "random, made when the directory was prepared")                    \
    FIELD(u64, cluster_id, 0, "0 until the cluster is born")                                       \
    FIELD(u64, promised, 0, "epoch promised; 0 for none")                                          \
    FIELD(u64, incarnation, 0, "coordinator of the attempt sealed; 0 if promised to an append")    \
    FIELD(u64, sealed_epoch, 0, "end of log answered to that attempt")                             \
    FIELD(u64, sealed_position, 0, "end of log answered to that attempt")                          \
    FIELD(flag, appointment_used, 0, "this node took the appointment of the epoch promised")       \
    FIELD(u64, high_water_epoch, 0, "the journal reaches at least this entry")                     \
    FIELD(u64, high_water_position, 0, "the journal reaches at least this entry; 0 for none")      \
    FIELD(u64, generation, 0, "which journal and state folders are current")                       \
    FIELD(flag, damaged, 0, "the journal was found damaged: no voter until refilled (rule 20)")    \
    FIELD(u64, damaged_promise, 0, "epoch promised when the damage was found")

#define WIRE_configuration(FIELD)                                                                  \
    FIELD(u8, format, 0, "1")                                                                      \
    FIELD(u64, cluster_id, 0, "the cluster")                                                       \
    FIELD(text, cluster_name, NAME_SIZE_MAX, "name in the configuration file")                     \
    FIELD(blob, voters, 8 * KIB, "voter, one after another, by directory id")

#define WIRE_voter(FIELD)                                                                          \
    FIELD(text, name, NAME_SIZE_MAX, "name of the storage node")                                   \
    FIELD(u64, directory_id, 0, "identity of its directory")                                       \
    FIELD(text, endpoint, ENDPOINT_SIZE_MAX, "where it takes messages")

#define WIRE_applied_record(FIELD)                                                                 \
    FIELD(u8, format, 0, "of the state, 1")                                                        \
    FIELD(u64, cluster_id, 0, "the cluster")                                                       \
    FIELD(u64, epoch, 0, "epoch of the last entry applied")                                        \
    FIELD(u64, position, 0, "position of the last entry applied")                                  \
    FIELD(u64, version, 0, "version after it")                                                     \
    FIELD(u64, time_us, 0, "time of the last entry applied")                                       \
    FIELD(u32, crc, 0, "CRC of the last entry applied, for the chain")                             \
    FIELD(u64, chain, 0, "chained digest of all applied effects")                                  \
    FIELD(blob, configuration, 16 * KIB, "latest configuration applied; empty for none")

#endif
