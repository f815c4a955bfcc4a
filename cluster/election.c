/*
 * The election machine.
 *
 *            in turn            nobody hears one      a majority promised     accepted
 *   IDLE --> BACK_OFF <------> POLL ------------> SEAL ------------> APPOINT ----------> WAIT
 *    ^  \        ^  \                              ^ |                  |                  |
 *    |   \       |   `---- with consent -----------' |                  |                  |
 *    |    \      `----------- the step failed -------+------------------+------------------'
 *    |     `-- consent --> SEAL
 *    `-------- a primary is heard: from every state
 *
 * begin_poll, begin_seal, begin_appoint, begin_wait, back_off and stand_down enter the states.
 *
 * 1. Every attempt has a higher epoch than any this coordinator tried and any promise it heard of,
 *    but none more than 2^32 above the lowest promise (rules 1, 2, 9).
 * 2. One appointment for an attempt, ever. Refused, late, disconnected or not followed by a
 *    committed entry: a new epoch, without that node (rule 3) while a majority is without it, by
 *    what polls say and then by who promises: a voter whose disk hangs agrees to every poll.
 * 3. A poll persists nothing and is a hint; only the voters' durable promises count (rule 33).
 *    Consent of the primary replaces it, and so does a voter's higher epoch (rules 35, 36).
 * 4. Several coordinators: they start in the order of the configuration file, one that hears of a
 *    promise made just now lets the other one try first (a few times, for promises are hearsay),
 *    and failed steps are followed by jitter. A primary that is heard ends all of it.
 */
#include "cluster/election.h"

#include "base/assert.h"
#include "base/bug.h"

#include <inttypes.h>

enum { US_PER_MS = 1000 };

static void become(struct election *self, enum election_state next)
{
    enum {
        IDLE = 1 << ELECTION_IDLE,
        BACK_OFF = 1 << ELECTION_BACK_OFF,
        POLL = 1 << ELECTION_POLL,
        SEAL = 1 << ELECTION_SEAL,
        APPOINT = 1 << ELECTION_APPOINT,
        WAIT = 1 << ELECTION_WAIT,
    };
    static const unsigned moves[] = {
        [ELECTION_IDLE] = BACK_OFF | SEAL,           [ELECTION_BACK_OFF] = IDLE | POLL | SEAL,
        [ELECTION_POLL] = IDLE | BACK_OFF | SEAL,    [ELECTION_SEAL] = IDLE | BACK_OFF | APPOINT,
        [ELECTION_APPOINT] = IDLE | BACK_OFF | WAIT, [ELECTION_WAIT] = IDLE | BACK_OFF,
    };
    ASSERT((moves[self->state] & 1U << next) != 0);
    self->state = next;
}

void election_init(struct election *self, const struct process *process)
{
    *self = (struct election){.process = process};
    pacing_init(&self->pacing, process);
}

// Sets the timer to the next moment at which something is due.
static void arm(const struct election *self, struct outbox *out)
{
    uint64_t at_us = self->state == ELECTION_IDLE ? 0 : self->deadline_us;
    bool is_asking = self->state == ELECTION_POLL || self->state == ELECTION_SEAL;
    if (is_asking && self->resend_us < at_us) {
        at_us = self->resend_us;
    }
    if (is_asking && self->grace_us != 0 && self->grace_us < at_us) {
        at_us = self->grace_us;
    }
    outbox_timer(out, ELECTION_TIMER, at_us);
}

static void enter(struct election *self, enum election_state next, uint64_t deadline_us,
                  struct outbox *out)
{
    become(self, next);
    self->deadline_us = deadline_us;
    self->grace_us = 0;
    arm(self, out);
}

static void stand_down(struct election *self, struct outbox *out)
{
    electorate_include_all(&self->electorate);
    self->has_consent = false;
    pacing_reset(&self->pacing);
    enter(self, ELECTION_IDLE, 0, out);
}

