/*
 * What is printed of results, for people and for scripts.
 */
#include "client/cli/output.h"

#include "wire/json.h"
#include "wire/pack.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>

static void print_packed(enum output_format format, const struct buffer *value)
{
    struct output output = {.format = format};
    output_value(&output, buffer_bytes(value));
    cr_assert_not(output.has_failed);
}

static void print(enum output_format format, const char *json)
{
    AUTO(buffer_release) struct buffer value = {0};
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), &value, &fault), STATUS_ok);
    print_packed(format, &value);
}

Test(output, a_table_has_aligned_names_and_then_rows, .init = cr_redirect_stdout)
{
    print(OUTPUT_table, "{\"a\":1,\"rows\":[{\"x\":\"long\",\"y\":2}],\"bcd\":null}");
    cr_assert_stdout_eq_str("a     1\nbcd   -\nx     y\nlong  2\n");
}

Test(output, control_characters_in_names_and_values_are_escaped, .init = cr_redirect_stdout)
{
    print(OUTPUT_table, "{\"a\\u001b\":\"b\\u001b\",\"rows\":[{\"c\\n\":1}]}");
    cr_assert_stdout_eq_str("a\\u001b  b\\u001b\nc\\n\n1\n");
}

Test(output, columns_beyond_those_shown_are_passed, .init = cr_redirect_stdout)
{
    AUTO(buffer_release) struct buffer value = {0};
    enum { FIELDS = 26 };
    pack_map(&value, 2);
    pack_text_literal(&value, "rows");
    pack_array(&value, 1);
    pack_map(&value, FIELDS);
    for (unsigned i = 0; i < FIELDS; i++) {
        pack_text_literal(&value, "n");
        pack_u64(&value, i % 10);
    }
    pack_text_literal(&value, "z");
    pack_text_literal(&value, "last");
    print_packed(OUTPUT_plain, &value);
    cr_assert_stdout_eq_str(
        "last\n0\t1\t2\t3\t4\t5\t6\t7\t8\t9\t0\t1\t2\t3\t4\t5\t6\t7\t8\t9\t0\t1\t2\t3\n");
}
