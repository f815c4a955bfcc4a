/*
 * Lines of JSON that the command line tool takes: requests of `skein pipe` and documents of `skein
 * load`. What is made of them can be taken apart as the servers do.
 */
#include "tests/fuzz/fuzz.h"

#include "client/cli/load_line.h"
#include "client/cli/request.h"
#include "wire/document/document.h"
#include "wire/document/operation.h"

static void check_operations(const struct request *request)
{
    AUTO(buffer_release) struct buffer canonical = {0};
    struct operations walk;
    struct operation operation;
    struct operation_fault fault;
    enum status status = operations_canonicalize(request->operations, &canonical, &fault);
    ASSERT(status == STATUS_ok || fuzz_is_sentence(fault.sentence));
    if (request->kind == REQUEST_txn) {
        return;
    }
    ASSERT(operations_open(request->operations, &walk, &fault) == STATUS_ok && walk.count == 1);
    bool is_find = request->kind == REQUEST_find;
    if (operations_next(&walk, &operation, &fault) == STATUS_ok) {
        ASSERT(operation.kind == (is_find ? OPERATION_find : OPERATION_get));
    } else {
        ASSERT(fuzz_is_sentence(fault.sentence));
    }
}

static void check_request(struct bytes line)
{
    AUTO(request_release) struct request request;
    struct failure failure = {0};
    request_init(&request);
    if (request_parse(&request, line, &failure) != STATUS_ok) {
        ASSERT(failure.status != STATUS_ok && fuzz_is_sentence(failure.message));
        return;
    }
    struct cursor tag = cursor_of(request.tag);
    ASSERT(request.tag.size == 0 || (cursor_skip(&tag, NULL) == STATUS_ok && cursor_at_end(&tag)));
    ASSERT(request.timeout_ms <= DEADLINE_MS_MAX);
    ASSERT((request.session.size > 0) == (request.sequence > 0));
    check_operations(&request);
}

static void check_load(struct bytes text)
{
    AUTO(load_line_release) struct load_line line = {0};
    struct failure failure = {0};
    if (load_line_is_blank(text)) {
        return;
    }
    if (load_line_parse(&line, text, &failure) == STATUS_ok) {
        ASSERT(document_is_canonical(buffer_bytes(&line.document)));
    } else {
        ASSERT(failure.status != STATUS_ok && fuzz_is_sentence(failure.message));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes line = bytes_of(data, size);
    check_request(line);
    check_load(line);
    return 0;
}
