// Batches of changes to a state.
#include "storage/state.h"

#include <criterion/criterion.h>

static struct bytes text(const char *text_)
{
    return bytes_from_text(text_);
}

Test(state_batch, gives_back_its_changes_in_order)
{
    struct state_batch batch;
    state_batch_init(&batch);
    state_batch_put(&batch, text("a"), text("1"));
    state_batch_remove(&batch, text("b"));
    state_batch_put(&batch, text("c"), text(""));
    cr_assert_eq(batch.count, 3);
    size_t offset = 0;
    struct bytes key;
    struct bytes value;
    bool removed;
    cr_assert(state_batch_next(&batch, &offset, &key, &value, &removed));
    cr_assert(bytes_equal(key, text("a")) && bytes_equal(value, text("1")) && !removed);
    cr_assert(state_batch_next(&batch, &offset, &key, &value, &removed));
    cr_assert(bytes_equal(key, text("b")) && value.size == 0 && removed);
    cr_assert(state_batch_next(&batch, &offset, &key, &value, &removed));
    cr_assert(bytes_equal(key, text("c")) && value.size == 0 && !removed);
    cr_assert_not(state_batch_next(&batch, &offset, &key, &value, &removed));
    state_batch_clear(&batch);
    offset = 0;
    cr_assert_eq(batch.count, 0);
    cr_assert_not(state_batch_next(&batch, &offset, &key, &value, &removed));
    state_batch_release(&batch);
}
