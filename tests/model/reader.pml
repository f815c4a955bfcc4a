/*
 * A linearizable read: one request, sent after the read came, to the primary for a commit position
 * and to all voters for their promise. Who fails to answer is asked anew by another read.
 */

byte point; // that the primary named

// A primary names a commit position once an entry of its epoch is committed (rule 26).
inline name_point(i)
{
    count_majority(voter[i].leads);
    if
    :: p_ > 0 || BUG == 19 ->
        printf("%c names %d as the read point\n", NAME(i), p_);
        point = p_;
        asked = voter[i].leads;
        confirmed[i] = voter[i].promised + 1
    :: else
    fi
}

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
        :: asked == 0 && MAY_ASK(0) -> chosen = 0
        :: asked == 0 && MAY_ASK(1) -> chosen = 1
        :: asked == 0 && MAY_ASK(2) -> chosen = 2
        fi;
        d_step {
            name_point(chosen);
            chosen = 0
        } }
    :: atomic {
        if EACH_CONFIRMATION fi;
        d_step {
            confirm(chosen);
            chosen = 0
        } }
    :: d_step {
        asked != 0 && IS_CONFIRMED ->
        count_committed();
        needed = (BUG == 20 -> p_ : needed); // the read came only now
        MUST("broken: read\n", point >= needed);
        needed = 0 };
        break
    od
}
