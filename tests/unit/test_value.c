/*
 * Looking into maps of answers: what is there, and what is malformed.
 */
#include "base/buffer.h"
#include "client/cli/value.h"
#include "wire/json.h"

#include <criterion/criterion.h>

static struct bytes msgpack(const char *json, struct buffer *out)
{
    struct json_fault fault;
    cr_assert_eq(json_to_msgpack(bytes_from_text(json), out, &fault), STATUS_ok);
    return buffer_bytes(out);
}

Test(value, is_found_by_its_name)
{
    struct buffer buffer = {0};
    struct bytes map = msgpack("{\"a\": [1], \"n\": 7, \"t\": \"x\"}", &buffer);
    struct bytes value;
    cr_assert(value_field(map, "a", &value));
    cr_assert_eq(value.size, 2);
    cr_assert_eq(value_number(map, "n"), 7);
    cr_assert(bytes_equal(value_text(map, "t"), bytes_from_text("x")));
    buffer_release(&buffer);
}

Test(value, is_not_there_when_it_is_of_another_type)
{
    struct buffer buffer = {0};
    struct bytes map = msgpack("{\"n\": \"7\", \"t\": 7, \"m\": -1}", &buffer);
    struct bytes value;
    cr_assert_not(value_field(map, "x", &value));
    cr_assert_eq(value_number(map, "n"), 0);
    cr_assert_eq(value_number(map, "m"), 0);
    cr_assert_eq(value_text(map, "t").size, 0);
    cr_assert_not(value_field(bytes_of("\xc0", 1), "n", &value));
    cr_assert_not(value_field(bytes_of("\x82\xa1n", 3), "n", &value));
    buffer_release(&buffer);
}

Test(value, of_an_array_is_found_by_a_field)
{
    struct buffer buffer = {0};
    struct bytes array = msgpack("[{\"name\": \"a\", \"n\": 1}, {\"name\": \"b\", \"n\": 2}, 5]",
                                 &buffer);
    struct bytes element;
    cr_assert(value_element(array, "name", bytes_from_text("b"), &element));
    cr_assert_eq(value_number(element, "n"), 2);
    cr_assert_not(value_element(array, "name", bytes_from_text("c"), &element));
    cr_assert_not(value_element(bytes_of("\xc0", 1), "name", bytes_from_text("c"), &element));
    buffer_release(&buffer);
}