// The step failed: waits before the next try.
static void back_off(struct election *self, uint64_t now_us, struct outbox *out)
{
    uint64_t wait_us = pacing_fail_us(&self->pacing, self->state != ELECTION_POLL);
    self->has_consent = false;
    self->target = 0;
    enter(self, ELECTION_BACK_OFF, now_us + wait_us, out);
}

// Begins after the turn of the coordinators before this one.
static void begin_in_turn(struct election *self, uint64_t now_us, struct outbox *out)
{
    self->times = (struct election_times){0};
    enter(self, ELECTION_BACK_OFF, now_us + pacing_turn_us(&self->pacing), out);
    election_on_timer(self, now_us, out);
}

void election_suspect(struct election *self, uint64_t epoch, uint64_t now_us, struct outbox *out)
{
    if (self->state == ELECTION_IDLE) {
        self->suspect = epoch;
        self->target = 0;
        begin_in_turn(self, now_us, out);
    }
}

void election_override(struct election *self, uint64_t epoch, uint64_t leader, uint64_t now_us,
                       struct outbox *out)
{
    if (self->state == ELECTION_IDLE) {
        self->suspect = epoch;
        self->has_consent = true;
        self->target = leader;
        begin_in_turn(self, now_us, out);
    }
}

// Rule 1: above all that was tried and heard of. The deviation knows only what it tried itself.
static uint64_t next_epoch(const struct election *self)
{
    uint64_t heard = BUG(1) ? 0 : electorate_highest_promise(&self->electorate);
    return (heard > self->epoch ? heard : self->epoch) + 1;
}

static void ask(const struct election *self, struct elector *elector, struct outbox *out)
{
    struct message poll = {
        .kind = MESSAGE_poll,
        .poll = {.request = self->request, .suspect = self->suspect},
    };
    struct message seal = {
        .kind = MESSAGE_seal,
        .seal = {.epoch = self->epoch, .incarnation = self->process->incarnation},
    };
    elector->is_asked = true;
    outbox_send(out, elector->address, self->state == ELECTION_POLL ? &poll : &seal);
}

// Whether to ask somebody again: for a promise who is silent; in a poll also who did not agree, for
// that is a matter of moments.
static bool is_to_be_asked_again(const struct election *self, const struct elector *elector)
{
    return self->state == ELECTION_POLL ? !elector->agrees : !elector->has_answered;
}

// Asks those not asked yet; or others again. A poll goes to every node known, a seal to the voters
// that did not fail as appointee.
static void ask_all(struct election *self, bool is_again, struct outbox *out)
{
    for (size_t i = 0; i < self->electorate.count; i++) {
        struct elector *elector = &self->electorate.electors[i];
        bool is_due = is_again ? is_to_be_asked_again(self, elector) : !elector->is_asked;
        bool may_seal = electorate_is_voter(&self->electorate, elector) && !elector->is_excluded;
        if (is_due && (self->state == ELECTION_POLL || may_seal)) {
            ask(self, elector, out);
        }
    }
}

static void begin_asking(struct election *self, enum election_state next, uint64_t deadline_us,
                         struct outbox *out)
{
    electorate_begin_step(&self->electorate);
    enter(self, next, deadline_us, out);
    ask_all(self, false, out);
}

static void begin_poll(struct election *self, uint64_t now_us, struct outbox *out)
{
    self->times.poll_us = self->times.poll_us == 0 ? now_us : self->times.poll_us;
    self->request++;
    self->resend_us = now_us + pacing_resend_us(&self->pacing);
    begin_asking(self, ELECTION_POLL, now_us + pacing_poll_us(&self->pacing), out);
}

