/*
 * A walk over the operations of a read, and one over the fields of its results. Storage nodes look
 * into both again; the reader only refuses what no node would take, and finds out where the read
 * must go.
 *
 * All operations of a read are answered at one version, so cursors of one version only may meet in
 * it.
 */
#include "actors/reader/asked.h"

#include "wire/document/find_cursor.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 4, 5))) static enum status
fail(struct operation_fault *fault, uint32_t number, enum status status, const char *format, ...)
{
    va_list arguments;
    *fault = (struct operation_fault){.operation = number};
    va_start(arguments, format);
    vsnprintf(fault->sentence, sizeof fault->sentence, format, arguments);
    va_end(arguments);
    return status;
}

static bool is_read(enum operation_kind kind)
{
    switch (kind) {
    case OPERATION_get:
    case OPERATION_find:
    case OPERATION_count:
    case OPERATION_history:
    case OPERATION_collections: return true;
    default: return false;
    }
}

// Takes in the version that the cursor of a find names.
static enum status check_cursor(const struct operation *operation, uint32_t number,
                                struct asked *asked, struct operation_fault *fault)
{
    AUTO(buffer_release) struct buffer bytes = {0};
    struct find_cursor cursor;
    if (find_cursor_decode(operation->cursor, &bytes, &cursor) != STATUS_ok) {
        return fail(fault, number, STATUS_bad_request,
                    "operation %u (find) has a cursor that is damaged or is none; begin with the "
                    "first page",
                    number - 1);
    }
    if (asked->has_cursor && cursor.version != asked->cursor_version) {
        return fail(fault, number, STATUS_bad_request,
                    "operation %u (find) has a cursor of another version than the finds before it; "
                    "ask for them one by one",
                    number - 1);
    }
    asked->has_cursor = true;
    asked->cursor_version = cursor.version;
    return STATUS_ok;
}

static enum status check_one(const struct operation *operation, uint32_t number,
                             struct asked *asked, struct operation_fault *fault)
{
    if (!is_read(operation->kind)) {
        return fail(fault, number, STATUS_bad_request,
                    "operation %u (%s) is no read; send it as a transaction", number - 1,
                    operation_kind_name(operation->kind));
    }
    asked->has_scan = asked->has_scan || operation->kind != OPERATION_get;
    asked->has_find = asked->has_find || operation->kind == OPERATION_find;
    return operation->cursor.size == 0 ? STATUS_ok : check_cursor(operation, number, asked, fault);
}

static enum status check_all(struct bytes blob, struct asked *asked, struct operation_fault *fault)
{
    struct operations operations;
    TRY(operations_open(blob, &operations, fault));
    if (operations.count > READ_OPERATIONS_MAX) {
        return fail(fault, 0, STATUS_too_large, "the read has %u operations, %d are allowed",
                    operations.count, READ_OPERATIONS_MAX);
    }
    uint32_t scans = 0;
    while (operations_have_next(&operations)) {
        struct operation operation;
        TRY(operations_next(&operations, &operation, fault));
        TRY(check_one(&operation, operations.taken, asked, fault));
        scans += operation.kind != OPERATION_get;
    }
    if (scans > READ_SCANS_MAX) {
        return fail(fault, 0, STATUS_too_large,
                    "the read has %u operations besides gets, %d are allowed", scans,
                    READ_SCANS_MAX);
    }
    return STATUS_ok;
}

enum status asked_check(struct bytes operations, struct buffer *canonical, struct asked *ret_asked,
                        struct operation_fault *ret_fault)
{
    struct asked asked = {0};
    TRY(check_all(operations, &asked, ret_fault));
    if (asked.has_scan) {
        TRY(operations_canonicalize(operations, canonical, ret_fault));
    }
    if (canonical->size > READ_SIZE_MAX) {
        return fail(ret_fault, 0, STATUS_too_large, "the read is larger than %d bytes",
                    READ_SIZE_MAX);
    }
    *ret_asked = asked;
    return STATUS_ok;
}

// Whether the next result is a find's and says that there is more; passes it.
static enum status take_result(struct cursor *cursor, bool *ret_more)
{
    uint32_t pairs;
    bool is_find = false;
    bool has_more = false;
    TRY(cursor_map(cursor, &pairs));
    for (uint32_t i = 0; i < pairs; i++) {
        struct bytes name;
        TRY(cursor_text(cursor, &name));
        if (bytes_equal(name, bytes_from_text("more"))) {
            TRY(cursor_flag(cursor, &has_more));
        } else {
            is_find = is_find || bytes_equal(name, bytes_from_text("documents"));
            TRY(cursor_skip(cursor, NULL));
        }
    }
    *ret_more = is_find && has_more;
    return STATUS_ok;
}

bool asked_for_more(struct bytes results)
{
    struct cursor cursor = cursor_of(results);
    uint32_t count = 0;
    bool has_more = false;
    enum status status = cursor_array(&cursor, &count);
    for (uint32_t i = 0; i < count && status == STATUS_ok && !has_more; i++) {
        status = take_result(&cursor, &has_more);
    }
    return has_more;
}
