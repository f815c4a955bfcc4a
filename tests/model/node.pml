/*
 * The process of a storage node: which steps a voter may take, and choosing one. A guard that ends
 * in `->` is one line of a choice, written once for each attempt, term or entry.
 */

// Voters are used in their order.
#define IN_TURN (self == 0 || voter[self - 1].promised > 0 || SELF.promised > 0)

// And so are the incarnations.
#define IS_PROMISED(a, i) (voter[i].attempt == (a) || voter[i].disk_attempt == (a))
#define IS_KNOWN(a)                                                                                \
    (attempt[a].appointee != 0 || IS_PROMISED(a, 0) || IS_PROMISED(a, 1) || IS_PROMISED(a, 2) ||   \
     attempt[a].answer[0] != 0 || attempt[a].answer[1] != 0 || attempt[a].answer[2] != 0)
#define IS_NEXT(a) (((a) - 1) % INCARNATIONS == 0 || IS_KNOWN((a) - 1))

// A higher epoch, whatever the incarnation (rule 2).
#define IS_NEWER(a)                                                                                \
    (EPOCH(a) > SELF.promised ||                                                                   \
     (BUG == 1 && EPOCH(a) == SELF.promised && attempt[a].answer[self] == 0) ||                    \
     (BUG == 14 && EPOCH(a) == SELF.promised && (a) > SELF.attempt))
#define TRY_SEAL(a)                                                                                \
    :: IN_TURN && IS_NEWER(a) && IS_NEXT(a) && !VOTE_IS_QUEUED && !SELF.damaged -> chosen = a

#define TRY_HEAR(t)                                                                                \
    :: IN_TURN && term[t].sent > 0 && EPOCH(t) > SELF.promised && !VOTE_IS_QUEUED -> chosen = t

// An append of the epoch promised, by the one that is followed in it (rules 6, 12).
#define IS_FOLLOWED(t)                                                                             \
    (term[t].leader != self + 1 &&                                                                 \
     (EPOCH(t) == SELF.promised || (BUG == 11 && EPOCH(t) < SELF.promised)) &&                     \
     (SELF.leads == 0 || EPOCH(SELF.leads) != EPOCH(t)) &&                                         \
     (SELF.follows == 0 || SELF.follows == (t) || EPOCH(SELF.follows) != EPOCH(t)))
#define MATCHES(t, p) ((p) <= SELF.size && EPOCH(SELF.log[p]) == EPOCH(term[t].log[p]))
#define IS_NEWS(t, p)                                                                              \
    (BUG == 12 || (((p) > SELF.verified || SELF.follows != (t)) &&                                 \
                   ((p) == term[t].sent || !MATCHES(t, (p) + 1))))
#define TRY_TAKE(t, p)                                                                             \
    :: (p) <= term[t].sent && IS_FOLLOWED(t) && IS_NEWS(t, p) &&                                   \
       ((p) == 1 || MATCHES(t, (p) - 1)) &&                                                        \
       ((p) == SELF.size + 1 || (MATCHES(t, p) && BUG != 12) || IS_IDLE) -> chosen = t; position = p

// The promise is this attempt, the durable log ends where it did, and the appointment is new (4).
#define MAY_LEAD(a, end_)                                                                          \
    (SELF.leads == 0 && SELF.size < ENTRIES && SELF.durable == SELF.size && !SELF.damaged &&       \
     ((SELF.attempt == (a) && SELF.disk_attempt == (a)) || (BUG == 10 && !VOTE_IS_QUEUED)) &&      \
     ((!SELF.used && (end_) == END(SELF.size)) || BUG == 4))
#define TRY_LEAD(a)                                                                                \
    :: attempt[a].appointee == self + 1 && MAY_LEAD(a, attempt[a].end) -> chosen = a               \
    :: BUG == 2 && attempt[a].second == self + 1 && MAY_LEAD(a, attempt[a].second_end) -> chosen = a

#define TRY_END(p) :: damages < DAMAGES && SELF.durable > p -> position = p
#if ENTRIES == 1
#define EACH_END TRY_END(0)
#elif ENTRIES == 2
#define EACH_END TRY_END(0) TRY_END(1)
#elif ENTRIES == 3
#define EACH_END TRY_END(0) TRY_END(1) TRY_END(2)
#else
#define EACH_END TRY_END(0) TRY_END(1) TRY_END(2) TRY_END(3)
#endif

