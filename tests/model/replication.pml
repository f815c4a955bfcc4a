/*
 * Skein's rules of elections and of the log, as a model that spin searches state by state.
 *
 * `rule n` is rule n of replication, as in the code. The model was written from the rules, not from
 * the code: it shows that the rules hold, the simulator that the code keeps them. tests/model/run
 * searches it within several bounds and with each deviation (-DBUG=n), which must break it.
 *
 * What there is
 *   voter        memory and disk of a storage node: promise, log, what it follows or leads
 *   attempt      (epoch, incarnation of a coordinator): the answers to its seals, its appointment
 *   term         what the primary of an attempt sent and was told: log, match positions
 * An attempt is known by its number, a term by that of its attempt: (epoch - 1) * INCARNATIONS +
 * incarnation. An entry is known by its position and the term that wrote it. So two entries that
 * are called the same, of one epoch and position, are told apart here, and by nobody in the model.
 *
 * The network is the set of all messages ever sent. None is ever taken out, so any may come late,
 * twice, in any order, or never. Nothing has to be stored for it: a seal answer, an appointment and
 * the log of a term stay as they are, an append is any entry of a term's log with the one before.
 *
 * What happens, with the rules that say how
 *   seal         by any attempt at any time; the promise is queued behind all entries: 1, 2, 7
 *   hear         the first append of a higher epoch: a promise, and the one to follow: 6, 12
 *   take         an append of one entry: matches, conflicts, or continues the log: 6, 10, 11, 13
 *   write        a primary adds an entry of its epoch: 10
 *   disk_step    the first of what is queued is durable; then seal answers, acknowledgements and
 *                commits follow: 2, 5, 7, 8, 12, 14, 15, 16
 *   appoint      a coordinator, once for an attempt, one of a majority with the best log: 3, 4
 *   lead         a sealed voter takes its appointment, once; the used mark and its first entry are
 *                queued, nothing leaves before they are durable: 4, 5
 *   crash        what is not durable is gone, and who followed or led: 5; or (BUG 6) all is gone
 *   fill         the disk is full: entries that are queued are gone, nothing else: 21
 *   damage       a crash that finds the end of the log gone, and knows; then repair: 20
 *   read         a read point: primary and voters are asked at the same time: 25, 26
 *   transaction  one that writes nothing, executed and answered: 17, 24, 25
 *
 * What must hold
 *   one primary  for an epoch
 *   kept         a position once committed never is another entry; every primary of a later epoch
 *                has what is committed, so every sealed majority had it
 *   prefix       logs with an entry of one epoch at one position are the same up to there
 *   known        what a follower takes as verified is what the primary has, and what it takes as
 *                committed is; it removes nothing that was committed in an epoch it knows
 *   read         a read point is not below what was committed when the read came; a transaction
 *                has seen all of that, and nothing that is not committed
 *
 * What is left out, and why nothing is lost by it
 *   polls, consent, back-off, stepping down without a reason (33, 34, 35, 36): when an attempt
 *     begins is left open, a primary may be idle for ever; a switchover is an attempt with a tie
 *   coordinators' memory: each attempt is on its own, which allows more than any coordinator does
 *   lost or late acknowledgements: a primary counts each at once, that is it commits whenever it
 *     may at all; commits change nothing but what is checked
 *   appends of more than one entry: they are several of one. Empty ones are those of the entry
 *     before. Of appends that change nothing but how much is verified only the longest is tried
 *   one promise at a time is queued, and entries are removed only when nothing is: else the message
 *     comes later, as it may anyhow
 *   birth, changes of voters, state transfer (31, 32, 37), chains and marks (18, 19), what is in
 *     entries (22, 23), how far an epoch may jump (9): other rules, held by the simulator
 * Two reductions: voters are first used in their order, and so are the incarnations of an epoch;
 * they are exchangeable. What can't have an effect any more is forgotten.
 */

// Bounds and variants; tests/model/run sets them.
#ifndef BUG
#define BUG 0 // deviation
#endif
#ifndef EPOCHS
#define EPOCHS 2
#endif
#ifndef INCARNATIONS
#define INCARNATIONS 1 // attempts for each epoch
#endif
#ifndef ENTRIES
#define ENTRIES 2 // of a log
#endif
#ifndef FAULTS
#define FAULTS 0 // crashes and full disks, together
#endif
#ifndef DAMAGES
#define DAMAGES 0 // ends of logs that are gone
#endif
#ifndef READS
#define READS 0 // 1: a linearizable read, 2: a transaction that writes nothing
#endif
#ifndef QUEUED
#define QUEUED 1 // 0: what is written is durable at once
#endif

#define VOTERS 3
#define MAJORITY (BUG == 3 -> 1 : 2)
#define ATTEMPTS (EPOCHS * INCARNATIONS)
#define EPOCH(a) (((a) + INCARNATIONS - 1) / INCARNATIONS) // 0 of attempt or term 0
#define INCARNATION(a) (((a) - 1) % INCARNATIONS + 1)