static void begin_seal(struct election *self, uint64_t now_us, struct outbox *out)
{
    self->times.poll_us = self->times.poll_us == 0 ? now_us : self->times.poll_us;
    self->times.seal_us = now_us;
    self->epoch = next_epoch(self);
    outbox_log(out, LOG_INFO, "event=sealing epoch=%" PRIu64, self->epoch);
    self->resend_us = now_us + pacing_resend_us(&self->pacing);
    begin_asking(self, ELECTION_SEAL, now_us + pacing_step_us(&self->pacing), out);
}

bool election_consent(struct election *self, uint64_t epoch, uint64_t target, uint64_t now_us,
                      struct outbox *out)
{
    if (self->state > ELECTION_POLL) {
        return false;
    }
    self->suspect = epoch;
    self->has_consent = true;
    self->target = target;
    self->times = (struct election_times){0};
    begin_seal(self, now_us, out);
    return true;
}

// A promise above all that were known, and not to us: another coordinator tries just now. The first
// one that is heard of at all may be old.
static void hear_promise(struct election *self, struct elector *elector, uint64_t promised,
                         uint64_t now_us)
{
    uint64_t known = electorate_highest_promise(&self->electorate);
    if (known != 0 && promised > known && promised > self->epoch) {
        pacing_hear_rival(&self->pacing, now_us);
    }
    elector_hear_promise(elector, promised);
}

void election_hear_promise(struct election *self, const struct topology_member *record,
                           uint64_t promised, uint64_t now_us)
{
    struct elector *elector = electorate_find(&self->electorate, record->address);
    if (elector != NULL) {
        elector->directory_id = record->directory_id;
        hear_promise(self, elector, promised, now_us);
    }
}

bool election_hear_primary(struct election *self, uint64_t epoch, uint64_t directory_id,
                           struct outbox *out)
{
    if (self->state == ELECTION_IDLE) {
        return false;
    }
    uint64_t enough = self->has_consent ? self->suspect + 1 : self->suspect;
    if (self->state >= ELECTION_SEAL) {
        enough = self->epoch;
    }
    if (epoch < enough) {
        return false;
    }
    // The one that was suspected may be ours, too, of an election that was over long ago.
    bool is_new = epoch > self->suspect;
    stand_down(self, out);
    return is_new && epoch == self->appointed_epoch && directory_id == self->appointee_id;
}

bool election_learn_cluster(struct election *self, uint64_t cluster_id, struct outbox *out)
{
    if (self->cluster_id == 0 && cluster_id != 0) {
        self->cluster_id = cluster_id;
        outbox_cluster(out, cluster_id);
        outbox_log(out, LOG_INFO, "event=cluster_known cluster_id=%016" PRIx64, cluster_id);
    }
    return cluster_id == self->cluster_id;
}

// Counts those who agree. A known cluster is not born again (rule 31): blank answers mean nothing.
static enum ballot_verdict decide(const struct election *self, bool with_excluded,
                                  const struct ballot_answer **ret_best)
{
    enum ballot_verdict verdict = electorate_decide(&self->electorate, self->target, with_excluded,
                                                    ret_best);
    return verdict == BALLOT_BIRTH && self->cluster_id != 0 ? BALLOT_OPEN : verdict;
}

// Counts those who agree and are not left out. The best answer there is, also while the ballot is
// open, says who else is a voter and to be asked (rule 32).
static enum ballot_verdict
decide_and_learn(struct election *self, const struct ballot_answer **ret_best, struct outbox *out)
{
    const struct ballot_answer *best;
    decide(self, false, &best);
    if (best != NULL && best->configuration.voter_count > 0) {
        electorate_believe(&self->electorate, &best->configuration, out);
        ask_all(self, false, out);
    }
    return decide(self, false, ret_best);
}

