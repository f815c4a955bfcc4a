/*
 * Documents are kept as they will be sent: one `unchanged` for each collection, with all its ids.
 * Collections are few and searched from end to end. Each find has an `unchanged` of its own.
 */
#include "client/read_set.h"

#include "base/assert.h"
#include "wire/pack.h"

#include <stdlib.h>

void read_set_release(struct read_set *set)
{
    key_table_release(&set->keys);
    for (size_t i = 0; i < set->collection_count; i++) {
        buffer_release(&set->collections[i].name);
        buffer_release(&set->collections[i].ids);
    }
    free(set->collections);
    buffer_release(&set->finds);
    *set = (struct read_set){0};
}

static struct read_collection *take_collection(struct read_set *set, struct bytes name)
{
    for (size_t i = 0; i < set->collection_count; i++) {
        if (bytes_equal(buffer_bytes(&set->collections[i].name), name)) {
            return &set->collections[i];
        }
    }
    set->collections = reallocarray(set->collections, set->collection_count + 1,
                                    sizeof *set->collections);
    ASSERT(set->collections != NULL);
    struct read_collection *collection = &set->collections[set->collection_count++];
    *collection = (struct read_collection){0};
    buffer_append(&collection->name, name);
    return collection;
}

void read_set_add(struct read_set *set, struct bytes collection, const struct document_id *id,
                  uint64_t document_version)
{
    AUTO(buffer_release) struct buffer key = {0};
    key_of_document(collection, id, &key);
    uint32_t count = set->keys.count;
    if (key_table_add(&set->keys, buffer_bytes(&key)) < count) {
        return; // it was in it
    }
    struct read_collection *kept = take_collection(set, collection);
    pack_array(&kept->ids, 2);
    document_id_pack(id, &kept->ids);
    pack_u64(&kept->ids, document_version);
    kept->count++;
}

void read_set_add_find(struct read_set *set, const struct operation *find, uint64_t digest)
{
    struct operation unchanged = {.kind = OPERATION_unchanged,
                                  .collection = find->collection,
                                  .where = find->where,
                                  .index = find->index,
                                  .order = find->order,
                                  .limit = find->limit,
                                  .has_find = true,
                                  .digest = digest};
    operation_pack(&unchanged, &set->finds);
    set->find_count++;
}

uint32_t read_set_pack(const struct read_set *set, struct buffer *out)
{
    AUTO(buffer_release) struct buffer ids = {0};
    for (size_t i = 0; i < set->collection_count; i++) {
        const struct read_collection *collection = &set->collections[i];
        buffer_clear(&ids);
        pack_array(&ids, collection->count);
        buffer_append(&ids, buffer_bytes(&collection->ids));
        struct operation unchanged = {.kind = OPERATION_unchanged,
                                      .collection = buffer_bytes(&collection->name),
                                      .ids = buffer_bytes(&ids)};
        operation_pack(&unchanged, out);
    }
    buffer_append(out, buffer_bytes(&set->finds));
    return (uint32_t)set->collection_count + set->find_count;
}
