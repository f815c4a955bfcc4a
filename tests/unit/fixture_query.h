/*
 * Reads of what an executor has written, both as JSON: so what is written and what a query reads
 * can't drift apart.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_QUERY_H
#define SKEIN_TESTS_UNIT_FIXTURE_QUERY_H

#include "storage/marks.h"
#include "tests/unit/fixture_engine.h"
#include "wire/message.h"

struct asker {
    struct engine engine;
    struct marks *marks;
    struct buffer answer;            // owned; the encoded reply
    struct message_read_reply reply; // of the last read, borrowed from `answer`
    struct buffer json;              // owned; its results, with a NUL behind
    uint64_t sequence;               // of the last transaction
};

void asker_init(struct asker *asker);
void asker_release(struct asker *asker);

// Runs a transaction of one operation, which must succeed, and applies its entry.
__attribute__((format(printf, 2, 3))) void asker_write(struct asker *asker, const char *format,
                                                       ...);

// The same with a JSON array of operations, of any size.
void asker_write_all(struct asker *asker, const char *operations);

// Marks the newest version, and says which that is.
uint64_t asker_mark(struct asker *asker);

// Reads with the operations of a JSON array. The message is zero but for what is to be asked.
void asker_read(struct asker *asker, const struct message_read *how, const char *operations);

// Reads the newest version with one operation, and fails the test unless the one result is this
// JSON text, but for its field "stats".
void asker_expect(struct asker *asker, const char *operation, const char *result);

// The same at a marked version.
void asker_expect_at(struct asker *asker, uint64_t version, const char *operation,
                     const char *result);

// Fails the test unless the last read failed so, with a sentence that contains `words`.
void asker_expect_failure(const struct asker *asker, enum status status, const char *words);

// Appends a field of the first result of the last read: whole JSON, texts without their quotes.
// Nothing if there is no such field.
void asker_field(const struct asker *asker, const char *name, struct buffer *out);

#endif
