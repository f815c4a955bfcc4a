/*
 * Each account has two lists of the amounts that transfers moved in or out: by the time at which
 * they began, and by the time at which they were over. Sums over the beginnings of both lists,
 * incoming and outgoing apart, make each balance of a read a matter of four searches:
 *
 *   certain   = opened + all that was over before the read began
 *   possible  = all that began before the read was over, without what is certain
 *   certain - outgoing of possible <= balance <= certain + incoming of possible
 *
 * A transfer of unknown outcome is never over, one that failed is no transfer.
 */
#include "tests/check/bank.h"

#include "tests/check/array.h"

#define NO_ACCOUNT UINT32_MAX

// What moved into or out of an account at one time; sums are over the list up to here.
struct movement {
    uint64_t at_ns;
    int64_t amount;
    int64_t incoming; // sum of the positive amounts
    int64_t outgoing; // sum of the negative ones, negative
};

// Movements in order of time.
struct movements {
    struct movement *items; // owned
    size_t count;
    size_t capacity;
};

struct account {
    struct bytes name; // borrowed from the history
    int64_t opened;
    struct movements begun;
    struct movements over;
};

struct bank {
    const struct history *history;
    struct report *report;
    struct account *accounts; // owned
    uint32_t count;
    uint32_t open_line; // of the record that opened them; 0 for none
    int64_t total;
};

static void bank_release(struct bank *bank)
{
    for (uint32_t i = 0; i < bank->count; i++) {
        free(bank->accounts[i].begun.items);
        free(bank->accounts[i].over.items);
    }
    free(bank->accounts);
}

static uint32_t find_account(const struct bank *bank, struct bytes name)
{
    for (uint32_t i = 0; i < bank->count; i++) {
        if (bytes_equal(bank->accounts[i].name, name)) {
            return i;
        }
    }
    return NO_ACCOUNT;
}

static enum status take_amount(struct cursor *cursor, int64_t *ret_amount)
{
    struct value value;
    TRY(cursor_value(cursor, &value));
    bool is_natural = value.kind == VALUE_UNSIGNED && value.natural <= INT64_MAX;
    if (!is_natural && value.kind != VALUE_NEGATIVE) {
        return STATUS_bad_request;
    }
    *ret_amount = is_natural ? (int64_t)value.natural : value.integer;
    return STATUS_ok;
}

static enum status open_accounts(struct bank *bank, const struct record *record,
                                 struct record_step *step)
{
    uint32_t count;
    TRY(cursor_map(&step->arguments, &count));
    if (bank->open_line != 0 || count == 0) {
        return STATUS_bad_request;
    }
    bank->open_line = record->line;
    bank->accounts = array_new(count, sizeof *bank->accounts);
    for (uint32_t i = 0; i < count; i++) {
        struct account *account = &bank->accounts[i];
        TRY(cursor_text(&step->arguments, &account->name));
        TRY(take_amount(&step->arguments, &account->opened));
        if (find_account(bank, account->name) != NO_ACCOUNT) {
            return STATUS_bad_request;
        }
        bank->total += account->opened;
        bank->count = i + 1;
    }
    return STATUS_ok;
}

static void add_movement(struct movements *movements, uint64_t at_ns, int64_t amount)
{
    movements->items = array_grow(movements->items, movements->count, &movements->capacity,
                                  sizeof *movements->items);
    movements->items[movements->count++] = (struct movement){.at_ns = at_ns, .amount = amount};
}

static void move(struct bank *bank, const struct record *record, uint32_t number, int64_t amount)
{
    struct account *account = &bank->accounts[number];
    if (record->outcome == OUTCOME_fail) {
        return;
    }
    add_movement(&account->begun, record->invoke_ns, amount);
    if (record->outcome == OUTCOME_ok) {
        add_movement(&account->over, record->complete_ns, amount);
    }
}

static enum status take_transfer(struct bank *bank, const struct record *record,
                                 struct record_step *step)
{
    struct bytes from;
    struct bytes to;
    int64_t amount;
    TRY(cursor_text(&step->arguments, &from));
    TRY(cursor_text(&step->arguments, &to));
    TRY(take_amount(&step->arguments, &amount));
    uint32_t source = find_account(bank, from);
    uint32_t target = find_account(bank, to);
    if (source == NO_ACCOUNT || target == NO_ACCOUNT) {
        return STATUS_bad_request;
    }
    move(bank, record, source, -amount);
    move(bank, record, target, amount);
    return STATUS_ok;
}

static enum status take_record(struct bank *bank, const struct record *record)
{
    struct record_steps steps;
    struct record_step step;
    record_steps_open(bank->history, record, &steps);
    if (steps.count != 1 || !record_steps_next(&steps, &step)) {
        return STATUS_bad_request;
    }
    if (record_step_is(&step, "open", 1)) {
        return open_accounts(bank, record, &step);
    }
    if (record_step_is(&step, "transfer", 3)) {
        return take_transfer(bank, record, &step);
    }
    return record_step_is(&step, "read", 0) ? STATUS_ok : STATUS_bad_request;
}