static void send_appointment(struct election *self, const struct ballot_answer *best,
                             const struct configuration *birth, struct outbox *out)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    if (birth != NULL) {
        configuration_encode(birth, &encoded);
    }
    struct message message = {
        .kind = MESSAGE_appoint,
        .appoint = {.epoch = self->epoch,
                    .incarnation = self->process->incarnation,
                    .appointee = best->directory_id,
                    .last_epoch = best->last_epoch,
                    .last_position = best->last_position,
                    .birth_cluster_id = birth == NULL ? 0 : birth->cluster_id,
                    .birth_configuration = buffer_bytes(&encoded)},
    };
    self->appointee_id = best->directory_id;
    self->appointee = electorate_address_of(&self->electorate, best);
    outbox_send(out, self->appointee, &message);
    outbox_log(out, LOG_INFO,
               "event=appointing epoch=%" PRIu64 " directory_id=%016" PRIx64 " last_epoch=%" PRIu64
               " last_position=%" PRIu64,
               self->epoch, best->directory_id, best->last_epoch, best->last_position);
}

// What a cluster begins with: a random id and the voters of the file by their directories.
static enum status draw_birth(struct election *self, struct configuration *ret_birth)
{
    TRY(electorate_make_birth(&self->electorate, ret_birth));
    return configuration_set_cluster(ret_birth, random_next(&self->pacing.random) | 1,
                                     self->process->cluster_name);
}

static void begin_appoint(struct election *self, const struct ballot_answer *best, uint64_t now_us,
                          struct outbox *out)
{
    struct configuration birth;
    self->is_birth = best->configuration.voter_count == 0;
    if (self->is_birth && draw_birth(self, &birth) != STATUS_ok) {
        outbox_log(out, LOG_ERROR, "event=birth_refused reason=two_voters_have_one_directory");
        back_off(self, now_us, out);
        return;
    }
    ASSERT(self->appointed_epoch < self->epoch); // rule 3
    self->appointed_epoch = self->epoch;
    self->times.appoint_us = now_us;
    enter(self, ELECTION_APPOINT, now_us + pacing_step_us(&self->pacing), out);
    send_appointment(self, best, self->is_birth ? &birth : NULL, out);
}

static void begin_wait(struct election *self, uint64_t now_us, struct outbox *out)
{
    uint64_t patience_us = (uint64_t)self->process->timings.suspect_after_ms * US_PER_MS;
    uint64_t step_us = pacing_step_us(&self->pacing);
    self->times.accepted_us = now_us;
    enter(self, ELECTION_WAIT, now_us + (patience_us > step_us ? patience_us : step_us), out);
}

// Rule 3: any doubt about the appointment ends the attempt. The deviation goes on with the second
// best of the same majority.
static void doubt(struct election *self, const char *why, uint64_t now_us, struct outbox *out)
{
    const struct ballot_answer *second;
    electorate_find(&self->electorate, self->appointee)->is_excluded = true;
    decide(self, false, &second);
    if (BUG(2) && self->state == ELECTION_APPOINT && second != NULL) {
        send_appointment(self, second, NULL, out);
        return;
    }
    outbox_log(out, LOG_WARNING, "event=appointment_failed epoch=%" PRIu64 " reason=%s",
               self->epoch, why);
    back_off(self, now_us, out);
}

static void fail_poll(struct election *self, const char *why, uint64_t now_us, struct outbox *out)
{
    back_off(self, now_us, out);
    if (pacing_is_worth_telling(&self->pacing)) {
        outbox_log(out, LOG_INFO, "event=poll_failed suspect=%" PRIu64 " reason=%s times=%" PRIu32,
                   self->suspect, why, self->pacing.failures);
    }
}

// Goes on if a majority would take part (rule 33); without those that failed as appointee, unless
// there is no majority without them.
static void count_poll(struct election *self, uint64_t now_us, struct outbox *out)
{
    const struct ballot_answer *best;
    enum ballot_verdict verdict = decide_and_learn(self, &best, out);
    bool is_over = electorate_is_settled(&self->electorate) || now_us >= self->deadline_us;
    if (verdict == BALLOT_OPEN && !is_over) {
        return;
    }
    if (verdict == BALLOT_OPEN && decide(self, true, &best) == BALLOT_OPEN) {
        bool is_blank = best == NULL || best->configuration.voter_count == 0;
        fail_poll(self, is_blank ? "not_every_voter_is_there" : "no_majority", now_us, out);
        return;
    }
    if (pacing_defers(&self->pacing, now_us)) {
        fail_poll(self, "another_coordinator_tries", now_us, out);
        return;
    }
    if (verdict == BALLOT_OPEN) {
        electorate_include_all(&self->electorate);
    }
    begin_seal(self, now_us, out);
}

