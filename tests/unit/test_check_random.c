/*
 * The checkers against the definition. Small random histories, some of them good and some not, are
 * checked, and all orders of their transactions are tried out as well: both must come to the same
 * verdict.
 */
#include "base/random.h"
#include "tests/check/linearize.h"
#include "tests/unit/fixture_history.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum {
    TRANSACTIONS_MAX = 5,
    STEPS_MAX = 3,
    KEYS = 2,
    LIST_MAX = TRANSACTIONS_MAX * STEPS_MAX,
    TEXT_SIZE_MAX = 512,
    ROUNDS = 4000,
    TIME_MAX = 12,
};

// A list as the definition has it.
struct list {
    int numbers[LIST_MAX];
    size_t count;
};

struct action {
    bool is_append;
    unsigned key;
    int number;         // append
    struct list result; // read
};

struct transaction_drawn {
    enum outcome outcome;
    unsigned invoke;
    unsigned complete;
    struct action actions[STEPS_MAX];
    size_t count;
};

struct drawn {
    struct transaction_drawn transactions[TRANSACTIONS_MAX];
    size_t count;
};

// An order that is being tried out.
struct trial {
    const struct drawn *drawn;
    bool is_done[TRANSACTIONS_MAX]; // ordered, or left out
    struct list lists[KEYS];
};

static bool lists_equal(const struct list *a, const struct list *b)
{
    return a->count == b->count &&
           memcmp(a->numbers, b->numbers, a->count * sizeof a->numbers[0]) == 0;
}

// Does a transaction on the lists; false if its reads are others.
static bool perform(const struct transaction_drawn *transaction, struct list lists[KEYS])
{
    for (size_t i = 0; i < transaction->count; i++) {
        const struct action *action = &transaction->actions[i];
        struct list *list = &lists[action->key];
        if (action->is_append) {
            list->numbers[list->count++] = action->number;
        } else if (transaction->outcome == OUTCOME_ok && !lists_equal(list, &action->result)) {
            return false;
        }
    }
    return true;
}

// Whether some transaction that isn't done was over before this one began.
static bool must_wait(const struct trial *trial, size_t number)
{
    for (size_t i = 0; i < trial->drawn->count; i++) {
        const struct transaction_drawn *other = &trial->drawn->transactions[i];
        if (!trial->is_done[i] && other->outcome == OUTCOME_ok &&
            other->complete < trial->drawn->transactions[number].invoke) {
            return true;
        }
    }
    return false;
}

static bool is_complete(const struct trial *trial)
{
    for (size_t i = 0; i < trial->drawn->count; i++) {
        if (!trial->is_done[i] && trial->drawn->transactions[i].outcome == OUTCOME_ok) {
            return false;
        }
    }
    return true;
}

// Whether there is an order, from here on.
static bool has_order(const struct trial *trial)
{
    if (is_complete(trial)) {
        return true;
    }
    for (size_t i = 0; i < trial->drawn->count; i++) {
        struct trial next = *trial;
        bool may_come = !trial->is_done[i] &&
                        trial->drawn->transactions[i].outcome != OUTCOME_fail &&
                        !must_wait(trial, i);
        next.is_done[i] = true;
        if (may_come && perform(&trial->drawn->transactions[i], next.lists) && has_order(&next)) {
            return true;
        }
    }
    return false;
}

// What a read may have seen: mostly what is there, sometimes less, sometimes in another order.
static struct list draw_list(struct random *random, const struct list *actual)
{
    struct list list = *actual;
    if (list.count > 0 && random_chance(random, 150000)) {
        list.count = random_below(random, list.count + 1);
    }
    if (list.count > 1 && random_chance(random, 30000)) {
        size_t place = random_below(random, list.count - 1);
        int number = list.numbers[place];
        list.numbers[place] = list.numbers[place + 1];
        list.numbers[place + 1] = number;
    }
    return list;
}

