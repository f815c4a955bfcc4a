/*
 * A history tells the versions of a document from the newest one back, and stops where older ones
 * were dropped: those whose successor is as old as the collection keeps history, and deletions that
 * are as old themselves. Nothing may be missing that is younger.
 */
#include "tests/sim/history_past.h"

static const uint64_t KEPT_US = FADING_HISTORY_S * UINT64_C(1000000);

static void check_get(struct history *history, const struct question *question,
                      const struct step *step, uint64_t version, struct cursor *results)
{
    struct seen seen = {0};
    struct seen there = question->at_time_us != 0
                            ? model_see_until(history->model, step, version, question->at_time_us)
                            : model_see(history->model, step->collection, step->document, version);
    if (!answer_take_get(results, &seen) || !seen_equal(&there, &seen)) {
        world_violate(history->world,
                      "c%u/d%u at version %llu, time %llu in the past was seen at %llu, the log "
                      "had it at %llu",
                      step->collection, step->document, (unsigned long long)version,
                      (unsigned long long)question->at_time_us, (unsigned long long)seen.version,
                      (unsigned long long)there.version);
    }
}

void history_check_past(struct history *history, const struct question *question,
                        const struct answer *answer)
{
    struct cursor results = cursor_of(answer->results);
    uint32_t count;
    if (cursor_array(&results, &count) != STATUS_ok || count != question->step_count) {
        world_violate(history->world, "an answer has not one result for each operation");
        return;
    }
    for (unsigned i = 0; i < question->step_count; i++) {
        check_get(history, question, &question->steps[i], answer->version, &results);
    }
}

static uint64_t last_time(const struct history *history)
{
    return ledger_committed(history->ledger, history->ledger->committed_count)->time_us;
}

// Whether items[number], which was not told, may have been dropped.
static bool may_be_dropped(const struct history *history, const struct model_document *items,
                           size_t count, size_t number)
{
    bool is_replaced = items[number].is_present && number + 1 < count;
    uint64_t since_us = items[is_replaced ? number + 1 : number].time_us;
    bool is_gone = is_replaced || !items[number].is_present;
    return is_gone && since_us + KEPT_US <= last_time(history);
}

// What is wrong with the versions told; NULL for nothing.
static const char *find_fault(const struct history *history, const struct seen_history *told,
                              const struct model_document *items, size_t count)
{
    for (unsigned i = 0; i < told->count; i++) {
        const struct seen *seen = &told->versions[i];
        const struct model_document *item = count > i ? &items[count - 1 - i] : NULL;
        bool is_right = item != NULL && seen->version == item->version &&
                        seen->is_present == item->is_present &&
                        (!item->is_present ||
                         (seen->number == item->number && seen->token == item->token));
        if (!is_right) {
            return "tells a version that there wasn't";
        }
    }
    if (told->has_more || told->count == count) {
        return NULL;
    }
    return may_be_dropped(history, items, count, count - 1 - told->count)
               ? NULL
               : "leaves out a version that is young";
}

void history_check_versions(struct history *history, const struct step *step, uint64_t version,
                            struct cursor *results)
{
    struct seen_history told;
    const struct model_document *items;
    size_t count = model_versions(history->model, step, version, &items);
    const char *fault = "can't be read";
    if (answer_take_history(results, &told)) {
        fault = find_fault(history, &told, items, count);
    }
    if (fault != NULL) {
        world_violate(history->world, "the history of c%u/d%u at version %llu %s", step->collection,
                      step->document, (unsigned long long)version, fault);
    }
}
