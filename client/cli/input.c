/*
 * Operands are checked here as far as it takes no server: form of ids and names, JSON. What a
 * document may hold is said by who stores it, in the same words for every way in; whether a level,
 * a version and a time go together by who reads.
 */
#include "client/cli/input.h"

#include "base/rfc3339.h"
#include "wire/json.h"

#include <errno.h>

enum { READ_SIZE = 64 * KIB, JSON_SIZE_MAX = 4 * TRANSACTION_SIZE_MAX };

static enum status read_stream(struct call *call, FILE *in, size_t size_max, struct buffer *out)
{
    size_t start = out->size;
    for (;;) {
        uint8_t *room = buffer_extend(out, READ_SIZE);
        size_t size = fread(room, 1, READ_SIZE, in);
        buffer_truncate(out, out->size - READ_SIZE + size);
        if (out->size - start > size_max) {
            return failure_set(&call->failure, STATUS_too_large,
                               "the input is larger than %zu bytes", size_max);
        }
        if (size == 0) {
            break;
        }
    }
    if (ferror(in)) {
        return failure_set(&call->failure, STATUS_bad_request, "the input can't be read: %s",
                           strerror(errno));
    }
    return STATUS_ok;
}

enum status input_read(struct call *call, const char *path, size_t size_max, struct buffer *out)
{
    if (strcmp(path, "-") == 0) {
        return read_stream(call, stdin, size_max, out);
    }
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        return failure_set(&call->failure, STATUS_bad_request, "can't read %s: %s", path,
                           strerror(errno));
    }
    enum status status = read_stream(call, in, size_max, out);
    (void)fclose(in);
    return status;
}

enum status input_line(FILE *in, size_t size_max, struct buffer *line)
{
    bool is_too_large = false;
    bool has_any = false;
    buffer_clear(line);
    for (int byte = getc_unlocked(in); byte != EOF; byte = getc_unlocked(in)) {
        if (byte == '\n') {
            return is_too_large ? STATUS_too_large : STATUS_ok;
        }
        has_any = true;
        is_too_large = is_too_large || line->size == size_max;
        if (!is_too_large) {
            buffer_append_u8(line, (uint8_t)byte);
        }
    }
    if (!has_any) {
        return STATUS_absent;
    }
    return is_too_large ? STATUS_too_large : STATUS_ok;
}

static enum status parse_json(struct call *call, const char *what, struct bytes text,
                              struct buffer *out)
{
    struct json_fault fault;
    enum status status = json_to_msgpack(text, out, &fault);
    if (status != STATUS_ok) {
        return failure_set(&call->failure, status, "%s can't be read: %s", what, fault.sentence);
    }
    return STATUS_ok;
}

enum status input_json(struct call *call, const char *operand, struct buffer *out)
{
    AUTO(buffer_release) struct buffer file = {0};
    if (strcmp(operand, "-") == 0) {
        TRY(input_read(call, operand, JSON_SIZE_MAX, &file));
        return parse_json(call, "the JSON", buffer_bytes(&file), out);
    }
    return parse_json(call, "the JSON", bytes_from_text(operand), out);
}

enum status input_option_json(struct call *call, const char *name, struct buffer *out)
{
    char what[32];
    const char *text = arguments_text(&call->arguments, name);
    if (text == NULL) {
        return STATUS_ok;
    }
    snprintf(what, sizeof what, "the JSON of --%s", name);
    return parse_json(call, what, bytes_from_text(text), out);
}

enum status input_id(struct call *call, const char *operand, struct document_id *ret_id)
{
    enum status status = document_id_from_text(bytes_from_text(operand), ret_id);
    if (status != STATUS_ok) {
        return failure_set(&call->failure, status,
                           "an id is a string of 1 to %d bytes, or i: and a whole number of 64 "
                           "bits",
                           DOCUMENT_ID_SIZE_MAX);
    }
    return STATUS_ok;
}

enum status input_collection(struct call *call, const char *operand, struct bytes *ret_name)
{
    struct bytes name = bytes_from_text(operand);
    if (!collection_name_is_valid(name)) {
        return failure_set(&call->failure, STATUS_bad_request,
                           "a collection's name has 1 to %d bytes of UTF-8 and doesn't begin "
                           "with $",
                           COLLECTION_NAME_SIZE_MAX);
    }
    *ret_name = name;
    return STATUS_ok;
}

enum status input_time(struct call *call, const char *text, uint64_t *ret_time_us)
{
    int64_t seconds;
    uint32_t nanoseconds;
    if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
        return number_parse(text, "a time", ret_time_us, &call->failure);
    }
    if (rfc3339_parse(bytes_from_text(text), &seconds, &nanoseconds) != STATUS_ok || seconds < 0) {
        return failure_set(&call->failure, STATUS_bad_request,
                           "a time is like 2024-02-29T12:30:00.5Z, from 1970 on, or a number of "
                           "microseconds since then");
    }
    *ret_time_us = (uint64_t)seconds * 1000000 + nanoseconds / 1000;
    return STATUS_ok;
}

enum status input_consistency(struct call *call, struct client_read *ask)
{
    const struct arguments *arguments = &call->arguments;
    const char *level = arguments_text(arguments, "level");
    const char *at_time = arguments_text(arguments, "at-time");
    uint64_t lag_ms_max = 0;
    bool is_snapshot = at_time != NULL || arguments_has(arguments, "at-version");
    ask->level = is_snapshot ? READ_snapshot : READ_linearizable;
    if (level != NULL && !read_level_from_name(bytes_from_text(level), &ask->level)) {
        return failure_set(&call->failure, STATUS_bad_request,
                           "--level is linearizable, session, snapshot or any");
    }
    if (ask->level == READ_snapshot && !is_snapshot && !arguments_has(arguments, "cursor")) {
        return failure_set(&call->failure, STATUS_bad_request,
                           "a snapshot is read --at-version V or --at-time T");
    }
    const struct {
        struct number_option option;
        uint64_t *into;
    } numbers[] = {
        {{"after-version", 0, INT64_MAX}, &ask->after_version},
        {{"at-version", 0, INT64_MAX}, &ask->at_version},
        {{"max-lag-versions", 1, INT64_MAX}, &ask->lag_versions_max},
        {{"max-lag-ms", 1, UINT32_MAX}, &lag_ms_max},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        TRY(arguments_number(arguments, &numbers[i].option, numbers[i].into, &call->failure));
    }
    ask->lag_ms_max = (uint32_t)lag_ms_max;
    if (at_time != NULL) {
        TRY(input_time(call, at_time, &ask->at_time_us));
    }
    ask->timeout_ms = call->timeout_ms;
    return STATUS_ok;
}
