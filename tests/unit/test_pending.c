/*
 * The table of requests under way: ids, order and wake times, also against a plain model.
 */
#include "cluster/pending.h"

#include "base/random.h"

#include <criterion/criterion.h>

static uint32_t take(struct pending *pending)
{
    uint32_t slot = PENDING_NONE;
    cr_assert(pending_take(pending, &slot));
    return slot;
}

Test(pending, finds_a_request_by_its_id_until_it_is_freed)
{
    struct pending pending;
    pending_init(&pending, 10, 8, 3);
    uint32_t slot = take(&pending);
    uint64_t id = pending_id(&pending, slot);
    uint32_t found;
    cr_assert(pending_find(&pending, id, &found));
    cr_assert_eq(found, slot);
    pending_free(&pending, slot);
    cr_assert_not(pending_find(&pending, id, &found));
    pending_release(&pending);
}

Test(pending, never_uses_an_id_twice)
{
    struct pending pending;
    pending_init(&pending, 4, 8, 3);
    uint64_t last = 0;
    for (int i = 0; i < 1000; i++) {
        uint32_t slot = take(&pending);
        cr_assert_gt(pending_id(&pending, slot) >> 16, last);
        last = pending_id(&pending, slot) >> 16;
        pending_free(&pending, slot);
    }
    pending_release(&pending);
}

Test(pending, finds_nothing_for_ids_that_it_never_gave)
{
    struct pending pending;
    pending_init(&pending, 4, 8, 3);
    uint32_t slot;
    cr_assert_not(pending_find(&pending, 0, &slot));
    cr_assert_not(pending_find(&pending, UINT64_MAX, &slot));
    take(&pending);
    cr_assert_not(pending_find(&pending, 0, &slot));
    cr_assert_not(pending_find(&pending, 65535, &slot));
    pending_release(&pending);
}

Test(pending, takes_as_many_as_it_may)
{
    struct pending pending;
    uint32_t slot;
    pending_init(&pending, PENDING_COUNT_MAX, 8, 3);
    for (int i = 0; i < PENDING_COUNT_MAX; i++) {
        take(&pending);
    }
    cr_assert_not(pending_take(&pending, &slot));
    pending_free(&pending, 7);
    cr_assert(pending_take(&pending, &slot));
    pending_release(&pending);
}

Test(pending, keeps_rooms_in_their_place_and_as_they_were)
{
    struct pending pending;
    pending_init(&pending, 1000, sizeof(uint64_t), 3);
    uint32_t first = take(&pending);
    uint64_t *room = pending_room(&pending, first);
    cr_assert_eq(*room, 0);
    *room = 42;
    for (int i = 0; i < 900; i++) {
        take(&pending);
    }
    cr_assert_eq(pending_room(&pending, first), room);
    pending_free(&pending, first);
    cr_assert_eq(take(&pending), first);
    cr_assert_eq(*(uint64_t *)pending_room(&pending, first), 42);
    pending_release(&pending);
}

enum { MODEL_SLOTS = 400 };

// What the table should hold: slots in order and when each wakes.
struct model {
    uint32_t slots[MODEL_SLOTS];
    uint64_t wakes[MODEL_SLOTS];
    size_t count;
};

static void check_order(const struct pending *pending, const struct model *model)
{
    uint32_t slot = pending->first;
    for (size_t i = 0; i < model->count; i++) {
        cr_assert_eq(slot, model->slots[i]);
        slot = pending_after(pending, slot);
    }
    cr_assert_eq(slot, PENDING_NONE);
}

static uint64_t first_wake(const struct model *model)
{
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < model->count; i++) {
        first = model->wakes[i] < first ? model->wakes[i] : first;
    }
    return first;
}

static void change(struct pending *pending, struct model *model, struct random *random)
{
    uint64_t choice = random_below(random, 3);
    if (choice == 0 && model->count < MODEL_SLOTS) {
        model->slots[model->count] = take(pending);
        model->wakes[model->count++] = UINT64_MAX;
    } else if (model->count > 0) {
        size_t at = random_below(random, model->count);
        if (choice == 1) {
            model->wakes[at] = random_below(random, 1000);
            pending_wake_at(pending, model->slots[at], model->wakes[at]);
        } else {
            pending_free(pending, model->slots[at]);
            model->count--;
            memmove(&model->slots[at], &model->slots[at + 1],
                    (model->count - at) * sizeof model->slots[0]);
            memmove(&model->wakes[at], &model->wakes[at + 1],
                    (model->count - at) * sizeof model->wakes[0]);
        }
    }
}

Test(pending, agrees_with_a_plain_model)
{
    struct pending pending;
    struct random random;
    struct model model = {0};
    random_init(&random, 11);
    pending_init(&pending, MODEL_SLOTS, 8, 3);
    for (int i = 0; i < 20000; i++) {
        change(&pending, &model, &random);
        cr_assert_eq(pending_next_wake(&pending), first_wake(&model));
    }
    check_order(&pending, &model);
    pending_release(&pending);
}

Test(pending, hands_out_due_slots_once_and_the_earliest_first)
{
    struct pending pending;
    pending_init(&pending, 10, 8, 3);
    uint32_t late = take(&pending);
    uint32_t early = take(&pending);
    pending_wake_at(&pending, late, 20);
    pending_wake_at(&pending, early, 10);
    uint32_t slot;
    cr_assert_not(pending_due(&pending, 9, &slot));
    cr_assert(pending_due(&pending, 30, &slot));
    cr_assert_eq(slot, early);
    cr_assert(pending_due(&pending, 30, &slot));
    cr_assert_eq(slot, late);
    cr_assert_not(pending_due(&pending, 30, &slot));
    pending_release(&pending);
}
