/*
 * Operands are checked here as far as it takes no server: form of ids and names, JSON. What a
 * document may hold is said by who stores it, in the same words for every way in.
 */
#include "client/cli/input.h"

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

enum status input_json(struct call *call, const char *operand, struct buffer *out)
{
    AUTO(buffer_release) struct buffer file = {0};
    struct bytes text = bytes_from_text(operand);
    struct json_fault fault;
    if (strcmp(operand, "-") == 0) {
        TRY(input_read(call, operand, JSON_SIZE_MAX, &file));
        text = buffer_bytes(&file);
    }
    enum status status = json_to_msgpack(text, out, &fault);
    if (status != STATUS_ok) {
        return failure_set(&call->failure, status, "the JSON can't be read: %s", fault.sentence);
    }
    return STATUS_ok;
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
