/*
 * Encoding. Fields are left out where the question doesn't need them, so that defaults are tested,
 * too.
 */
#include "tests/sim/question.h"

#include "base/assert.h"
#include "wire/pack.h"

#include <stdio.h>

struct step *question_add(struct question *question, enum operation_kind kind, unsigned collection,
                          unsigned document)
{
    ASSERT(question->step_count < QUESTION_STEPS_MAX);
    struct step *step = &question->steps[question->step_count++];
    *step = (struct step){.kind = kind, .collection = collection, .document = document};
    return step;
}

bool step_is_writing(const struct step *step)
{
    switch (step->kind) {
    case OPERATION_get:
    case OPERATION_check:
    case OPERATION_find:
    case OPERATION_count:
    case OPERATION_unchanged:
    case OPERATION_history:
    case OPERATION_collections: return false;
    default: return true;
    }
}

bool step_is_wide(const struct step *step)
{
    return step->kind == OPERATION_find || step->kind == OPERATION_count || step->is_find;
}

bool question_is_writing(const struct question *question)
{
    for (unsigned i = 0; i < question->step_count; i++) {
        if (step_is_writing(&question->steps[i])) {
            return true;
        }
    }
    return false;
}

static void pack_number(struct buffer *out, int64_t number)
{
    if (number < 0) {
        pack_i64(out, number);
    } else {
        pack_u64(out, (uint64_t)number);
    }
}

static void pack_word(struct buffer *out, const char *field, const char *text)
{
    pack_text_literal(out, field);
    pack_text_literal(out, text);
}

static void encode_document(const struct question *question, const struct step *step,
                            struct buffer *out)
{
    pack_text_literal(out, "document");
    pack_map(out, step->padding > 0 ? 3 : 2);
    pack_text_literal(out, "n");
    pack_number(out, step->number);
    pack_text_literal(out, "t");
    pack_u64(out, question->token);
    if (step->padding > 0) {
        pack_text_literal(out, "z");
        AUTO(buffer_release) struct buffer zeros = {0};
        memset(buffer_extend(&zeros, step->padding), 0, step->padding);
        pack_binary(out, buffer_bytes(&zeros));
    }
}

static void encode_patch(const struct question *question, const struct step *step,
                         struct buffer *out)
{
    pack_text_literal(out, "patch");
    pack_map(out, 2);
    pack_text_literal(out, "n");
    if (step->adds) {
        pack_map(out, step->has_floor ? 2 : 1);
        pack_text_literal(out, "$inc");
    }
    pack_number(out, step->number);
    if (step->has_floor) {
        pack_text_literal(out, "min");
        pack_number(out, step->floor);
    }
    pack_text_literal(out, "t");
    pack_u64(out, question->token);
}

static void encode_least(const struct step *step, struct buffer *out)
{
    pack_text_literal(out, "where");
    pack_map(out, 1);
    pack_text_literal(out, "n");
    pack_map(out, 1);
    pack_text_literal(out, "$gte");
    pack_number(out, step->least);
}

static void encode_range(const struct asked_find *find, struct buffer *out)
{
    pack_text_literal(out, "where");
    pack_map(out, 1);
    pack_text_literal(out, "n");
    pack_map(out, 2);
    pack_text_literal(out, "$gte");
    pack_number(out, find->low);
    pack_text_literal(out, "$lte");
    pack_number(out, find->high);
}

static const char *order_name(const struct asked_find *find)
{
    if (find->order == FIND_by_number) {
        return find->is_backwards ? "-n" : "n";
    }
    return find->is_backwards ? "-$id" : "$id";
}

// How many fields encode_find() appends.
static uint32_t count_find_fields(const struct asked_find *find)
{
    return (uint32_t)find->has_range + (find->order != FIND_unordered) + find->names_index +
           (find->limit > 0) + (find->cursor.size > 0);
}

static void encode_find(const struct asked_find *find, struct buffer *out)
{
    if (find->has_range) {
        encode_range(find, out);
    }
    if (find->names_index) {
        pack_word(out, "index", "by_n");
    }
    if (find->order != FIND_unordered) {
        pack_word(out, "order", order_name(find));
    }
    if (find->limit > 0) {
        pack_text_literal(out, "limit");
        pack_u64(out, find->limit);
    }
    if (find->cursor.size > 0) {
        pack_text_literal(out, "cursor");
        pack_text(out, find->cursor);
    }
}