static enum status take_records(struct bank *bank, struct history_fault *ret_fault)
{
    for (size_t i = 0; i < bank->history->count; i++) {
        const struct record *record = &bank->history->records[i];
        if (record->kind != RECORD_bank) {
            continue;
        }
        if (take_record(bank, record) != STATUS_ok || bank->open_line == 0) {
            return history_fault_set(ret_fault, record->line,
                                     "is no operation of a bank on accounts that were opened "
                                     "before, once");
        }
    }
    return STATUS_ok;
}

static int compare_movements(const void *a, const void *b)
{
    uint64_t left = ((const struct movement *)a)->at_ns;
    uint64_t right = ((const struct movement *)b)->at_ns;
    return left < right ? -1 : left > right;
}

static void add_up(struct movements *movements)
{
    int64_t incoming = 0;
    int64_t outgoing = 0;
    if (movements->count > 0) {
        qsort(movements->items, movements->count, sizeof *movements->items, compare_movements);
    }
    for (size_t i = 0; i < movements->count; i++) {
        struct movement *movement = &movements->items[i];
        incoming += movement->amount > 0 ? movement->amount : 0;
        outgoing += movement->amount < 0 ? movement->amount : 0;
        movement->incoming = incoming;
        movement->outgoing = outgoing;
    }
}

// The sums of all that moved before `before_ns`.
static struct movement sums_before(const struct movements *movements, uint64_t before_ns)
{
    size_t low = 0;
    size_t high = movements->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (movements->items[middle].at_ns < before_ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? (struct movement){0} : movements->items[low - 1];
}

static void check_balance(struct bank *bank, const struct record *record,
                          const struct account *account, int64_t balance)
{
    struct movement over = sums_before(&account->over, record->invoke_ns);
    // What began as the read ended overlaps it.
    struct movement begun = sums_before(&account->begun, record->complete_ns + 1);
    int64_t certain = account->opened + over.incoming + over.outgoing;
    int64_t least = certain + begun.outgoing - over.outgoing;
    int64_t most = certain + begun.incoming - over.incoming;
    if (balance < 0) {
        report_violation(bank->report, "bank-negative", "line %u reads %lld in \"%.*s\"",
                         record->line, (long long)balance, (int)account->name.size,
                         (const char *)account->name.data);
    }
    if (balance < least || balance > most) {
        report_violation(bank->report, "bank-balance",
                         "line %u reads %lld in \"%.*s\", the transfers can't have made it less "
                         "than %lld or more than %lld",
                         record->line, (long long)balance, (int)account->name.size,
                         (const char *)account->name.data, (long long)least, (long long)most);
    }
}

static enum status check_balances(struct bank *bank, const struct record *record,
                                  struct cursor *result)
{
    uint32_t count;
    int64_t total = 0;
    uint32_t known = 0;
    TRY(cursor_map(result, &count));
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name;
        int64_t balance;
        TRY(cursor_text(result, &name));
        TRY(take_amount(result, &balance));
        uint32_t account = find_account(bank, name);
        total += balance;
        if (account != NO_ACCOUNT) {
            known++;
            check_balance(bank, record, &bank->accounts[account], balance);
        }
    }
    if (known != count || known != bank->count) {
        report_violation(bank->report, "bank-accounts",
                         "line %u reads %u accounts, of which %u were opened; that were %u",
                         record->line, count, known, bank->count);
    }
    if (total != bank->total) {
        report_violation(bank->report, "bank-total",
                         "line %u reads balances with the sum %lld, accounts were opened with %lld",
                         record->line, (long long)total, (long long)bank->total);
    }
    return STATUS_ok;
}

static enum status check_reads(struct bank *bank, struct history_fault *ret_fault)
{
    for (size_t i = 0; i < bank->history->count; i++) {
        const struct record *record = &bank->history->records[i];
        struct record_steps steps;
        struct record_step step;
        if (record->kind != RECORD_bank || record->outcome != OUTCOME_ok) {
            continue;
        }
        record_steps_open(bank->history, record, &steps);
        bool is_read = record_steps_next(&steps, &step) && record_step_is(&step, "read", 0);
        if (is_read && check_balances(bank, record, &step.result) != STATUS_ok) {
            return history_fault_set(ret_fault, record->line,
                                     "has no map of accounts and balances as its result");
        }
    }
    return STATUS_ok;
}

enum status bank_check(const struct history *history, struct report *report,
                       struct history_fault *ret_fault)
{
    AUTO(bank_release) struct bank bank = {.history = history, .report = report};
    TRY(take_records(&bank, ret_fault));
    for (uint32_t i = 0; i < bank.count; i++) {
        add_up(&bank.accounts[i].begun);
        add_up(&bank.accounts[i].over);
    }
    return check_reads(&bank, ret_fault);
}
