/*
 * What finds cost a storage node: queries as readers ask them, of a collection of 200000
 * documents of about 256 bytes on RocksDB, half of it flushed, half in memory.
 *
 *   bench_find [SECONDS [DOCUMENTS]]     prints one line a measurement
 */
#include "base/assert.h"
#include "base/random.h"
#include "storage/cells.h"
#include "storage/marks.h"
#include "storage/query.h"
#include "storage/rocksdb/state_rocksdb.h"
#include "tests/bench/bench_clock.h"
#include "wire/document/operation.h"
#include "wire/pack.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DOCUMENTS = 200000,
    GROUP_SIZE = 10, // documents with the same "group"
    FILLER_SIZE = 200,
    BATCH = 256,
    QUERY_COUNT = 64, // to choose from
};

struct bench {
    struct state *state;
    struct marks *marks;
    struct collection_record record;
    struct index_record indexes[2];
    struct random random;
    unsigned documents;
    double seconds; // of one measurement
    struct buffer answer;
};

static void pack_document(struct bench *bench, unsigned number, struct buffer *out)
{
    uint8_t filler[FILLER_SIZE];
    for (size_t i = 0; i < sizeof filler; i++) {
        filler[i] = (uint8_t)('a' + random_below(&bench->random, 16));
    }
    pack_map(out, 4);
    pack_text_literal(out, "group");
    pack_u64(out, number % (bench->documents / GROUP_SIZE));
    pack_text_literal(out, "number");
    pack_u64(out, number);
    pack_text_literal(out, "shade");
    pack_u64(out, number % 7);
    pack_text_literal(out, "text");
    pack_text(out, bytes_of(filler, sizeof filler));
}

static struct document_id id_of(unsigned number, char text[24])
{
    snprintf(text, 24, "%016llx",
             (unsigned long long)(number + 1) * 0x9e3779b97f4a7c15ULL); // in no order
    return (struct document_id){.is_text = true, .text = bytes_from_text(text)};
}

static void add_document(struct bench *bench, unsigned number, struct state_batch *batch)
{
    char text[24];
    struct document_id id = id_of(number, text);
    AUTO(buffer_release) struct buffer document = {0};
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer value = {0};
    pack_document(bench, number, &document);
    struct stored_document stored = {number + 1, number + 1, buffer_bytes(&document)};
    cell_key_document(&key, bench->record.id, &id);
    stored_document_encode(&stored, &value);
    state_batch_put(batch, buffer_bytes(&key), buffer_bytes(&value));
    buffer_clear(&value);
    document_id_append_key(&id, &value);
    for (size_t i = 0; i < bench->record.index_count; i++) {
        bool is_shared;
        buffer_clear(&key);
        ASSERT(index_entry_key(&bench->indexes[i], stored.document, &id, &key, &is_shared) ==
               STATUS_ok);
        state_batch_put(batch, buffer_bytes(&key), buffer_bytes(&value));
    }
}

static void add_collection(struct bench *bench, struct state_batch *batch)
{
    AUTO(buffer_release) struct buffer key = {0};
    AUTO(buffer_release) struct buffer value = {0};
    bench->indexes[0] = (struct index_record){.id = 1, .name = bytes_from_text("group")};
    bench->indexes[0].fields[0] = bytes_from_text("group");
    bench->indexes[1] = (struct index_record){.id = 2, .name = bytes_from_text("number")};
    bench->indexes[1].fields[0] = bytes_from_text("number");
    for (size_t i = 0; i < 2; i++) {
        bench->indexes[i].field_count = 1;
        bench->indexes[i].state = INDEX_READY;
    }
    bench->record = (struct collection_record){
        .id = 1, .indexes = bench->indexes, .index_count = 2};
    cell_key_collection(&key, bytes_from_text("bench"));
    collection_record_encode(&bench->record, &value);
    state_batch_put(batch, buffer_bytes(&key), buffer_bytes(&value));
}

static void fill(struct bench *bench)
{
    struct state_batch batch = {0};
    add_collection(bench, &batch);
    for (unsigned number = 0; number < bench->documents; number++) {
        add_document(bench, number, &batch);
        if (number % BATCH == 0 || number + 1 == bench->documents) {
            ASSERT(state_write(bench->state, &batch) == STATUS_ok);
            state_batch_clear(&batch);
        }
        if (number == bench->documents / 2) {
            ASSERT(state_flush(bench->state) == STATUS_ok);
        }
    }
    ASSERT(marks_add(bench->marks, 0, 0) == STATUS_ok);
    state_batch_release(&batch);
}

// What is asked: a find, or as many gets.
struct question {
    const char *name;
    const char *field; // that equals, or is at least, a random number; NULL: gets
    bool is_range;
    const char *order; // NULL for none
    unsigned limit;
};