typedef voter_state {
    byte log[ENTRIES + 1]; // terms, by position
    byte size;             // entries in it
    byte durable;          // of these
    byte promised;         // epoch; with the next two the vote record in memory
    byte attempt;          // that was promised; 0: the epoch of an append
    bit used;              // the appointment of this attempt
    byte disk_promised;    // these three as on the disk
    byte disk_attempt;
    bit disk_used;
    byte barrier;          // entries queued before the vote record; 0 when none is queued
    byte follows;          // term
    byte verified;         // position up to which the log is that of the term
    byte leads;            // term, also while its first entry is not durable
    bit damaged;           // must not vote (rule 20)
    byte damaged_in;       // epoch promised then
};

typedef term_state {
    byte leader;           // voter + 1
    byte log[ENTRIES + 1]; // of the leader
    byte sent;             // entries of it that may have left
    byte match[VOTERS];    // acknowledged
};

typedef attempt_state {
    byte answer[VOTERS]; // END of the log at the seal
    byte appointee;      // voter + 1
    byte end;            // of its log
    byte second;         // another appointee, and its end (BUG 2)
    byte second_end;
};

voter_state voter[VOTERS];
term_state term[ATTEMPTS + 1];
attempt_state attempt[ATTEMPTS + 1];
byte faults;
byte damages;

// What is committed, known to no voter: the entry's term, and the lowest epoch that committed it.
byte committed[ENTRIES + 1];
byte committed_in[ENTRIES + 1];

// Counters and results of inline parts; they mean nothing between steps.
hidden byte i_, n_, p_, q_, t_;

#define MUST(text, condition)                                                                      \
    if                                                                                             \
    :: condition                                                                                   \
    :: else -> printf(text); assert(false)                                                         \
    fi
#define SELF voter[self]
#define NAME(i) ('A' + (i))
#define VOTE_IS_QUEUED                                                                             \
    (SELF.promised != SELF.disk_promised || SELF.attempt != SELF.disk_attempt ||                   \
     SELF.used != SELF.disk_used)
#define IS_IDLE (!VOTE_IS_QUEUED && SELF.durable == SELF.size)
#define LEADS (SELF.leads != 0 && term[SELF.leads].sent > 0)

// An end of a log as a number that compares as (epoch of last entry, position of last entry).
#define LAST_EPOCH(position) (BUG == 33 -> 0 : EPOCH(SELF.log[position]))
#define END(position) (1 + LAST_EPOCH(position) * (ENTRIES + 1) + (position))

#include "voter.pml"
#include "node.pml"
#if READS
#include "round.pml"
#endif
#if READS == 1
#include "reader.pml"
#elif READS == 2
#include "transaction.pml"
#endif

// A voter's answer is one of a majority of answers of which it has the best log (rule 4).
#define COUNTS(a, i, best) (attempt[a].answer[i] != 0 && attempt[a].answer[i] <= (best) -> 1 : 0)
#define IS_BEST(a, i)                                                                              \
    (attempt[a].answer[i] != 0 &&                                                                  \
     COUNTS(a, 0, attempt[a].answer[i]) + COUNTS(a, 1, attempt[a].answer[i]) +                     \
             COUNTS(a, 2, attempt[a].answer[i]) >= MAJORITY)
#define TRY_APPOINT(a)                                                                             \
    :: attempt[a].appointee == 0 && IS_BEST(a, 0) -> chosen = a; best = 0                          \
    :: attempt[a].appointee == 0 && IS_BEST(a, 1) -> chosen = a; best = 1                          \
    :: attempt[a].appointee == 0 && IS_BEST(a, 2) -> chosen = a; best = 2

// Another one of the same majority.
#define IS_SECOND(a, i)                                                                            \
    (BUG == 2 && attempt[a].appointee != 0 && attempt[a].appointee != i + 1 &&                     \
     attempt[a].second == 0 && COUNTS(a, i, attempt[a].end) == 1)
#define TRY_SECOND(a)                                                                              \
    :: IS_SECOND(a, 0) -> chosen = a; best = 0                                                     \
    :: IS_SECOND(a, 1) -> chosen = a; best = 1                                                     \
    :: IS_SECOND(a, 2) -> chosen = a; best = 2

// Answers to an attempt that has its appointment mean nothing any more (rule 3).
inline appoint(a, i)
{
    attempt[a].end = attempt[a].answer[i];
    q_ = 0;
    do
    :: q_ == VOTERS || BUG == 2 -> break
    :: else -> attempt[a].answer[q_] = 0; q_++
    od;
    attempt[a].appointee = i + 1
}

proctype coordinators()
{
    byte chosen, best;
end:
    atomic {
        if
        :: if EACH(TRY_APPOINT) fi;
            d_step {
                printf("%c is appointed by %d/%d\n", NAME(best), EPOCH(chosen),
                       INCARNATION(chosen));
                appoint(chosen, best)
            }
        :: if EACH(TRY_SECOND) fi;
            d_step {
                printf("%c is appointed by %d/%d instead\n", NAME(best), EPOCH(chosen),
                       INCARNATION(chosen));
                attempt[chosen].second = best + 1;
                attempt[chosen].second_end = attempt[chosen].answer[best]
            }
        fi;
        d_step {
            chosen = 0;
            best = 0
        }
    }
    goto end
}

init
{
    atomic {
        run node(0);
        run node(1);
        run node(2);
        run coordinators();
#if READS == 1
        run reader()
#elif READS == 2
        run transaction()
#endif
    }
}
