/*
 * Letters are copied out of the outbox and decoded once, so that what a machine encodes is always
 * checked, too.
 */
#include "tests/unit/fixture_post.h"

#include <criterion/criterion.h>

#include <stdlib.h>

struct post *post_new(void)
{
    struct post *post = calloc(1, sizeof *post);
    cr_assert_not_null(post);
    outbox_init(&post->out);
    return post;
}

void post_destroy(struct post **take_post)
{
    struct post *post = *take_post;
    post_forget(post);
    outbox_release(&post->out);
    free(post);
    *take_post = NULL;
}

static void post_keep(struct post *post, const struct effect *effect)
{
    cr_assert_lt(post->count, POST_LETTERS_MAX);
    struct letter *letter = &post->letters[post->count++];
    *letter = (struct letter){.to = effect->to};
    buffer_append(&letter->bytes, outbox_effect_bytes(&post->out, effect));
    struct bytes rest = buffer_bytes(&letter->bytes);
    cr_assert_eq(message_decode(&rest, &letter->message), STATUS_ok);
    cr_assert_eq(rest.size, 0);
}

void post_collect(struct post *post)
{
    for (size_t i = 0; i < post->out.count; i++) {
        const struct effect *effect = &post->out.effects[i];
        switch (effect->kind) {
        case EFFECT_SEND: post_keep(post, effect); break;
        case EFFECT_CONNECT: post->connect_count++; break;
        case EFFECT_TIMER:
            cr_assert_lt(effect->timer, POST_TIMER_MAX);
            post->timers[effect->timer] = effect->at_us;
            break;
        case EFFECT_CLUSTER: post->cluster_id = effect->at_us; break;
        case EFFECT_LOG: post->log_count++; break;
        case EFFECT_STOP: post->has_stopped = true; break;
        default: break;
        }
    }
    outbox_clear(&post->out);
}

void post_forget(struct post *post)
{
    for (size_t i = 0; i < post->count; i++) {
        buffer_release(&post->letters[i].bytes);
    }
    post->count = 0;
}

static bool letter_is(const struct letter *letter, uint64_t to, enum message_kind kind)
{
    return (to == 0 || letter->to == to) && letter->message.kind == kind;
}

size_t post_count(const struct post *post, uint64_t to, enum message_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < post->count; i++) {
        count += letter_is(&post->letters[i], to, kind);
    }
    return count;
}

const struct message *post_last(const struct post *post, uint64_t to, enum message_kind kind)
{
    for (size_t i = post->count; i-- > 0;) {
        if (letter_is(&post->letters[i], to, kind)) {
            return &post->letters[i].message;
        }
    }
    cr_assert_fail("no %s was sent", message_kind_name(kind));
    return NULL;
}
