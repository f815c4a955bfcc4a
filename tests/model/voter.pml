/*
 * What a voter does: committing, following, promises, the disk. Steps are chosen in node.pml; here
 * is what they do, each without a choice. Results of a part are in n_ or p_.
 */

// Committing.

// p_: the position that a majority of voters has, by what the primary of term t knows.
inline count_majority(t)
{
    i_ = term[t].leader - 1;
    p_ = ENTRIES;
    do
    :: p_ == 0 -> break
    :: else ->
        n_ = ((BUG == 9 -> voter[i_].size : voter[i_].durable) >= p_ -> 1 : 0); // rule 16
        q_ = 0;
        do
        :: q_ < VOTERS -> n_ = n_ + (term[t].match[q_] >= p_ -> 1 : 0); q_++
        :: else -> break
        od;
        if
        :: n_ >= MAJORITY -> break
        :: else -> p_--
        fi
    od;
    // Entries of an earlier epoch are not counted (rule 14).
    p_ = (p_ > 0 && (EPOCH(term[t].log[p_]) == EPOCH(t) || BUG == 13) -> p_ : 0)
}

// Notes that entry p_ is committed in term t; every primary of a later epoch must have it.
inline note_committed(t)
{
    committed[p_] = term[t].log[p_];
    committed_in[p_] = EPOCH(t);
    q_ = 1;
    do
    :: q_ > ATTEMPTS -> break
    :: else ->
        MUST("broken: kept by later primaries\n",
             term[q_].leader == 0 || EPOCH(q_) <= EPOCH(t) || term[q_].log[p_] == committed[p_]);
        q_++
    od
}

inline commit(t)
{
    count_majority(t);
    do
    :: p_ == 0 -> break
    :: else ->
        MUST("broken: kept once committed\n",
             committed[p_] == 0 || committed[p_] == term[t].log[p_]);
        if
        :: committed[p_] == 0 || committed_in[p_] > EPOCH(t) -> note_committed(t)
        :: else
        fi;
        p_--
    od;
    n_ = 0
}

// p_: the commit position that the primary of term t may have told.
#define IS_TOLD(t, p)                                                                              \
    (committed[p] != 0 && committed[p] == term[t].log[p] && committed_in[p] <= EPOCH(t))
inline find_told(t)
{
    p_ = 0;
    do
    :: p_ < ENTRIES && IS_TOLD(t, p_ + 1) -> p_++
    :: else -> break
    od
}

// Following.

// n_: what the voter may acknowledge: durable here, and verified by an append of the epoch (15).
inline find_match()
{
    n_ = (BUG == 8 -> SELF.size : SELF.durable);
    n_ = (SELF.verified < n_ && BUG != 32 -> SELF.verified : n_)
}

// What it takes as verified, and as committed, must be so.
inline check_follower()
{
    q_ = 1;
    do
    :: q_ > n_ -> break
    :: else ->
        MUST("broken: prefix\n", SELF.log[q_] == term[SELF.follows].log[q_]);
        q_++
    od;
    find_told(SELF.follows);
    n_ = (p_ < n_ -> p_ : n_);
    n_ = (BUG == 18 -> SELF.durable : n_);
    q_ = 1;
    do
    :: q_ > n_ -> break
    :: else ->
        MUST("broken: known to be committed\n", SELF.log[q_] == committed[q_]);
        q_++
    od
}

// A damaged voter is one again when it has the first entry of a newer epoch, committed (rule 20).
inline repair()
{
    if
    :: SELF.damaged && EPOCH(SELF.follows) > SELF.damaged_in && n_ > 0 &&
       EPOCH(SELF.log[n_]) == EPOCH(SELF.follows) ->
        SELF.damaged = 0;
        SELF.damaged_in = 0
    :: else
    fi
}

// The promise is looked at again when the write is done, and must be durable (rules 7, 12).
#define MAY_ACKNOWLEDGE(t)                                                                         \
    (t != 0 && term[t].leader != 0 && SELF.leads == 0 &&                                           \
     (SELF.promised == EPOCH(t) || BUG == 5 || BUG == 11) &&                                       \
     (SELF.disk_promised == EPOCH(t) || BUG == 5 || BUG == 8 || BUG == 11))