static void draw_transaction(struct random *random, struct list lists[KEYS], int *next_number,
                             struct transaction_drawn *ret_transaction)
{
    struct transaction_drawn transaction = {.count = random_between(random, 1, STEPS_MAX)};
    uint64_t outcome = random_below(random, 10);
    transaction.outcome = outcome == 0 ? OUTCOME_fail : outcome <= 2 ? OUTCOME_unknown : OUTCOME_ok;
    transaction.invoke = (unsigned)random_below(random, TIME_MAX);
    transaction.complete = transaction.invoke + (unsigned)random_below(random, TIME_MAX);
    struct list undone[KEYS];
    memcpy(undone, lists, sizeof undone);
    for (size_t i = 0; i < transaction.count; i++) {
        struct action *action = &transaction.actions[i];
        action->is_append = random_chance(random, 500000);
        action->key = (unsigned)random_below(random, KEYS);
        struct list *list = &lists[action->key];
        action->number = (*next_number)++;
        action->result = draw_list(random, list);
        if (action->is_append) {
            list->numbers[list->count++] = action->number;
        }
    }
    bool stays = transaction.outcome == OUTCOME_ok ? !random_chance(random, 30000)
                                                   : random_chance(random, 100000);
    if (!stays) {
        memcpy(lists, undone, sizeof undone);
    }
    *ret_transaction = transaction;
}

static void draw(struct random *random, struct drawn *ret_drawn)
{
    struct list lists[KEYS] = {0};
    int next_number = 1;
    *ret_drawn = (struct drawn){.count = random_between(random, 2, TRANSACTIONS_MAX)};
    for (size_t i = 0; i < ret_drawn->count; i++) {
        draw_transaction(random, lists, &next_number, &ret_drawn->transactions[i]);
    }
}

static size_t print_list(const struct list *list, char *out, size_t room)
{
    size_t size = (size_t)snprintf(out, room, "[");
    for (size_t i = 0; i < list->count; i++) {
        size += (size_t)snprintf(out + size, room - size, i == 0 ? "%d" : ",%d", list->numbers[i]);
    }
    return size + (size_t)snprintf(out + size, room - size, "]");
}

// Tells a transaction as a line of a history.
static void tell(struct told_history *told, const struct transaction_drawn *transaction)
{
    char operations[TEXT_SIZE_MAX] = "[";
    char results[TEXT_SIZE_MAX] = "[";
    char times[TEXT_SIZE_MAX];
    size_t asked = 1;
    size_t answered = 1;
    for (size_t i = 0; i < transaction->count; i++) {
        const struct action *action = &transaction->actions[i];
        const char *comma = i == 0 ? "" : ",";
        asked += (size_t)snprintf(operations + asked, TEXT_SIZE_MAX - asked,
                                  action->is_append ? "%s['append','k%u',%d]" : "%s['read','k%u']",
                                  comma, action->key, action->number);
        answered += (size_t)snprintf(results + answered, TEXT_SIZE_MAX - answered, "%s%s", comma,
                                     action->is_append ? "null" : "");
        if (!action->is_append) {
            answered += print_list(&action->result, results + answered, TEXT_SIZE_MAX - answered);
        }
    }
    snprintf(operations + asked, TEXT_SIZE_MAX - asked, "]");
    snprintf(results + answered, TEXT_SIZE_MAX - answered, "]");
    snprintf(times, sizeof times, "%u-%u", transaction->invoke, transaction->complete);
    if (transaction->outcome == OUTCOME_ok) {
        told_ok(told, "list", times, operations, results);
    } else {
        told_not_ok(told, "list", transaction->outcome == OUTCOME_fail ? "fail" : "unknown", times,
                    operations);
    }
}

