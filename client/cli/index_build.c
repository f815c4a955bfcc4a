/*
 * An index is made by a transaction and built by the primary, bit by bit, beside all other work,
 * through failovers too: whoever waits for it only looks how far it is. Interrupting the tool
 * changes nothing about the build.
 */
#include "client/cli/index_build.h"

#include "client/cli/progress.h"
#include "client/cli/reply.h"
#include "client/cli/value.h"
#include "wire/pack.h"

#include <unistd.h>

enum { LOOK_US = 50000 };

// How a build stands.
struct build {
    struct bytes state; // "building", "ready" or "failed"; borrowed from the answer
    uint64_t done;      // documents that the index has
    uint64_t documents; // of the collection
};

static enum status look(struct call *call, struct client_loop *loop, struct answer *answer)
{
    const struct operation operation = {.kind = OPERATION_collections};
    AUTO(buffer_release) struct buffer operations = {0};
    pack_array(&operations, 1);
    operation_pack(&operation, &operations);
    const struct client_read ask = {.operations = buffer_bytes(&operations),
                                    .level = READ_linearizable,
                                    .timeout_ms = call->timeout_ms};
    return connection_read(call, loop, &ask, answer);
}

// False if there is no such index.
static bool find_build(const struct answer *answer, struct bytes collection, struct bytes index,
                       struct build *ret_build)
{
    struct bytes collections, record, indexes, found;
    if (!reply_result_field(answer->completion.results, "collections", &collections) ||
        !value_element(collections, "name", collection, &record) ||
        !value_field(record, "indexes", &indexes) ||
        !value_element(indexes, "name", index, &found)) {
        return false;
    }
    *ret_build = (struct build){.state = value_text(found, "state"),
                                .done = value_number(found, "done"),
                                .documents = value_number(record, "documents")};
    return true;
}

static enum status fail_unique(struct call *call, struct bytes collection, struct bytes index)
{
    return failure_set(&call->failure, STATUS_unique,
                       "two documents of collection \"%.*s\" have the same value, so the unique "
                       "index \"%.*s\" can't be built; drop it, mend the documents, create it anew",
                       (int)collection.size, (const char *)collection.data, (int)index.size,
                       (const char *)index.data);
}

enum status index_await(struct call *call, struct client_loop *loop, struct bytes collection,
                        struct bytes index)
{
    struct progress progress;
    progress_init(&progress, "building the index", "documents", 0);
    for (;;) {
        AUTO(answer_release) struct answer answer = {0};
        struct build build;
        enum status status = look(call, loop, &answer);
        if (status != STATUS_ok) {
            failure_wrap(&call->failure, "",
                         " (the index goes on being built; `skein collection list` shows it)");
            return status;
        }
        if (!find_build(&answer, collection, index, &build)) {
            return failure_set(&call->failure, STATUS_absent, "the index was dropped meanwhile");
        }
        if (!bytes_equal(build.state, bytes_from_text("building"))) {
            progress_end(&progress);
            bool has_failed = bytes_equal(build.state, bytes_from_text("failed"));
            return has_failed ? fail_unique(call, collection, index) : STATUS_ok;
        }
        progress.total = build.documents;
        progress_show(&progress, build.done);
        usleep(LOOK_US);
    }
}

enum status index_create(struct call *call, struct client_loop *loop,
                         const struct operation *operation, struct answer *answer)
{
    AUTO(buffer_release) struct buffer operations = {0};
    pack_array(&operations, 1);
    operation_pack(operation, &operations);
    TRY(connection_transact(call, loop, buffer_bytes(&operations), answer));
    return index_await(call, loop, operation->collection, operation->index);
}