inline acknowledge()
{
    if
    :: MAY_ACKNOWLEDGE(SELF.follows) ->
        find_match();
        check_follower();
        repair();
        find_match();
        t_ = SELF.follows;
        if
        :: !SELF.damaged && voter[term[t_].leader - 1].leads == t_ && n_ > term[t_].match[self] ->
            term[t_].match[self] = n_;
            commit(t_)
        :: else
        fi
    :: else
    fi
}

// Promises.

// A term of which nothing left was none.
inline forget_term(t)
{
    term[t].leader = 0;
    term[t].sent = 0;
    p_ = 1;
    do
    :: p_ > ENTRIES -> break
    :: else -> term[t].log[p_] = 0; p_++
    od
}

inline step_down()
{
    if
    :: SELF.leads != 0 ->
        t_ = SELF.leads;
        SELF.leads = 0;
        q_ = 0;
        do
        :: q_ == VOTERS -> break
        :: else -> term[t_].match[q_] = 0; q_++
        od;
        if
        :: term[t_].sent == 0 -> forget_term(t_)
        :: else
        fi
    :: else
    fi
}

// Entries queued before are in front of the promise (rule 7).
inline promise(epoch, by)
{
    step_down();
    SELF.follows = (BUG == 5 -> SELF.follows : 0);
    SELF.verified = (BUG == 5 -> SELF.verified : 0);
    SELF.promised = epoch;
    SELF.attempt = by;
    SELF.used = 0;
    SELF.barrier = (BUG == 5 -> SELF.durable : SELF.size)
}

inline answer_seal()
{
    attempt[SELF.attempt].answer[self] = END(SELF.barrier)
}

// Messages of an epoch below what all have promised durably do nothing any more.
#define IS_OVER(t)                                                                                 \
    (BUG != 6 && BUG != 10 && BUG != 11 && voter[0].disk_promised > EPOCH(t) &&                    \
     voter[1].disk_promised > EPOCH(t) && voter[2].disk_promised > EPOCH(t))
inline forget_what_is_over()
{
    t_ = 1;
    do
    :: t_ > ATTEMPTS || !IS_OVER(t_) -> break
    :: else ->
        forget_term(t_);
        q_ = 0;
        do
        :: q_ == VOTERS -> break
        :: else -> term[t_].match[q_] = 0; attempt[t_].answer[q_] = 0; q_++
        od;
        attempt[t_].appointee = 0;
        attempt[t_].end = 0;
        t_++
    od;
    t_ = 0
}

// The disk.

inline write_entry(t)
{
    SELF.size++;
    SELF.log[SELF.size] = t
}

inline drop_after(position)
{
    do
    :: SELF.size <= position -> break
    :: else -> SELF.log[SELF.size] = 0; SELF.size--
    od;
    SELF.durable = (SELF.durable < SELF.size -> SELF.durable : SELF.size);
    SELF.barrier = (SELF.barrier < SELF.size -> SELF.barrier : SELF.size)
}

inline vote_is_durable()
{
    SELF.disk_promised = SELF.promised;
    SELF.disk_attempt = SELF.attempt;
    SELF.disk_used = SELF.used;
    if
    :: SELF.attempt != 0 && !SELF.used -> answer_seal()
    :: else
    fi;
    SELF.barrier = 0;
    acknowledge();
    forget_what_is_over()
}

// The first entry of a term may leave, and what is sent after it (rule 5).
inline entry_is_durable()
{
    SELF.durable++;
    if
    :: SELF.leads != 0 ->
        term[SELF.leads].sent = SELF.size;
        commit(SELF.leads)
    :: else -> acknowledge()
    fi
}

// The first of what is queued is durable.
inline disk_step()
{
    if
    :: VOTE_IS_QUEUED && SELF.durable >= SELF.barrier -> vote_is_durable()
    :: else -> entry_is_durable()
    fi
}

