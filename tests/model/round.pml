/*
 * What a read point and a transaction that writes nothing have in common: one of them is looked at,
 * with a round of confirmations begun after it came.
 */

byte needed;            // entries committed when it came
byte asked;             // term of the primary that was asked
byte confirmed[VOTERS]; // promise that a voter answered with, + 1

// p_: entries committed.
inline count_committed()
{
    p_ = 0;
    do
    :: p_ < ENTRIES && committed[p_ + 1] != 0 -> p_++
    :: else -> break
    od
}

#define MAY_ASK(i) (voter[i].leads != 0 && term[voter[i].leads].sent > 0)

// A voter confirms with the epoch it has promised or is promising; a damaged one doesn't (rule 25).
#define MAY_CONFIRM(i) (confirmed[i] == 0 && !voter[i].damaged)
#define EACH_CONFIRMATION                                                                          \
    :: MAY_CONFIRM(0) -> chosen = 0                                                                \
    :: MAY_CONFIRM(1) -> chosen = 1                                                                \
    :: MAY_CONFIRM(2) -> chosen = 2
#define CONFIRMS(i)                                                                                \
    (confirmed[i] != 0 && (confirmed[i] - 1 <= EPOCH(asked) || BUG == 30) -> 1 : 0)
#define IS_CONFIRMED (CONFIRMS(0) + CONFIRMS(1) + CONFIRMS(2) >= MAJORITY)

inline confirm(i)
{
    printf("%c confirms the epoch %d\n", NAME(i), voter[i].promised);
    confirmed[i] = voter[i].promised + 1
}
