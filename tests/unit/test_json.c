/*
 * JSON to msgpack and back.
 */
#include "wire/json.h"

#include "base/utf8.h"
#include "tests/unit/fixture_value.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <math.h>

static void check_read(const char *text, const char *expected, size_t size)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(text), &out, &fault), STATUS_ok, "%s: %s", text,
                 fault.sentence);
    cr_assert(bytes_equal(buffer_bytes(&out), bytes_of(expected, size)), "%s", text);
}

static struct json_fault check_refused(struct bytes text, enum status expected)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct json_fault fault;
    buffer_append(&out, bytes_from_text("before"));
    cr_assert_eq(json_to_msgpack(text, &out, &fault), expected, "%.*s", (int)text.size,
                 (const char *)text.data);
    cr_assert_eq(out.size, 6);
    cr_assert(utf8_is_valid(bytes_from_text(fault.sentence)));
    cr_assert_gt(strlen(fault.sentence), 5);
    return fault;
}

static void check_written(const struct buffer *value, const char *expected)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct cursor cursor = cursor_of(buffer_bytes(value));
    cr_assert_eq(json_from_msgpack(&cursor, &out), STATUS_ok);
    cr_assert(cursor_at_end(&cursor));
    cr_assert(bytes_equal(buffer_bytes(&out), bytes_from_text(expected)), "%.*s for %s",
              (int)out.size, (const char *)out.data, expected);
}

static void check_not_written(const char *data, size_t size, enum status expected)
{
    AUTO(buffer_release) struct buffer out = {0};
    struct cursor cursor = cursor_of(bytes_of(data, size));
    cr_assert_eq(json_from_msgpack(&cursor, &out), expected);
    cr_assert_eq(out.size, 0);
    cr_assert_eq(cursor.next, (const uint8_t *)data);
}

static void check_float(double value, const char *expected)
{
    AUTO(buffer_release) struct buffer out = {0};
    pack_double(&out, value);
    check_written(&out, expected);
}

Test(json, reads_every_type)
{
    check_read("null", "\xc0", 1);
    check_read(" true ", "\xc3", 1);
    check_read("-5", "\xfb", 1);
    check_read("300", "\xcd\x01\x2c", 3);
    check_read("1.0", "\xcb\x3f\xf0\0\0\0\0\0\0", 9);
    check_read("\"x\\u0000\\u00e4\"", "\xa4x\0\xc3\xa4", 5);
    check_read("[1,[]]", "\x92\x01\x90", 3);
    check_read("{\"y\":1,\"x\":{}}", "\x82\xa1y\x01\xa1x\x80", 7);
}

Test(json, reads_binary_and_times)
{
    check_read("{\"$bin\":\"AAE=\"}", "\xc4\x02\x00\x01", 4);
    check_read("{\"$time\":\"1970-01-01T00:00:01Z\"}", "\xd6\xff\0\0\0\x01", 6);
    check_read("{\"$bin\":1,\"x\":2}", "\x82\xa4$bin\x01\xa1x\x02", 10);
}

Test(json, refuses_bad_binary_and_times)
{
    check_refused(bytes_from_text("{\"$bin\":\"AAE\"}"), STATUS_bad_request);
    check_refused(bytes_from_text("[{\"$bin\":5}]"), STATUS_bad_request);
    check_refused(bytes_from_text("{\"$time\":\"yesterday\"}"), STATUS_bad_request);
    check_refused(bytes_from_text("{\"$time\":0}"), STATUS_bad_request);
}

Test(json, refuses_malformed_texts)
{
    static const char *const texts[] = {
        "",         "{", "[1,]",   "{\"a\" 1}", "nul", "01",          "NaN",
        "Infinity", "-", "\"\n\"", "'a'",       "1 2", "\"\\ud800\"", "{\"a\":1,\"a\":2}",
        "{1:2}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        check_refused(bytes_from_text(texts[i]), STATUS_bad_request);
    }
    check_refused(bytes_of("\"\xc3\x28\"", 4), STATUS_bad_request);
    check_refused(bytes_of("{\"a\\u0000\":1}", 13), STATUS_bad_request);
}

Test(json, says_line_and_column)
{
    struct json_fault fault = check_refused(bytes_from_text("{\n  \"a\": x}"), STATUS_bad_request);
    cr_assert_eq(fault.line, 2);
    cr_assert_eq(fault.column, 8);
    cr_assert_not_null(strstr(fault.sentence, "line 2, column 8"));
}

