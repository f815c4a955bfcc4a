/*
 * The calendar in both directions, by days since 1970 in the Gregorian calendar run backwards,
 * counted from 1 March so that the leap day is the last of its year (Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms").
 */
#include "base/rfc3339.h"

#include "base/assert.h"

#include <stdio.h>

enum {
    DAYS_400_YEARS = 146097,
    DAYS_TO_1970 = 719468, // from 1 March of year 0
    SECONDS_PER_DAY = 86400,
};

struct reader {
    const uint8_t *next; // next character
    const uint8_t *end;  // end of the text
    bool is_good;        // all that was asked for was there
};

struct date {
    int64_t year;
    int64_t month; // 1 to 12
    int64_t day;   // 1 to 31
};

static int64_t days_of_date(struct date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_400_YEARS + day_of_era - DAYS_TO_1970;
}

static struct date date_of_days(int64_t days)
{
    int64_t shifted = days + DAYS_TO_1970;
    int64_t era = (shifted >= 0 ? shifted : shifted - (DAYS_400_YEARS - 1)) / DAYS_400_YEARS;
    int64_t day_of_era = shifted - era * DAYS_400_YEARS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (struct date){.year = year_of_era + era * 400 + (month <= 2),
                         .month = month,
                         .day = day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

static void print_fraction(uint32_t nanoseconds, struct buffer *out)
{
    char digits[16];
    int size = 0;
    if (nanoseconds % 1000 != 0) {
        size = snprintf(digits, sizeof digits, ".%09u", nanoseconds);
    } else if (nanoseconds % 1000000 != 0) {
        size = snprintf(digits, sizeof digits, ".%06u", nanoseconds / 1000);
    } else if (nanoseconds != 0) {
        size = snprintf(digits, sizeof digits, ".%03u", nanoseconds / 1000000);
    }
    buffer_append(out, bytes_of(digits, (size_t)size));
}

void rfc3339_print(int64_t seconds, uint32_t nanoseconds, struct buffer *out)
{
    ASSERT(seconds >= RFC3339_SECONDS_MIN && seconds <= RFC3339_SECONDS_MAX);
    ASSERT(nanoseconds < 1000000000);
    int64_t second = seconds % SECONDS_PER_DAY;
    if (second < 0) {
        second += SECONDS_PER_DAY;
    }
    struct date date = date_of_days((seconds - second) / SECONDS_PER_DAY);
    char text[64];
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", (int)date.year, (int)date.month,
             (int)date.day, (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
    buffer_append(out, bytes_from_text(text));
    print_fraction(nanoseconds, out);
    buffer_append_u8(out, 'Z');
}

static bool has_digit(const struct reader *reader)
{
    return reader->next < reader->end && *reader->next >= '0' && *reader->next <= '9';
}

// Takes exactly `digits` digits that make a number from min to max.
static int64_t take_number(struct reader *reader, unsigned digits, int64_t min, int64_t max)
{
    int64_t value = 0;
    for (unsigned i = 0; i < digits; i++) {
        if (!has_digit(reader)) {
            reader->is_good = false;
            return min;
        }
        value = value * 10 + (*reader->next++ - '0');
    }
    if (value < min || value > max) {
        reader->is_good = false;
    }
    return value;
}

// Takes one of `characters`; 0 if none of them is next.
static char take_one_of(struct reader *reader, const char *characters)
{
    if (reader->next == reader->end || *reader->next == 0 ||
        strchr(characters, *reader->next) == NULL) {
        reader->is_good = false;
        return 0;
    }
    return (char)*reader->next++;
}

static struct date take_date(struct reader *reader)
{
    struct date date;
    date.year = take_number(reader, 4, 0, 9999);
    take_one_of(reader, "-");
    date.month = take_number(reader, 2, 1, 12);
    take_one_of(reader, "-");
    date.day = take_number(reader, 2, 1, 31);
    struct date same = date_of_days(days_of_date(date));
    if (same.month != date.month || same.day != date.day) {
        reader->is_good = false;
    }
    return date;
}

static uint32_t take_fraction(struct reader *reader)
{
    if (reader->next == reader->end || *reader->next != '.') {
        return 0;
    }
    reader->next++;
    uint32_t nanoseconds = 0;
    uint32_t unit = 1000000000;
    for (; has_digit(reader) && unit > 1; reader->next++) {
        unit /= 10;
        nanoseconds += unit * (uint32_t)(*reader->next - '0');
    }
    if (unit == 1000000000) {
        reader->is_good = false;
    }
    return nanoseconds;
}

// Seconds that the zone is ahead of UTC.
static int64_t take_zone(struct reader *reader)
{
    char sign = take_one_of(reader, "Zz+-");
    if (sign != '+' && sign != '-') {
        return 0;
    }
    int64_t hours = take_number(reader, 2, 0, 23);
    take_one_of(reader, ":");
    int64_t minutes = take_number(reader, 2, 0, 59);
    int64_t ahead = hours * 3600 + minutes * 60;
    return sign == '-' ? -ahead : ahead;
}

enum status rfc3339_parse(struct bytes text, int64_t *ret_seconds, uint32_t *ret_nanoseconds)
{
    if (text.size == 0) {
        return STATUS_bad_request;
    }
    struct reader reader = {.next = text.data, .end = text.data + text.size, .is_good = true};
    struct date date = take_date(&reader);
    take_one_of(&reader, "Tt ");
    int64_t hour = take_number(&reader, 2, 0, 23);
    take_one_of(&reader, ":");
    int64_t minute = take_number(&reader, 2, 0, 59);
    take_one_of(&reader, ":");
    int64_t second = take_number(&reader, 2, 0, 59);
    uint32_t nanoseconds = take_fraction(&reader);
    int64_t ahead = take_zone(&reader);
    int64_t seconds = days_of_date(date) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second -
                      ahead;
    bool is_good = reader.is_good && reader.next == reader.end && seconds >= RFC3339_SECONDS_MIN &&
                   seconds <= RFC3339_SECONDS_MAX;
    if (!is_good) {
        return STATUS_bad_request;
    }
    *ret_seconds = seconds;
    *ret_nanoseconds = nanoseconds;
    return STATUS_ok;
}