#define UP_TO_2(OPTION) OPTION(1) OPTION(2)
#define UP_TO_3(OPTION) UP_TO_2(OPTION) OPTION(3)
#define UP_TO_4(OPTION) UP_TO_3(OPTION) OPTION(4)
#define UP_TO_6(OPTION) UP_TO_4(OPTION) OPTION(5) OPTION(6)
#define UP_TO_8(OPTION) UP_TO_6(OPTION) OPTION(7) OPTION(8)
#if ATTEMPTS == 2
#define EACH(OPTION) UP_TO_2(OPTION)
#elif ATTEMPTS == 3
#define EACH(OPTION) UP_TO_3(OPTION)
#elif ATTEMPTS == 4
#define EACH(OPTION) UP_TO_4(OPTION)
#elif ATTEMPTS == 6
#define EACH(OPTION) UP_TO_6(OPTION)
#else
#define EACH(OPTION) UP_TO_8(OPTION)
#endif
#define TRY_TAKE_1(t) TRY_TAKE(t, 1)
#define TRY_TAKE_2(t) TRY_TAKE(t, 2)
#define TRY_TAKE_3(t) TRY_TAKE(t, 3)
#define TRY_TAKE_4(t) TRY_TAKE(t, 4)
#if ENTRIES == 1
#define EACH_ENTRY EACH(TRY_TAKE_1)
#elif ENTRIES == 2
#define EACH_ENTRY EACH(TRY_TAKE_1) EACH(TRY_TAKE_2)
#elif ENTRIES == 3
#define EACH_ENTRY EACH(TRY_TAKE_1) EACH(TRY_TAKE_2) EACH(TRY_TAKE_3)
#else
#define EACH_ENTRY EACH(TRY_TAKE_1) EACH(TRY_TAKE_2) EACH(TRY_TAKE_3) EACH(TRY_TAKE_4)
#endif

proctype node(byte self)
{
    byte chosen, position;
end:
    atomic {
        if
        :: if EACH(TRY_SEAL) fi;
            d_step {
                printf("%c seals %d/%d\n", NAME(self), EPOCH(chosen), INCARNATION(chosen));
                promise(EPOCH(chosen), chosen);
                if
                :: BUG == 7 -> answer_seal()
                :: else
                fi
            }
        :: if EACH(TRY_HEAR) fi;
            d_step {
                printf("%c hears the primary of %d\n", NAME(self), EPOCH(chosen));
                promise(EPOCH(chosen), 0);
                SELF.follows = chosen
            }
        :: if EACH_ENTRY fi;
            d_step {
                printf("%c takes entry %d from the primary of %d\n", NAME(self), position,
                       EPOCH(chosen));
                take(chosen, position)
            }
        :: if EACH(TRY_LEAD) fi;
            d_step {
                printf("%c takes the appointment of %d/%d\n", NAME(self), EPOCH(chosen),
                       INCARNATION(chosen));
                lead(chosen)
            }
        :: d_step {
                LEADS && SELF.size < ENTRIES ->
                printf("%c writes entry %d of %d\n", NAME(self), SELF.size + 1, EPOCH(SELF.leads));
                write()
            }
        :: d_step {
                QUEUED && !IS_IDLE ->
                printf("%c: the next write is durable\n", NAME(self));
                disk_step()
            }
        :: d_step {
                faults < FAULTS && SELF.promised > 0 ->
                printf("%c crashes\n", NAME(self));
                faults++;
                crash()
            }
        :: d_step {
                faults < FAULTS && SELF.durable < SELF.size && !LEADS ->
                printf("%c: the disk is full\n", NAME(self));
                faults++;
                fill()
            }
        :: if EACH_END fi;
            d_step {
                printf("%c crashes and finds its log damaged after %d\n", NAME(self), position);
                damages++;
                damage(position)
            }
        fi;
        d_step {
            // A disk without a queue.
            do
            :: QUEUED || IS_IDLE -> break
            :: else -> disk_step()
            od;
            chosen = 0;
            position = 0
        }
    }
    goto end
}
