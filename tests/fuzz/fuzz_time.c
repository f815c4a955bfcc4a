/*
 * Texts of times, numbers and words on a command line: what is read is printed so that it is read
 * again to the same.
 */
#include "tests/fuzz/fuzz.h"

#include "base/limits.h"
#include "base/rfc3339.h"
#include "base/utf8.h"
#include "client/cli/arguments.h"

#include <inttypes.h>
#include <stdio.h>

enum { WORDS_MAX = 48 };

static const struct option OPTIONS[] = {{"limit", "N", "a number"},
                                        {"level", "WORD", "a word"},
                                        {"json", NULL, "a flag"},
                                        {NULL, NULL, NULL}};

static void check_time(struct bytes text)
{
    AUTO(buffer_release) struct buffer printed = {0};
    int64_t seconds;
    uint32_t nanoseconds;
    if (rfc3339_parse(text, &seconds, &nanoseconds) != STATUS_ok) {
        return;
    }
    int64_t again_seconds;
    uint32_t again_nanoseconds;
    ASSERT(seconds >= RFC3339_SECONDS_MIN && seconds <= RFC3339_SECONDS_MAX);
    ASSERT(nanoseconds < 1000000000);
    rfc3339_print(seconds, nanoseconds, &printed);
    ASSERT(rfc3339_parse(buffer_bytes(&printed), &again_seconds, &again_nanoseconds) == STATUS_ok);
    ASSERT(seconds == again_seconds && nanoseconds == again_nanoseconds);
}

static void check_prefix(struct bytes text, size_t size_max)
{
    if (utf8_is_valid(text)) {
        struct bytes prefix = utf8_prefix(text, size_max);
        ASSERT(prefix.size <= size_max && utf8_is_valid(prefix));
        ASSERT(prefix.size + 4 > size_max || prefix.size == text.size);
    }
}

// A failure may name the word, which need not be a text.
static void check_number(const char *text)
{
    struct failure failure = {0};
    uint64_t number;
    uint64_t again;
    char digits[24];
    if (number_parse(text, "the number", &number, &failure) != STATUS_ok) {
        ASSERT(failure.status == STATUS_bad_request && failure.message[0] != '\0');
        return;
    }
    snprintf(digits, sizeof digits, "%" PRIu64, number);
    ASSERT(number_parse(digits, "the number", &again, &failure) == STATUS_ok && again == number);
}

static void check_words(char **words)
{
    struct failure failure = {0};
    struct arguments arguments = {0};
    const struct number_option limit = {"limit", 1, 1000};
    uint64_t number = 5;
    if (arguments_parse(&arguments, OPTIONS, words, &failure) != STATUS_ok) {
        ASSERT(failure.message[0] != '\0');
        return;
    }
    if (arguments_number(&arguments, &limit, &number, &failure) == STATUS_ok) {
        ASSERT(number >= 1 && number <= 1000);
        ASSERT(arguments_has(&arguments, "limit") || number == 5);
    }
    (void)arguments_text(&arguments, "level");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    AUTO(buffer_release) struct buffer text = {0};
    char *words[WORDS_MAX + 1] = {0};
    check_time(input);
    check_prefix(input, size / 2);
    buffer_append(&text, input);
    buffer_append_u8(&text, 0);
    check_number((const char *)text.data);
    size_t count = 0;
    for (size_t at = 0; at < size && count < WORDS_MAX; count++) {
        words[count] = (char *)text.data + at;
        at += strlen(words[count]) + 1;
    }
    check_words(words);
    return 0;
}
