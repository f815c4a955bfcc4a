/*
 * Settings of a collection. The map is walked once; each setting goes by its name into the struct.
 *
 * 1. Being canonical is checked first, so that predicates inside may be looked at and nothing can
 *    be there twice.
 * 2. Settings are in the record of their collection, which every find reads, which is written anew
 *    with each of its indexes and, when it is dropped, with each part that is cleared. So they are
 *    small.
 */
#include "wire/document/settings.h"

#include "wire/cursor.h"
#include "wire/document/path.h"
#include "wire/document/predicate.h"
#include "wire/document/sentence.h"

#include <stdio.h>

static enum status take_seconds(struct cursor *cursor, const char *name, uint32_t *ret_seconds,
                                char *ret_sentence)
{
    uint64_t seconds;
    bool is_number = cursor_u64(cursor, &seconds) == STATUS_ok;
    if (!is_number || seconds == 0 || seconds > UINT32_MAX) {
        return sentence_fail(ret_sentence, STATUS_bad_request,
                             "has a setting \"%s\" that is not a number of seconds from 1 to %u",
                             name, UINT32_MAX);
    }
    *ret_seconds = (uint32_t)seconds;
    return STATUS_ok;
}

static enum status take_ttl(struct cursor *cursor, struct collection_settings *settings,
                            char *ret_sentence)
{
    enum value_kind kind;
    if (cursor_peek(cursor, &kind) != STATUS_ok || kind != VALUE_TEXT) {
        return take_seconds(cursor, "ttl", &settings->ttl_s, ret_sentence);
    }
    TRY(cursor_text(cursor, &settings->ttl_field));
    if (!path_is_valid(settings->ttl_field)) {
        return sentence_fail(ret_sentence, STATUS_bad_request,
                             "has a setting \"ttl\" that is neither seconds nor the path of a "
                             "field");
    }
    return STATUS_ok;
}

static enum status check_predicate(struct cursor *cursor, uint32_t number, char *ret_sentence)
{
    struct bytes predicate;
    char reason[ERROR_MESSAGE_SIZE_MAX];
    TRY(cursor_skip(cursor, &predicate));
    enum status status = predicate_check(predicate, reason);
    if (status != STATUS_ok) {
        return sentence_fail(ret_sentence, status, "has a setting \"check\" whose predicate %u %s",
                             number, reason);
    }
    return STATUS_ok;
}

static enum status take_checks(struct cursor *cursor, struct collection_settings *settings,
                               char *ret_sentence)
{
    const uint8_t *begin = cursor->next;
    uint32_t count;
    if (cursor_array(cursor, &count) != STATUS_ok) {
        return sentence_fail(ret_sentence, STATUS_bad_request,
                             "has a setting \"check\" that is not an array of predicates");
    }
    if (count > CHECK_COUNT_MAX) {
        return sentence_fail(ret_sentence, STATUS_too_large,
                             "has a setting \"check\" of %u predicates, %d are allowed", count,
                             CHECK_COUNT_MAX);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(check_predicate(cursor, i, ret_sentence));
    }
    if (count > 0) {
        settings->check = bytes_of(begin, (size_t)(cursor->next - begin));
    }
    return STATUS_ok;
}

static enum status take_setting(struct cursor *cursor, struct collection_settings *settings,
                                char *ret_sentence)
{
    struct bytes name;
    TRY(cursor_text(cursor, &name));
    if (bytes_equal(name, bytes_from_text("ttl"))) {
        return take_ttl(cursor, settings, ret_sentence);
    }
    if (bytes_equal(name, bytes_from_text("history"))) {
        return take_seconds(cursor, "history", &settings->history_s, ret_sentence);
    }
    if (bytes_equal(name, bytes_from_text("check"))) {
        return take_checks(cursor, settings, ret_sentence);
    }
    return sentence_fail(ret_sentence, STATUS_bad_request, "has the unknown setting \"%s\"",
                         quote_of(name).text);
}

enum status collection_settings_take(struct bytes settings,
                                     struct collection_settings *ret_settings,
                                     char ret_sentence[ERROR_MESSAGE_SIZE_MAX])
{
    if (settings.size > SETTINGS_SIZE_MAX) {
        return sentence_fail(ret_sentence, STATUS_too_large,
                             "has settings of %zu bytes, %d are allowed", settings.size,
                             SETTINGS_SIZE_MAX);
    }
    TRY(sentence_check_canonical(settings, ret_sentence));
    struct collection_settings taken = {0};
    struct cursor cursor = cursor_of(settings);
    uint32_t pairs;
    TRY(cursor_map(&cursor, &pairs));
    for (uint32_t i = 0; i < pairs; i++) {
        TRY(take_setting(&cursor, &taken, ret_sentence));
    }
    *ret_settings = taken;
    return STATUS_ok;
}