inline crash()
{
    step_down();
    drop_after(SELF.durable);
    SELF.promised = SELF.disk_promised;
    SELF.attempt = SELF.disk_attempt;
    SELF.used = SELF.disk_used;
    SELF.barrier = 0;
    SELF.follows = 0;
    SELF.verified = 0
#if BUG == 6
    ;
    drop_after(0);
    SELF.promised = 0;
    SELF.attempt = 0;
    SELF.used = 0;
    SELF.disk_promised = 0;
    SELF.disk_attempt = 0;
    SELF.disk_used = 0
#endif
}

// What is queued finds no space, but for the vote record, which has its own (rule 21).
inline fill()
{
    step_down();
    drop_after(SELF.durable);
    SELF.verified = (SELF.verified < SELF.size -> SELF.verified : SELF.size)
}

// A journal that can't be trusted after `position` is given up from there (rule 20).
inline damage(position)
{
    crash();
    drop_after(position);
    SELF.damaged = (BUG != 31);
    SELF.damaged_in = (BUG != 31 -> SELF.promised : 0)
}

// Steps.

// Removes what is from `position` on, which was committed in no epoch up to the one promised (13).
inline remove_from(position)
{
    q_ = position;
    do
    :: q_ > SELF.size -> break
    :: else ->
        MUST("broken: known, and removed\n",
             committed[q_] != SELF.log[q_] || committed_in[q_] > SELF.promised);
        q_++
    od;
    drop_after(position - 1)
}

// Where logs have entries of one epoch at one position they are the same, also before it.
inline check_logs()
{
    i_ = 0;
    do
    :: i_ == VOTERS -> break
    :: else ->
        n_ = 0;
        q_ = 1;
        do
        :: q_ > SELF.size || q_ > voter[i_].size -> break
        :: else ->
            n_ = (SELF.log[q_] != voter[i_].log[q_] -> 1 : n_);
            MUST("broken: prefix\n",
                 n_ == 0 || EPOCH(SELF.log[q_]) != EPOCH(voter[i_].log[q_]));
            q_++
        od;
        i_++
    od
}

// Entry `position` of term t, which is after one that matches (rule 11).
inline take(t, position)
{
    if
    :: SELF.follows != t -> step_down(); SELF.follows = t; SELF.verified = 0
    :: else
    fi;
    if
    :: position <= SELF.size && EPOCH(SELF.log[position]) != EPOCH(term[t].log[position]) ->
        remove_from(position)
    :: BUG == 12 && position < SELF.size -> remove_from(position + 1)
    :: else
    fi;
    if
    :: position > SELF.size -> write_entry(term[t].log[position]); check_logs()
    :: else
    fi;
    SELF.verified = (position > SELF.verified -> position : SELF.verified);
    acknowledge()
}

// Every primary of an epoch has what was committed in those before, and is the only one.
inline check_term(t)
{
    q_ = 1;
    do
    :: q_ > ATTEMPTS -> break
    :: else ->
        MUST("broken: one primary\n", term[q_].leader == 0 || EPOCH(q_) != EPOCH(t));
        q_++
    od;
    q_ = 1;
    do
    :: q_ > ENTRIES -> break
    :: else ->
        MUST("broken: kept by the next primary\n",
             committed[q_] == 0 || committed_in[q_] >= EPOCH(t) || committed[q_] == SELF.log[q_]);
        q_++
    od
}

// The used mark, then the first entry of the epoch (rule 5).
inline lead(a)
{
    check_term(a);
    SELF.used = 1;
    SELF.barrier = SELF.size;
    write_entry(a);
    q_ = 1;
    do
    :: q_ > SELF.size -> break
    :: else -> term[a].log[q_] = SELF.log[q_]; q_++
    od;
    term[a].leader = self + 1;
    term[a].sent = (BUG == 34 -> SELF.size : 0);
    SELF.leads = a;
    SELF.follows = 0;
    SELF.verified = 0
}

inline write()
{
    write_entry(SELF.leads);
    term[SELF.leads].log[SELF.size] = SELF.leads;
    term[SELF.leads].sent = SELF.size // an entry is sent while it is written
}
