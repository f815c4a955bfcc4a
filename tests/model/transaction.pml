/*
 * A transaction that writes nothing, at the primary: it is executed on all that the primary has,
 * committed or not (rule 17), and answered when a later entry is committed, or when all that it saw
 * is and a round begun after it is confirmed (rule 24).
 */

byte seen;    // entries that it was executed on
byte primary; // that executed it

// Before its first entry is committed a primary doesn't know what it has (BUG 17).
inline execute(i)
{
    asked = voter[i].leads;
    primary = i;
    count_majority(asked);
    seen = (p_ == 0 -> 0 : voter[i].size);
    count_committed();
    needed = p_;
    confirmed[i] = voter[i].promised + 1;
    printf("%c executes a transaction on %d entries\n", NAME(i), seen)
}

// It must have seen all that was committed when it came, and nothing that isn't.
inline check_answer()
{
    MUST("broken: read\n", seen >= needed);
    q_ = 1;
    do
    :: q_ > seen -> break
    :: else ->
        MUST("broken: dirty read\n", committed[q_] == term[asked].log[q_]);
        q_++
    od;
    n_ = 0
}

// p_: what the primary that was asked knows to be committed; 0 when it leads no more.
inline find_known()
{
    p_ = 0;
    if
    :: voter[primary].leads == asked -> count_majority(asked)
    :: else
    fi
}

proctype transaction()
{
    byte chosen;
end:
    atomic {
        if
        :: MAY_ASK(0) -> chosen = 0
        :: MAY_ASK(1) -> chosen = 1
        :: MAY_ASK(2) -> chosen = 2
        fi;
        count_majority(voter[chosen].leads);
        if
        :: p_ > 0 || BUG == 17 -> execute(chosen)
        :: else -> goto end
        fi;
        chosen = 0
    }
end_asked:
    do
    :: atomic {
        if EACH_CONFIRMATION fi;
        d_step {
            confirm(chosen);
            chosen = 0
        } }
    :: d_step {
        voter[primary].leads == asked ->
        find_known();
        if
        :: p_ > seen || (p_ == seen && seen > 0 && IS_CONFIRMED) || BUG == 16 -> check_answer()
        :: else
        fi }
    od
}