// Appoints when all answered, or a majority did and the grace for the others is over; for a target
// that has consented, until the step is over.
static void count_seal(struct election *self, uint64_t now_us, struct outbox *out)
{
    const struct ballot_answer *best;
    enum ballot_verdict verdict = decide_and_learn(self, &best, out);
    bool is_over = electorate_is_settled(&self->electorate) || now_us >= self->deadline_us;
    if (verdict == BALLOT_OPEN) {
        self->grace_us = 0;
        if (is_over) {
            outbox_log(out, LOG_WARNING, "event=seal_failed epoch=%" PRIu64, self->epoch);
            electorate_include_all(&self->electorate);
            back_off(self, now_us, out);
        }
        return;
    }
    bool is_wanted = self->target == 0 || best->directory_id == self->target;
    if (is_wanted && self->grace_us == 0) {
        self->grace_us = now_us + ELECTION_GRACE_US;
        arm(self, out);
    }
    if (is_over || (is_wanted && now_us >= self->grace_us)) {
        begin_appoint(self, best, now_us, out);
    }
}

static void count(struct election *self, uint64_t now_us, struct outbox *out)
{
    if (self->state == ELECTION_POLL) {
        count_poll(self, now_us, out);
    } else if (self->state == ELECTION_SEAL) {
        count_seal(self, now_us, out);
    }
}

static void refuse(struct election *self, struct elector *elector, const char *why,
                   struct bytes name, struct outbox *out)
{
    elector->agrees = false;
    self->refused++;
    if ((self->refused & (self->refused - 1)) == 0) {
        outbox_log(out, LOG_ERROR, "event=answer_refused reason=%s from=%.*s times=%" PRIu64, why,
                   (int)name.size, (const char *)name.data, self->refused);
    }
}

// Whether what it answered belongs to our cluster; what is not blank says which one that is.
static bool is_of_cluster(struct election *self, const struct elector *elector, struct outbox *out)
{
    const struct configuration *configuration = &elector->answer.configuration;
    if (configuration->voter_count == 0) {
        return true;
    }
    struct bytes cluster_name = bytes_from_text(configuration->cluster_name);
    return bytes_equal(cluster_name, self->process->cluster_name) &&
           election_learn_cluster(self, configuration->cluster_id, out);
}

// Takes an answer to the step under way and counts again.
static void take_answer(struct election *self, const struct event *event,
                        const struct elector_answer *answer, struct outbox *out)
{
    struct elector *elector = electorate_find(&self->electorate, event->from);
    if (elector == NULL || !elector->is_asked || !is_to_be_asked_again(self, elector)) {
        return;
    }
    hear_promise(self, elector, answer->promised, event->now_us);
    if (elector_take_answer(elector, answer) != STATUS_ok) {
        refuse(self, elector, "malformed", event->from_name, out);
    } else if (!is_of_cluster(self, elector, out)) {
        refuse(self, elector, "wrong_cluster", event->from_name, out);
    }
    count(self, event->now_us, out);
}

static void on_poll_reply(struct election *self, const struct event *event, struct outbox *out)
{
    const struct message_poll_reply *reply = &event->message->poll_reply;
    if (self->state != ELECTION_POLL || reply->request != self->request) {
        return;
    }
    struct elector_answer answer = {
        .from_name = event->from_name,
        .directory_id = reply->directory_id,
        .promised = reply->promised,
        .last_epoch = reply->last_epoch,
        .last_position = reply->last_position,
        .configuration = reply->configuration,
        .agrees = !reply->hears_primary && reply->would_accept,
    };
    if (reply->hears_primary) {
        self->voters_hear_us = event->now_us;
    }
    take_answer(self, event, &answer, out);
}