static void pack_where(const struct question *question, uint64_t value, struct buffer *out)
{
    pack_map(out, 1);
    pack_text_literal(out, question->field);
    if (question->is_range) {
        pack_map(out, 1);
        pack_text_literal(out, "$gte");
    }
    pack_u64(out, value);
}

static void pack_question(struct bench *bench, const struct question *question,
                          struct buffer *operations)
{
    AUTO(buffer_release) struct buffer where = {0};
    struct operation operation = {.collection = bytes_from_text("bench")};
    if (question->field == NULL) {
        pack_array(operations, question->limit);
        for (unsigned i = 0; i < question->limit; i++) {
            char text[24];
            operation.kind = OPERATION_get;
            operation.has_id = true;
            operation.id = id_of((unsigned)random_below(&bench->random, bench->documents), text);
            operation_pack(&operation, operations);
        }
        return;
    }
    uint64_t bound = question->is_range ? bench->documents - question->limit
                                        : bench->documents / GROUP_SIZE;
    pack_where(question, random_below(&bench->random, bound), &where);
    operation.kind = OPERATION_find;
    operation.where = buffer_bytes(&where);
    operation.limit = question->limit;
    if (question->order != NULL) {
        operation.order = bytes_from_text(question->order);
    }
    pack_array(operations, 1);
    operation_pack(&operation, operations);
}

static void ask(struct bench *bench, const struct buffer *operations)
{
    struct message message = {.kind = MESSAGE_read};
    message.read.request = 1;
    message.read.level = READ_any;
    message.read.operations = buffer_bytes(operations);
    buffer_clear(&bench->answer);
    query_run(bench->state, bench->marks, &message, &bench->answer);
    struct bytes rest = buffer_bytes(&bench->answer);
    struct message reply;
    ASSERT(message_decode(&rest, &reply) == STATUS_ok);
    ASSERT(reply.read_reply.status == STATUS_ok);
}

static void measure(struct bench *bench, const struct question *question)
{
    struct buffer operations[QUERY_COUNT] = {0};
    double used = 0;
    uint64_t count = 0;
    while (used < bench->seconds) {
        for (size_t i = 0; i < QUERY_COUNT; i++) {
            buffer_clear(&operations[i]);
            pack_question(bench, question, &operations[i]);
        }
        double start = clock_s(CLOCK_THREAD_CPUTIME_ID);
        for (size_t i = 0; i < QUERY_COUNT; i++) {
            ask(bench, &operations[i]);
        }
        used += clock_s(CLOCK_THREAD_CPUTIME_ID) - start;
        count += QUERY_COUNT;
    }
    printf("%-56s %9.2f us CPU, answer of %zu bytes\n", question->name, used / (double)count * 1e6,
           bench->answer.size);
    fflush(stdout);
    for (size_t i = 0; i < QUERY_COUNT; i++) {
        buffer_release(&operations[i]);
    }
}

static void measure_all(struct bench *bench)
{
    static const struct question QUESTIONS[] = {
        {"1 get", NULL, false, NULL, 1},
        {"10 gets", NULL, false, NULL, 10},
        {"find of 10 by index, equality", "group", false, NULL, 20},
        {"find of 10 by index, equality, limit reached", "group", false, NULL, 10},
        {"find of 10 by index, equality, sorted", "group", false, "-shade", 20},
        {"find of 10 by index, range", "number", true, "number", 10},
        {"find of 10 by index, range, backwards", "number", true, "-number", 10},
        {"find of 1 by index, equality", "number", false, NULL, 2},
        {"find of 10 by scan, one in seven", "shade", false, NULL, 10},
    };
    for (size_t i = 0; i < sizeof QUESTIONS / sizeof QUESTIONS[0]; i++) {
        measure(bench, &QUESTIONS[i]);
    }
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *where)
{
    (void)stat;
    (void)flag;
    (void)where;
    return remove(path);
}

int main(int argc, char **argv)
{
    char path[] = "/tmp/skein-bench-XXXXXX";
    ASSERT(mkdtemp(path) != NULL);
    struct buffer error = {0};
    struct bench bench = {
        .seconds = argc > 1 ? strtod(argv[1], NULL) : 1,
        .documents = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : DOCUMENTS,
    };
    random_init(&bench.random, 1);
    ASSERT(state_rocksdb_open(path, NULL, &bench.state, &error) == STATUS_ok);
    bench.marks = marks_new(bench.state);
    fill(&bench);
    measure_all(&bench);
    marks_destroy(&bench.marks);
    state_destroy(&bench.state);
    buffer_release(&bench.answer);
    ASSERT(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
    return 0;
}
