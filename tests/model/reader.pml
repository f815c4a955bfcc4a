/*
 * A linearizable read: one request, sent after the read came, to the primary for a commit position
 * and to all voters for their promise. Who fails to answer is asked anew by another read.
 */

byte needed;             // committed when the read came
byte point;              // that the primary named
byte point_term;         // of that primary
byte confirmed[VOTERS];  // promise that a voter answered with, + 1

// p_: entries committed.
inline count_committed()
{
    p_ = 0;
    do
    :: p_ < ENTRIES && committed[p_ + 1] != 0 -> p_++
    :: else -> break
    od
}

// A primary names a commit position once an entry of its epoch is committed (rule 26).
inline name_point(i)
{
    count_majority(voter[i].leads);
    if
    :: p_ > 0 || BUG == 19 ->
        printf("%c names %d as the read point\n", NAME(i), p_);
        point = p_;
        point_term = voter[i].leads;
        confirmed[i] = voter[i].promised + 1
    :: else
    fi
}

#define MAY_NAME(i) (voter[i].leads != 0 && term[voter[i].leads].sent > 0)
#define CONFIRMS(i)                                                                                \
    (confirmed[i] != 0 && (confirmed[i] - 1 <= EPOCH(point_term) || BUG == 30) -> 1 : 0)

proctype reader()
{
    byte chosen;
    d_step {
        count_committed();
        needed = p_;
        printf("a read comes, %d entries are committed\n", needed)
    }
end:
    do
    :: atomic {
        if
        :: point_term == 0 && MAY_NAME(0) -> chosen = 0
        :: point_term == 0 && MAY_NAME(1) -> chosen = 1
        :: point_term == 0 && MAY_NAME(2) -> chosen = 2
        fi;
        d_step {
            name_point(chosen);
            chosen = 0
        } }
    :: atomic {
        if
        :: confirmed[0] == 0 && !voter[0].damaged -> chosen = 0
        :: confirmed[1] == 0 && !voter[1].damaged -> chosen = 1
        :: confirmed[2] == 0 && !voter[2].damaged -> chosen = 2
        fi;
        d_step {
            printf("%c confirms the epoch %d\n", NAME(chosen), voter[chosen].promised);
            confirmed[chosen] = voter[chosen].promised + 1;
            chosen = 0
        } }
    :: d_step {
        point_term != 0 && CONFIRMS(0) + CONFIRMS(1) + CONFIRMS(2) >= MAJORITY ->
        count_committed();
        needed = (BUG == 20 -> p_ : needed); // the read came only now
        MUST("broken: read\n", point >= needed);
        needed = 0 };
        break
    od
}