// Rule 2: an answer counts for the very attempt that it names.
static void on_seal_reply(struct election *self, const struct event *event, struct outbox *out)
{
    const struct message_seal_reply *reply = &event->message->seal_reply;
    bool is_ours = reply->epoch == self->epoch && reply->incarnation == self->process->incarnation;
    if (self->state != ELECTION_SEAL || !is_ours) {
        return;
    }
    struct elector_answer answer = {
        .from_name = event->from_name,
        .directory_id = reply->directory_id,
        .promised = reply->promised,
        .last_epoch = reply->last_epoch,
        .last_position = reply->last_position,
        .configuration = reply->configuration,
        .agrees = reply->accepted,
    };
    take_answer(self, event, &answer, out);
}

static void on_appoint_reply(struct election *self, const struct event *event, struct outbox *out)
{
    const struct message_appoint_reply *reply = &event->message->appoint_reply;
    bool is_ours = reply->epoch == self->appointed_epoch && event->from == self->appointee &&
                   reply->incarnation == self->process->incarnation;
    if (self->state != ELECTION_APPOINT || !is_ours) {
        return;
    }
    if (reply->accepted) {
        begin_wait(self, event->now_us, out);
        return;
    }
    hear_promise(self, electorate_find(&self->electorate, event->from), reply->promised,
                 event->now_us);
    doubt(self, "refused", event->now_us, out);
}

void election_on_message(struct election *self, const struct event *event, struct outbox *out)
{
    switch (event->message->kind) {
    case MESSAGE_poll_reply: on_poll_reply(self, event, out); break;
    case MESSAGE_seal_reply: on_seal_reply(self, event, out); break;
    case MESSAGE_appoint_reply: on_appoint_reply(self, event, out); break;
    default: break;
    }
}

static void on_asking_timer(struct election *self, uint64_t now_us, struct outbox *out)
{
    if (now_us >= self->resend_us) {
        self->resend_us = now_us + pacing_resend_us(&self->pacing);
        ask_all(self, true, out);
    }
    count(self, now_us, out);
    arm(self, out);
}

void election_on_timer(struct election *self, uint64_t now_us, struct outbox *out)
{
    bool is_over = now_us >= self->deadline_us;
    if (self->state == ELECTION_POLL || self->state == ELECTION_SEAL) {
        on_asking_timer(self, now_us, out);
    } else if (self->state == ELECTION_BACK_OFF && is_over && self->has_consent) {
        begin_seal(self, now_us, out);
    } else if (self->state == ELECTION_BACK_OFF && is_over) {
        begin_poll(self, now_us, out);
    } else if (self->state == ELECTION_APPOINT && is_over) {
        doubt(self, "no_answer", now_us, out);
    } else if (self->state == ELECTION_WAIT && is_over) {
        doubt(self, "no_committed_entry", now_us, out);
    }
}

void election_on_peer(struct election *self, const struct event *event, struct outbox *out)
{
    struct elector *elector = electorate_find(&self->electorate, event->from);
    if (elector == NULL) {
        return;
    }
    elector->is_down = event->kind == EVENT_PEER_DOWN;
    bool is_asking = self->state == ELECTION_POLL || self->state == ELECTION_SEAL;
    bool is_appointed = self->state == ELECTION_APPOINT || self->state == ELECTION_WAIT;
    if (elector->is_down && is_appointed && event->from == self->appointee) {
        doubt(self, "disconnected", event->now_us, out);
    } else if (!elector->is_down && is_asking && elector->is_asked && !elector->has_answered) {
        ask(self, elector, out);
    }
    count(self, event->now_us, out);
}