Test(json, never_rounds_an_integer)
{
    check_read("9223372036854775807", "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9);
    check_read("-9223372036854775808", "\xd3\x80\0\0\0\0\0\0\0", 9);
    struct json_fault fault = check_refused(bytes_from_text("[9223372036854775808]"),
                                            STATUS_bad_request);
    cr_assert_not_null(strstr(fault.sentence, "2^63-1"));
    check_refused(bytes_from_text("1e999"), STATUS_bad_request);
}

Test(json, nesting_is_bounded)
{
    char text[5000];
    memset(text, '[', sizeof text);
    memset(text + WIRE_DEPTH_MAX, ']', WIRE_DEPTH_MAX);
    AUTO(buffer_release) struct buffer out = {0};
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_of(text, 2 * WIRE_DEPTH_MAX), &out, &fault), STATUS_ok);
    memset(text, '[', sizeof text);
    check_refused(bytes_of(text, sizeof text), STATUS_too_deep);
    memset(text + WIRE_DEPTH_MAX + 1, ']', WIRE_DEPTH_MAX + 1);
    check_refused(bytes_of(text, 2 * (WIRE_DEPTH_MAX + 1)), STATUS_too_deep);
}

Test(json, writes_integers_exactly)
{
    AUTO(buffer_release) struct buffer out = {0};
    pack_array(&out, 3);
    pack_u64(&out, UINT64_MAX);
    pack_i64(&out, INT64_MIN);
    pack_u64(&out, 0);
    check_written(&out, "[18446744073709551615,-9223372036854775808,0]");
}

Test(json, writes_floats_as_floats_with_few_digits)
{
    check_float(1, "1.0");
    check_float(0.1, "0.1");
    check_float(1e21, "1e+21");
    check_float(1.0 / 3, "0.3333333333333333");
    check_float(5e-324, "4.94065645841247e-324");
}

Test(json, writes_texts_binaries_and_times)
{
    AUTO(buffer_release) struct buffer out = {0};
    pack_array(&out, 3);
    pack_text(&out, bytes_of("\"\\\n\t\x01\0ä/", 9));
    pack_binary(&out, bytes_of("\0\1", 2));
    pack_timestamp(&out, 1, 500000000);
    check_written(&out, "[\"\\\"\\\\\\n\\t\\u0001\\u0000ä/\",{\"$bin\":\"AAE=\"},"
                        "{\"$time\":\"1970-01-01T00:00:01.500Z\"}]");
}

Test(json, does_not_write_what_json_cannot_say)
{
    check_not_written("\xcb\x7f\xf0\0\0\0\0\0\0", 9, STATUS_bad_request);
    check_not_written("\xcb\x7f\xf8\0\0\0\0\0\0", 9, STATUS_bad_request);
    check_not_written("\xa2\xc3\x28", 3, STATUS_bad_request);
    check_not_written("\x81\x01\x01", 3, STATUS_bad_request);
    check_not_written("\xd4\x05\x00", 3, STATUS_bad_request);
    check_not_written("\xd7\xff\0\0\0\0\xff", 7, STATUS_bad_request);
    check_not_written("\xc7\x0c\xff\0\0\0\0\x70\0\0\0\0\0\0\0", 15, STATUS_bad_request);
}

// The value and its text mean each other, unless it holds an integer beyond 2^63.
Test(json, values_survive_the_way_there_and_back)
{
    struct random random;
    random_init(&random, 1);
    unsigned survived = 0;
    for (unsigned i = 0; i < 20000; i++) {
        AUTO(buffer_release) struct buffer value = {0};
        AUTO(buffer_release) struct buffer text = {0};
        AUTO(buffer_release) struct buffer again = {0};
        struct json_fault fault;
        value_append_random(&random, 3, &value);
        struct cursor cursor = cursor_of(buffer_bytes(&value));
        cr_assert_eq(json_from_msgpack(&cursor, &text), STATUS_ok);
        if (json_to_msgpack(buffer_bytes(&text), &again, &fault) == STATUS_ok) {
            cr_assert(bytes_equal(buffer_bytes(&value), buffer_bytes(&again)), "%.*s",
                      (int)text.size, (const char *)text.data);
            survived++;
        }
    }
    cr_assert_gt(survived, 15000);
}

Test(json, survives_damaged_texts)
{
    struct random random;
    random_init(&random, 2);
    for (unsigned i = 0; i < 100000; i++) {
        AUTO(buffer_release) struct buffer text = {0};
        AUTO(buffer_release) struct buffer out = {0};
        struct json_fault fault;
        buffer_append(&text, bytes_from_text("{\"a\":[1,-2.5e3,\"\\u00e4ä\",{\"$bin\":\"AAE=\"},"
                                             "{\"$time\":\"2024-02-29T12:30:00Z\"}],\"b\":null}"));
        bytes_damage(&random, &text);
        enum status status = json_to_msgpack(buffer_bytes(&text), &out, &fault);
        cr_assert(status == STATUS_ok || utf8_is_valid(bytes_from_text(fault.sentence)));
    }
}
