/*
 * A plain model of what an executor keeps, and random operations on both: a world writes operations
 * as JSON, does them to its model, and writes as JSON what their results have to be.
 */
#ifndef SKEIN_TESTS_UNIT_FIXTURE_WORLD_H
#define SKEIN_TESTS_UNIT_FIXTURE_WORLD_H

#include "base/random.h"
#include "tests/unit/fixture_query.h"

enum { COLLECTIONS = 2, IDS = 8, PASTS_MAX = 400, MISSING = -1, N_MAX = 60 };
enum index { INDEX_none, INDEX_building, INDEX_serving, INDEX_broken };

// A document {"a", "n", "u"}; a field may be MISSING.
struct item {
    bool is_there;
    int a;
    int n;
    int u;
    uint64_t version;
    uint64_t time_us;
};

// A version that history keeps; one that isn't there is a deletion.
struct past {
    struct item item;
    uint64_t until_us;
};

struct collection_model {
    bool is_there;
    unsigned ttl_s;
    unsigned history_s;
    bool has_check; // {"n": {"$lt": N_MAX}}
    enum index by_a;
    enum index by_u; // unique
    struct item items[IDS];
    bool touched[IDS]; // by the transaction under way
    struct past pasts[IDS][PASTS_MAX];
    unsigned past_count[IDS];
};

struct model {
    uint64_t version;
    struct collection_model collections[COLLECTIONS];
};

struct world {
    struct random random;
    struct asker asker;
    struct model now;
    struct model before;          // the transaction under way
    struct model settled;         // applied
    struct buffer json;           // operations
    struct buffer results;        // wanted
    enum status status;           // wanted
    uint32_t failed;              // wanted: 1 + number of the operation that fails
    uint32_t count;               // of operations so far
    uint64_t dropped_us;          // when a collection was dropped last; 0: never
    bool changes;                 // something was changed
    unsigned ended[STATUS_COUNT]; // transactions that ended so
};

// Begins a transaction: keeps the model as it is in `before`.
void world_begin(struct world *world);

// True for so many calls in a hundred.
bool world_chance(struct world *world, unsigned percent);

// Appends the document; its bytes in canonical form.
void item_print(struct buffer *out, const struct item *item);
unsigned item_size(const struct item *item);

// Adds an operation on documents to the transaction, or one that makes or drops a collection or an
// index, which has to be the only one. The first operation that fails ends what is done to the
// model, which is then to be put back.
void world_add_operation(struct world *world);
void world_add_schema(struct world *world);

// Ends both lists; they are then texts with a NUL behind.
void world_end(struct world *world);

#endif