// Checks a drawn history both ways; returns whether it is good.
static bool check_both_ways(const struct drawn *drawn)
{
    struct told_history told;
    struct trial trial = {.drawn = drawn};
    told_history_init(&told);
    for (size_t i = 0; i < drawn->count; i++) {
        tell(&told, &drawn->transactions[i]);
    }
    cr_assert_eq(told_check(&told), STATUS_ok, "%s", told.fault.sentence);
    bool is_good = told.report.told == 0;
    cr_assert_eq(is_good, has_order(&trial), "found %s in\n%.*s",
                 is_good ? "nothing" : told.report.findings[0].name, (int)told.text.size,
                 (const char *)told.text.data);
    told_history_release(&told);
    return is_good;
}

Test(check_random, lists_are_judged_as_by_trying_all_orders)
{
    struct random random;
    struct drawn drawn;
    unsigned good = 0;
    random_init(&random, 1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        draw(&random, &drawn);
        good += check_both_ways(&drawn);
    }
    cr_assert_gt(good, ROUNDS / 10);
    cr_assert_lt(good, ROUNDS - ROUNDS / 10);
}

enum { REGISTER_OPERATIONS_MAX = 6, REGISTER_VALUES = 3 };

static void draw_operations(struct random *random, struct register_operation *operations,
                            size_t count)
{
    uint32_t value = REGISTER_NONE;
    for (size_t i = 0; i < count; i++) {
        struct register_operation *operation = &operations[i];
        *operation = (struct register_operation){
            .kind = (enum register_kind)random_below(random, 4),
            .is_unknown = random_chance(random, 150000),
            .value = 1 + (uint32_t)random_below(random, REGISTER_VALUES - 1),
            .expected = random_chance(random, 800000)
                            ? value
                            : (uint32_t)random_below(random, REGISTER_VALUES),
            .invoke_ns = random_below(random, TIME_MAX)};
        operation->complete_ns = operation->is_unknown
                                     ? UINT64_MAX
                                     : operation->invoke_ns + random_below(random, TIME_MAX);
        bool writes = operation->kind == REGISTER_write || operation->kind == REGISTER_swap;
        value = writes && !operation->is_unknown ? operation->value : value;
    }
}

// Whether the operation agrees with the value, and what it makes of it.
static bool step(const struct register_operation *operation, uint32_t *value)
{
    bool holds = operation->kind == REGISTER_write ||
                 (*value == operation->expected) == (operation->kind != REGISTER_no_swap);
    if (operation->kind == REGISTER_write || operation->kind == REGISTER_swap) {
        *value = operation->value;
    }
    return holds;
}

// The same by trying all orders; `done` has a bit for each operation.
static bool is_linearizable(const struct register_operation *operations, size_t count,
                            unsigned done, uint32_t value)
{
    uint64_t first_return = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        bool counts = (done & 1U << i) == 0 && operations[i].complete_ns < first_return;
        first_return = counts ? operations[i].complete_ns : first_return;
    }
    if (first_return == UINT64_MAX) {
        return true; // only unknown ones are left
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t next = value;
        if ((done & 1U << i) == 0 && operations[i].invoke_ns <= first_return &&
            step(&operations[i], &next) &&
            is_linearizable(operations, count, done | 1U << i, next)) {
            return true;
        }
    }
    return false;
}

Test(check_random, registers_are_judged_as_by_trying_all_orders)
{
    struct random random;
    struct linearize_dead_end dead_end;
    unsigned good = 0;
    random_init(&random, 2);
    for (unsigned round = 0; round < 10 * ROUNDS; round++) {
        struct register_operation operations[REGISTER_OPERATIONS_MAX];
        size_t count = random_between(&random, 1, REGISTER_OPERATIONS_MAX);
        draw_operations(&random, operations, count);
        bool is_good = linearize(operations, count, 1000000, &dead_end) == LINEARIZE_good;
        cr_assert_eq(is_good, is_linearizable(operations, count, 0, REGISTER_NONE), "round %u",
                     round);
        good += is_good;
    }
    cr_assert_gt(good, ROUNDS);
    cr_assert_lt(good, 9 * ROUNDS);
}