static void encode_check(const struct step *step, struct buffer *out)
{
    if (step->has_where) {
        encode_least(step, out);
    } else if (step->expected == 0) {
        pack_text_literal(out, "absent");
        pack_flag(out, true);
    } else {
        pack_text_literal(out, "document_version");
        pack_u64(out, step->expected);
    }
}

static void encode_unchanged(const struct step *step, const char *id, struct buffer *out)
{
    if (step->is_find) {
        pack_text_literal(out, "find");
        pack_map(out, count_find_fields(&step->find));
        encode_find(&step->find, out);
        pack_text_literal(out, "digest");
        pack_u64(out, step->digest);
        return;
    }
    pack_text_literal(out, "ids");
    pack_array(out, 1);
    pack_array(out, 2);
    pack_text_literal(out, id);
    pack_u64(out, step->expected);
}

static void encode_index(const struct step *step, struct buffer *out)
{
    pack_word(out, "index", "by_n");
    if (step->kind == OPERATION_create_index) {
        pack_text_literal(out, "fields");
        pack_array(out, 1);
        pack_text_literal(out, "n");
        pack_text_literal(out, "unique");
        pack_flag(out, step->is_unique);
    }
}

static void encode_settings(struct buffer *out)
{
    pack_text_literal(out, "settings");
    pack_map(out, 3);
    pack_text_literal(out, "check");
    pack_array(out, 1);
    pack_map(out, 1);
    pack_text_literal(out, "n");
    pack_map(out, 1);
    pack_text_literal(out, "$gte");
    pack_number(out, FADING_LEAST);
    pack_text_literal(out, "history");
    pack_u64(out, FADING_HISTORY_S);
    pack_text_literal(out, "ttl");
    pack_u64(out, FADING_TTL_S);
}

static bool has_id(const struct step *step)
{
    switch (step->kind) {
    case OPERATION_get:
    case OPERATION_insert:
    case OPERATION_put:
    case OPERATION_update:
    case OPERATION_delete:
    case OPERATION_check:
    case OPERATION_history: return true;
    default: return false;
    }
}

// How many fields there are besides op, collection and id.
static uint32_t count_fields(const struct step *step)
{
    switch (step->kind) {
    case OPERATION_insert:
    case OPERATION_put:
    case OPERATION_check:
    case OPERATION_create_collection:
    case OPERATION_drop_index: return 1;
    case OPERATION_update: return 1U + step->has_where + step->upserts;
    case OPERATION_delete: return step->has_where;
    case OPERATION_find:
    case OPERATION_count: return count_find_fields(&step->find);
    case OPERATION_unchanged: return step->is_find ? 2 : 1;
    case OPERATION_create_index: return 3;
    default: return 0;
    }
}

static void encode_update(const struct question *question, const struct step *step,
                          struct buffer *out)
{
    encode_patch(question, step, out);
    if (step->has_where) {
        encode_least(step, out);
    }
    if (step->upserts) {
        pack_text_literal(out, "upsert");
        pack_flag(out, true);
    }
}

static void encode_step(const struct question *question, const struct step *step,
                        struct buffer *out)
{
    char collection[16];
    char id[16];
    snprintf(collection, sizeof collection, "c%u", step->collection);
    snprintf(id, sizeof id, "d%u", step->document);
    pack_map(out, 2U + has_id(step) + count_fields(step));
    pack_word(out, "op", operation_kind_name(step->kind));
    pack_word(out, "collection", collection);
    if (has_id(step)) {
        pack_word(out, "id", id);
    }
    switch (step->kind) {
    case OPERATION_insert:
    case OPERATION_put: encode_document(question, step, out); break;
    case OPERATION_update: encode_update(question, step, out); break;
    case OPERATION_delete:
        if (step->has_where) {
            encode_least(step, out);
        }
        break;
    case OPERATION_check: encode_check(step, out); break;
    case OPERATION_find:
    case OPERATION_count: encode_find(&step->find, out); break;
    case OPERATION_unchanged: encode_unchanged(step, id, out); break;
    case OPERATION_create_index:
    case OPERATION_drop_index: encode_index(step, out); break;
    case OPERATION_create_collection: encode_settings(out); break;
    default: break;
    }
}

void question_encode(const struct question *question, struct buffer *out)
{
    pack_array(out, question->step_count);
    for (unsigned i = 0; i < question->step_count; i++) {
        encode_step(question, &question->steps[i], out);
    }
}
