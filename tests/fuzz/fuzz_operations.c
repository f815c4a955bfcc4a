/*
 * Blobs of operations: what has a canonical form keeps it, and means the same operations; what was
 * taken and packed again is taken again. Settings, predicates and patches in them are looked into.
 */
#include "tests/fuzz/fuzz.h"

#include "base/utf8.h"
#include "wire/document/document.h"
#include "wire/document/operation.h"
#include "wire/document/settings.h"
#include "wire/pack.h"

static void check_fault(const struct operation_fault *fault)
{
    ASSERT(fuzz_is_sentence(fault->sentence));
    ASSERT(fault->operation <= TRANSACTION_OPERATIONS_MAX);
}

// An operation packed alone is a blob of that operation.
static void check_packed(const struct operation *operation)
{
    AUTO(buffer_release) struct buffer first = {0};
    AUTO(buffer_release) struct buffer second = {0};
    struct operations walk;
    struct operation taken;
    struct operation_fault fault;
    pack_array(&first, 1);
    operation_pack(operation, &first);
    ASSERT(operations_open(buffer_bytes(&first), &walk, &fault) == STATUS_ok);
    ASSERT(operations_next(&walk, &taken, &fault) == STATUS_ok);
    ASSERT(taken.kind == operation->kind && !operations_have_next(&walk));
    pack_array(&second, 1);
    operation_pack(&taken, &second);
    ASSERT(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
}

// Walks a blob; the number of its operations, 0 if something is wrong with one of them.
static uint32_t walk_blob(struct bytes blob, bool is_canonical)
{
    struct operations walk;
    struct operation operation;
    struct operation_fault fault;
    if (operations_open(blob, &walk, &fault) != STATUS_ok) {
        check_fault(&fault);
        return 0;
    }
    ASSERT(walk.count > 0 && walk.count <= TRANSACTION_OPERATIONS_MAX);
    while (operations_have_next(&walk)) {
        if (operations_next(&walk, &operation, &fault) != STATUS_ok) {
            check_fault(&fault);
            return 0;
        }
        check_packed(&operation);
        enum status meaning = operation_check_meaning(&operation, walk.taken, &fault);
        ASSERT(!is_canonical || meaning == STATUS_ok);
        ASSERT(!is_canonical || operation.document.size == 0 ||
               document_is_canonical(operation.document));
    }
    return walk.count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer canonical = {0};
    AUTO(buffer_release) struct buffer again = {0};
    struct bytes blob = bytes_of(data, size);
    struct operation_fault fault;
    uint32_t count = walk_blob(blob, false);
    if (operations_canonicalize(blob, &canonical, &fault) != STATUS_ok) {
        check_fault(&fault);
        ASSERT(canonical.size == 0);
        return 0;
    }
    AUTO(fuzz_copy_release) struct fuzz_copy copy = fuzz_copy_of(buffer_bytes(&canonical));
    ASSERT(count > 0 && walk_blob(fuzz_copy_bytes(&copy), true) == count);
    ASSERT(operations_canonicalize(fuzz_copy_bytes(&copy), &again, &fault) == STATUS_ok);
    ASSERT(bytes_equal(buffer_bytes(&canonical), buffer_bytes(&again)));
    return 0;
}
