/*
 * Watching the cluster.
 *
 *   report ---> registry ---> known primary ---> leads: the election stands down, or is won
 *                                   `---> leads no more: suspect
 *   connection to the primary lost, or no report for suspect_after ---> suspect ---> election
 *
 * 1. What is suspected here alone does no harm: the poll asks the voters whether they hear the
 *    primary (rule 33). While one of them says so it stays named, although it is silent here.
 * 2. The first cause seen is the one that the log of failovers names, whatever comes after it.
 * 3. Who slept for long itself (it was stopped, or its machine is overloaded) does not call others
 *    silent until it has listened for as long as it takes.
 * 4. A primary that a voter refuses with a higher epoch is replaced although it lives, at a bounded
 *    rate, for it works with the other voters (rule 35).
 */
#include "actors/coordinator/watch.h"

#include "actors/coordinator/publish.h"
#include "actors/coordinator/switchover.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    FORGET_FACTOR = 15,     // silent for so many times the expiry: dropped from the topology
    OVERRIDE_MS_MIN = 1000, // elections against a living primary are at least so far apart
};

// Keeps why an election begins now.
static void note_cause(struct coordinator *self, const char *cause, uint64_t last_sign_us,
                       const struct event *event)
{
    snprintf(self->suspicion.cause, sizeof self->suspicion.cause, "%s", cause);
    self->suspicion.wall_us = event->wall_us;
    self->suspicion.last_sign_us = last_sign_us;
}

// Somebody must lead again.
static void suspect(struct coordinator *self, const char *cause, const struct event *event,
                    struct outbox *out)
{
    if (self->election.state != ELECTION_IDLE) {
        return;
    }
    const struct known_primary *primary = &self->primary;
    bool was_heard = primary->last[0] != '\0';
    note_cause(self, cause, was_heard ? primary->heard_us : event->now_us, event);
    outbox_log(out, LOG_WARNING, "event=suspected primary=%s epoch=%" PRIu64 " cause=\"%s\"",
               primary->last, primary->epoch, cause);
    election_suspect(&self->election, primary->epoch, event->now_us, out);
}

void watch_start(struct coordinator *self, const struct event *event, struct outbox *out)
{
    self->primary.heard_us = event->now_us;
    self->beat_us = event->now_us;
    self->awake_us = event->now_us;
    watch_silence(self, event, out);
}

// How long a step took; 0 when its end was heard of before its beginning.
static uint64_t took_us(uint64_t from_us, uint64_t until_us)
{
    return until_us > from_us ? until_us - from_us : 0;
}

// The election that we ran has its primary: keeps how it went.
static void record_failover(struct coordinator *self, const char *old_primary, uint64_t now_us,
                            struct outbox *out)
{
    const struct election_times *times = &self->election.times;
    uint64_t accepted_us = times->accepted_us == 0 ? now_us : times->accepted_us;
    struct failover failover = {
        .epoch = self->primary.epoch,
        .started_us = self->suspicion.wall_us,
        .phases_us = {[PHASE_DETECT] = took_us(self->suspicion.last_sign_us, times->poll_us),
                      [PHASE_POLL] = took_us(times->poll_us, times->seal_us),
                      [PHASE_SEAL] = took_us(times->seal_us, times->appoint_us),
                      [PHASE_APPOINT] = took_us(times->appoint_us, accepted_us),
                      [PHASE_COMMIT] = took_us(accepted_us, now_us)},
    };
    const char *cause = self->election.is_birth ? "birth" : self->suspicion.cause;
    snprintf(failover.old_primary, sizeof failover.old_primary, "%s", old_primary);
    snprintf(failover.new_primary, sizeof failover.new_primary, "%s", self->primary.name);
    snprintf(failover.cause, sizeof failover.cause, "%s", cause);
    failover_log_add(&self->failovers, &failover);
    outbox_log(out, LOG_INFO,
               "event=elected epoch=%" PRIu64 " primary=%s old=%s cause=\"%s\" total_us=%" PRIu64,
               failover.epoch, failover.new_primary, failover.old_primary, failover.cause,
               failover_total_us(&failover));
}

// A primary leads: the election is over, and so is a switchover.
static void hear_primary(struct coordinator *self, const char *old_primary, uint64_t now_us,
                         struct outbox *out)
{
    const struct known_primary *primary = &self->primary;
    if (election_hear_primary(&self->election, primary->epoch, primary->directory_id, out)) {
        record_failover(self, old_primary, now_us, out);
    }
    switchover_hear_primary(self, now_us, out);
}

// Rule 35.
static void hear_wanted_epoch(struct coordinator *self, uint64_t wanted_epoch,
                              const struct event *event, struct outbox *out)
{
    bool is_due = self->overridden_us == 0 ||
                  event->now_us - self->overridden_us >= ms_to_us(OVERRIDE_MS_MIN);
    bool is_idle = self->election.state == ELECTION_IDLE;
    if (wanted_epoch <= self->primary.epoch || !is_due || !is_idle) {
        return;
    }
    self->overridden_us = event->now_us;
    note_cause(self, "refused with a higher epoch", event->now_us, event);
    election_override(&self->election, self->primary.epoch, self->primary.directory_id,
                      event->now_us, out);
}

