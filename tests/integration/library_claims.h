/*
 * What the claims about libskein share: a client or two of a running cluster, and short ways to ask
 * and to compare. A comparison that fails says where and ends the program.
 */
#ifndef SKEIN_TESTS_INTEGRATION_LIBRARY_CLAIMS_H
#define SKEIN_TESTS_INTEGRATION_LIBRARY_CLAIMS_H

#include "client/skein_interactive.h"

struct stage {
    struct skein *skein;    // the client that the claim is about
    struct skein *other;    // somebody else
    const char *collection; // one of its own
    uint32_t timeout_ms;    // of requests
};

struct claim {
    const char *name;
    void (*run)(struct stage *stage);
};

// The claims of a file, up to one without a name.
extern const struct claim FIND_CLAIMS[];
extern const struct claim INTERACTIVE_CLAIMS[];
extern const struct claim RUN_CLAIMS[];

// Ends the program unless `is_true`. EXPECT() says what was expected.
void expect(bool is_true, const char *file, int line, const char *what);
void expect_status(enum skein_status status, enum skein_status expected,
                   const struct skein_error *error, const char *what);

#define EXPECT(condition) expect((condition), __FILE__, __LINE__, #condition)

// A call with the stage's deadline.
struct skein_call stage_call(const struct stage *stage);

// Where a document of the stage's collection is.
struct skein_key stage_key(const struct stage *stage, const char *id);

// Each does one request as `skein` and must succeed.
void stage_put(const struct stage *stage, struct skein *skein, const char *id, const char *json);
void stage_insert(const struct stage *stage, struct skein *skein, int64_t id, const char *json);

// The number in field `n` of a document; -1 when there is no such document.
int64_t stage_number(const struct stage *stage, struct skein *skein, const char *id);
int64_t number_of(const struct skein_document *document);

// Begins an interactive transaction of the stage's client.
struct skein_interactive *stage_begin(const struct stage *stage);

// A get in a transaction, whose end must be this one; the number in field `n`, or -1.
int64_t interactive_number(const struct stage *stage, struct skein_interactive *interactive,
                           const char *id, enum skein_status expected);

// Adds a write to the transaction, as JSON of its fields but op, collection and id.
void interactive_write(const struct stage *stage, struct skein_interactive *interactive,
                       const char *op, const char *id, const char *fields);

// Commits and ends the transaction; how that must end.
struct skein_error interactive_end(const struct stage *stage,
                                   struct skein_interactive **take_interactive,
                                   enum skein_status expected);

#endif
