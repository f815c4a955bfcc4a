/*
 * The vectors of RFC 4648, and strictness.
 */
#include "base/base64.h"

#include "base/random.h"

#include <criterion/criterion.h>

static void check_pair(const char *plain, const char *text)
{
    AUTO(buffer_release) struct buffer encoded = {0};
    AUTO(buffer_release) struct buffer decoded = {0};
    base64_encode(bytes_from_text(plain), &encoded);
    cr_assert(bytes_equal(buffer_bytes(&encoded), bytes_from_text(text)));
    cr_assert_eq(base64_decode(bytes_from_text(text), &decoded), STATUS_ok);
    cr_assert(bytes_equal(buffer_bytes(&decoded), bytes_from_text(plain)));
}

static void check_refused(const char *text)
{
    AUTO(buffer_release) struct buffer decoded = {0};
    buffer_append(&decoded, bytes_from_text("before"));
    cr_assert_eq(base64_decode(bytes_from_text(text), &decoded), STATUS_bad_request, "%s", text);
    cr_assert_eq(decoded.size, 6);
}

Test(base64, gives_the_known_answers)
{
    check_pair("", "");
    check_pair("f", "Zg==");
    check_pair("fo", "Zm8=");
    check_pair("foo", "Zm9v");
    check_pair("foob", "Zm9vYg==");
    check_pair("fooba", "Zm9vYmE=");
    check_pair("foobar", "Zm9vYmFy");
    check_pair("\xfb\xff\xbf", "+/+/");
}

Test(base64, refuses_what_no_encoder_makes)
{
    check_refused("Zg");
    check_refused("Zg=");
    check_refused("Zh==");
    check_refused("Zm9=");
    check_refused("Z===");
    check_refused("====");
    check_refused("Zg==Zg==");
    check_refused("Zm9v Zg=");
    check_refused("Zm-_");
    check_refused("Zm9vYg=A");
}

Test(base64, any_bytes_survive_the_way_there_and_back)
{
    struct random random;
    random_init(&random, 1);
    for (unsigned i = 0; i < 20000; i++) {
        AUTO(buffer_release) struct buffer plain = {0};
        AUTO(buffer_release) struct buffer encoded = {0};
        AUTO(buffer_release) struct buffer decoded = {0};
        for (uint64_t left = random_below(&random, 50); left > 0; left--) {
            buffer_append_u8(&plain, (uint8_t)random_next(&random));
        }
        base64_encode(buffer_bytes(&plain), &encoded);
        cr_assert_eq(base64_decode(buffer_bytes(&encoded), &decoded), STATUS_ok);
        cr_assert(bytes_equal(buffer_bytes(&plain), buffer_bytes(&decoded)));
    }
}