static void on_primary_news(struct coordinator *self, enum primary_news news,
                            const struct event *event, struct outbox *out)
{
    switch (news) {
    case PRIMARY_NOTHING:
    case PRIMARY_HEARD: return;
    case PRIMARY_CHANGED: break;
    case PRIMARY_STOPPED: suspect(self, "the primary stopped", event, out); break;
    case PRIMARY_RESTARTED: suspect(self, "the primary was started anew", event, out); break;
    case PRIMARY_RESIGNED: suspect(self, "the primary stepped down", event, out); break;
    case PRIMARY_DOUBLE:
        coordinator_count_refused(self, event, "two_primaries_in_one_epoch", out);
        return;
    }
    self->registry.change++;
    self->publisher.is_urgent = true;
}

// What it says about promises and the cluster, for the election.
static void hear_promises(struct coordinator *self, const struct registry_member *member,
                          const struct event *event, struct outbox *out)
{
    const struct topology_member *record = &member->record;
    struct election *election = &self->election;
    uint64_t wanted_epoch = event->message->member.wanted_epoch;
    uint64_t promised = wanted_epoch > record->promised ? wanted_epoch : record->promised;
    electorate_add_node(&election->electorate, bytes_from_text(record->endpoint), out);
    election_hear_promise(election, record, promised, event->now_us);
    if (member->is_named) {
        election_learn_cluster(election, event->from_cluster_id, out);
    }
}

static void on_storage_report(struct coordinator *self, const struct registry_member *member,
                              const struct event *event, struct outbox *out)
{
    char old_primary[NAME_SIZE_MAX + 1];
    memcpy(old_primary, self->primary.last, sizeof old_primary);
    hear_promises(self, member, event, out);
    enum primary_news news = known_primary_hear(&self->primary, &member->record, event->now_us);
    on_primary_news(self, news, event, out);
    bool leads = member->record.state == MEMBER_primary;
    if (leads && (news == PRIMARY_HEARD || news == PRIMARY_CHANGED)) {
        hear_primary(self, old_primary, event->now_us, out);
        hear_wanted_epoch(self, event->message->member.wanted_epoch, event, out);
    }
}

static void refuse_report(struct coordinator *self, const struct event *event, enum status status,
                          struct outbox *out)
{
    const char *why = "the report is malformed";
    if (status == STATUS_in_use) {
        why = "another process of this name reports";
    } else if (status == STATUS_busy) {
        why = "too many processes report";
    }
    coordinator_count_refused(self, event, status_name(status), out);
    outbox_refuse(out, event->from, 0, status, why);
}

void watch_report(struct coordinator *self, const struct event *event, struct outbox *out)
{
    const struct message_member *report = &event->message->member;
    struct registry_member *member = NULL;
    enum status status = STATUS_bad_request;
    bool is_us = bytes_equal(self->process->name, report->name);
    if (bytes_equal(event->from_name, report->name) && !is_us) {
        status = registry_report(&self->registry, report, event->from, event->now_us, &member);
    }
    if (status != STATUS_ok) {
        refuse_report(self, event, status, out);
        return;
    }
    if (member == NULL) {
        return;
    }
    if (role_is_storage(member->record.role)) {
        on_storage_report(self, member, event, out);
    }
    publish_to_member(self, member, event->now_us, out);
}

void watch_peer(struct coordinator *self, const struct event *event, struct outbox *out)
{
    election_on_peer(&self->election, event, out);
    if (event->kind == EVENT_PEER_DOWN) {
        registry_lose(&self->registry, event->from);
    }
    bool is_primary = self->primary.name[0] != '\0' && event->from == self->primary.address;
    if (event->kind == EVENT_PEER_DOWN && is_primary) {
        suspect(self, "connection refused", event, out);
    }
}

void watch_silence(struct coordinator *self, const struct event *event, struct outbox *out)
{
    uint64_t patience_us = ms_to_us(self->process->timings.suspect_after_ms);
    uint64_t silent_us = event->now_us - self->primary.heard_us;
    uint64_t left_us = patience_us;
    if (silent_us < patience_us) {
        left_us = patience_us - silent_us;
    } else {
        char cause[CAUSE_SIZE_MAX];
        bool was_heard = self->primary.last[0] != '\0';
        snprintf(cause, sizeof cause, "no %s for %" PRIu64 " ms",
                 was_heard ? "heartbeat" : "primary heard", silent_us / US_PER_MS);
        suspect(self, cause, event, out);
    }
    outbox_timer(out, TIMER_SUSPECT, event->now_us + left_us);
}

void watch_expiry(struct coordinator *self, uint64_t now_us)
{
    uint64_t expiry_us = ms_to_us(self->process->timings.member_expiry_ms);
    uint64_t forget_us = FORGET_FACTOR * expiry_us;
    if (now_us - self->beat_us > expiry_us / 2) {
        self->awake_us = now_us;
    }
    self->beat_us = now_us;
    if (now_us - self->awake_us < expiry_us) {
        return;
    }
    registry_expire(&self->registry, now_us > expiry_us ? now_us - expiry_us : 0,
                    now_us > forget_us ? now_us - forget_us : 0);
    struct known_primary *primary = &self->primary;
    bool is_gone = now_us - primary->heard_us > expiry_us &&
                   now_us - self->election.voters_hear_us > expiry_us;
    if (is_gone && primary->name[0] != '\0') {
        known_primary_forget(primary);
        self->registry.change++;
    }
}
