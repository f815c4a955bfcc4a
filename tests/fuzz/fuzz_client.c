/*
 * The client's machine among servers that answer anything: each of its requests ends at most once,
 * and those that are left are as many as it says.
 */
#include "tests/fuzz/fuzz.h"

#include "client/requests.h"
#include "tests/fuzz/machine.h"

enum { REQUESTS = 6 };

struct asking {
    struct client *client;
    bool has_ended[REQUESTS]; // by tag
    size_t made;
    size_t ended;
};

// One operation, {"op": "get", "collection": "c", "id": 1}, in an array.
static const char OPERATIONS[] = "\x91\x83\xa2op\xa3get\xaa"
                                 "collection\xa1"
                                 "c\xa2id\x01";

static struct bytes operations(void)
{
    return bytes_of(OPERATIONS, sizeof OPERATIONS - 1);
}

static void ask(struct asking *asking, size_t tag, const struct event *event, struct outbox *out)
{
    const uint32_t timeout_ms = 500;
    uint64_t request;
    enum status status = STATUS_ok;
    const struct client_transaction transaction = {
        .operations = operations(), .timeout_ms = timeout_ms, .tag = tag};
    const struct client_read read = {.operations = operations(),
                                     .level = tag % 2 == 0 ? READ_linearizable : READ_session,
                                     .timeout_ms = timeout_ms,
                                     .tag = tag};
    const struct client_status question = {.session = bytes_from_text("mine"),
                                           .sequence = 1 + tag,
                                           .timeout_ms = timeout_ms,
                                           .tag = tag};
    const struct client_mark mark = {.timeout_ms = timeout_ms, .tag = tag};
    struct client *client = asking->client;
    switch (tag) {
    case 0:
    case 1: status = client_transact(client, &transaction, event->now_us, out, &request); break;
    case 2:
    case 3: status = client_read(client, &read, event->now_us, out, &request); break;
    case 4: status = client_status(client, &question, event->now_us, out, &request); break;
    default: status = client_mark(client, &mark, event->now_us, out, &request); break;
    }
    ASSERT(status == STATUS_ok);
    asking->made++;
}

static void take_ends(struct asking *asking)
{
    struct client_completion completion;
    while (client_next(asking->client, &completion)) {
        ASSERT(completion.tag < REQUESTS && !asking->has_ended[completion.tag]);
        ASSERT(completion.status == STATUS_ok || completion.results.size == 0);
        asking->has_ended[completion.tag] = true;
        asking->ended++;
    }
    ASSERT(client_outstanding(asking->client) == asking->made - asking->ended);
}

static void step(void *self, const struct event *event, struct outbox *out)
{
    struct asking *asking = self;
    client_step(asking->client, event, out);
    take_ends(asking);
    if (asking->made < REQUESTS && event->kind != EVENT_STOP) {
        ask(asking, asking->made, event, out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes endpoints[] = {bytes_from_text("tcp://w1:7400"),
                                      bytes_from_text("tcp://c1:7300")};
    const struct client_options options = {.endpoints = endpoints, .endpoint_count = 2, .seed = 3};
    struct asking asking = {.client = client_new(&options)};
    const struct machine machine = {.self = &asking, .step = step};
    fuzz_machine_run(&machine, bytes_of(data, size));
    client_destroy(&asking.client);
    return 0;
}
