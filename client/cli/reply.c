/*
 * Replies of `skein pipe`:
 *
 *     txn    {"tag", "version", "time", "results": [...], "replayed"?: true}
 *     get    {"tag", "version", "document", "document_version", "time"}
 *     find   {"tag", "version", "documents": [...], "stats", "cursor"}
 *     all    {"tag", "error": {"code", "message", "operation"?, "retry_after_ms"?, "session"?,
 *                              "sequence"?}}
 *
 * Results are copied as the servers wrote them. Session and sequence stand only in an
 * unknown_outcome, the one error after which somebody asks for the status.
 */
#include "client/cli/reply.h"

#include "client/cli/value.h"
#include "wire/pack.h"

#include <stdio.h>

static uint32_t one_if(bool condition)
{
    return condition ? 1 : 0;
}

static void pack_tag(struct bytes tag, struct buffer *out)
{
    pack_text_literal(out, "tag");
    buffer_append(out, tag);
}

static void pack_number(const char *name, uint64_t number, struct buffer *out)
{
    pack_text_literal(out, name);
    pack_u64(out, number);
}

static void pack_outcome(struct bytes tag, const struct client_completion *completion,
                         struct buffer *out)
{
    pack_map(out, 3 + one_if(tag.size > 0) + one_if(completion->replayed));
    if (tag.size > 0) {
        pack_tag(tag, out);
    }
    pack_number("version", completion->version, out);
    pack_number("time", completion->time_us, out);
    pack_text_literal(out, "results");
    buffer_append(out, completion->results);
    if (completion->replayed) {
        pack_text_literal(out, "replayed");
        pack_flag(out, true);
    }
}

// The pairs of the first result, and how many there are.
static struct bytes first_result(struct bytes results, uint32_t *ret_pairs)
{
    struct cursor cursor = cursor_of(results);
    uint32_t count;
    if (cursor_array(&cursor, &count) != STATUS_ok || count != 1 ||
        cursor_map(&cursor, ret_pairs) != STATUS_ok) {
        *ret_pairs = 0;
        return bytes_of(NULL, 0);
    }
    return cursor_rest(&cursor);
}

// A read of one operation: the fields of its result.
static void pack_read(struct bytes tag, const struct client_completion *completion,
                      struct buffer *out)
{
    uint32_t pairs;
    struct bytes result = first_result(completion->results, &pairs);
    pack_map(out, pairs + 1 + one_if(tag.size > 0));
    if (tag.size > 0) {
        pack_tag(tag, out);
    }
    pack_number("version", completion->version, out);
    buffer_append(out, result);
}

static void pack_error(const struct client_completion *completion, struct buffer *out)
{
    bool is_unknown = completion->status == STATUS_unknown_outcome;
    pack_text_literal(out, "error");
    pack_map(out, 2 + one_if(completion->operation > 0) + one_if(completion->retry_after_ms > 0) +
                      2 * one_if(is_unknown));
    pack_text_literal(out, "code");
    pack_text_literal(out, status_name(completion->status));
    pack_text_literal(out, "message");
    pack_text(out, completion->message);
    if (completion->operation > 0) {
        pack_number("operation", completion->operation - 1, out);
    }
    if (completion->retry_after_ms > 0) {
        pack_number("retry_after_ms", completion->retry_after_ms, out);
    }
    if (is_unknown) {
        pack_text_literal(out, "session");
        pack_text(out, completion->session);
        pack_number("sequence", completion->sequence, out);
    }
}

void reply_pack(struct bytes tag, const struct client_completion *completion, struct buffer *out)
{
    if (completion->status != STATUS_ok) {
        pack_map(out, 1 + one_if(tag.size > 0));
        if (tag.size > 0) {
            pack_tag(tag, out);
        }
        pack_error(completion, out);
    } else if (completion->kind == CLIENT_READ) {
        pack_read(tag, completion, out);
    } else {
        pack_outcome(tag, completion, out);
    }
}

void reply_pack_failure(struct bytes tag, const struct failure *failure, struct buffer *out)
{
    const struct client_completion completion = {.status = failure->status,
                                                 .message = bytes_from_text(failure->message)};
    static const uint8_t nil = 0xc0;
    reply_pack(tag.size > 0 ? tag : bytes_of(&nil, 1), &completion, out);
}

bool reply_result_field(struct bytes results, const char *name, struct bytes *ret_value)
{
    struct cursor cursor = cursor_of(results);
    uint32_t count;
    return cursor_array(&cursor, &count) == STATUS_ok && count > 0 &&
           value_field(cursor_rest(&cursor), name, ret_value);
}

void reply_failure(const struct client_completion *completion, struct failure *failure)
{
    failure->status = completion->status;
    int size = (int)completion->message.size;
    const char *text = (const char *)completion->message.data;
    if (completion->status == STATUS_unknown_outcome) {
        snprintf(failure->message, sizeof failure->message,
                 "%.*s; `skein txn-status %.*s %llu` tells", size, text,
                 (int)completion->session.size, (const char *)completion->session.data,
                 (unsigned long long)completion->sequence);
        return;
    }
    snprintf(failure->message, sizeof failure->message, "%.*s", size, text);
}
