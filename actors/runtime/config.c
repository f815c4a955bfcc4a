/*
 * Every item goes the same way, whether it stands in the file or was given by --set: by its path to
 * the one place of the config that it sets. Single values are listed in one table (KEYS); nodes
 * have paths of their own, coordinators/NAME and storage/NAME/{role,endpoint}. A path that is
 * neither is a mistake, and so is a key that the file sets twice.
 *
 * Values are checked one by one as they come, then config_check.c looks at all of them together.
 */
#include "actors/runtime/config.h"

#include "actors/runtime/config_check.h"
#include "actors/runtime/zpl.h"
#include "base/assert.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum key_kind { KEY_NAME, KEY_FOLDER, KEY_LISTEN, KEY_FLAG, KEY_NUMBER };

// A key that sets one value.
struct key {
    const char *path;
    enum key_kind kind;
    size_t offset; // of the value in struct config
    uint32_t min;  // KEY_NUMBER
    uint32_t max;  // KEY_NUMBER
};

#define TEXT_KEY(path, kind, field)                                                                \
    {                                                                                              \
        path, kind, offsetof(struct config, field), 0, 0                                           \
    }
#define NUMBER_KEY(path, field, min, max)                                                          \
    {                                                                                              \
        path, KEY_NUMBER, offsetof(struct config, field), min, max                                 \
    }
#define TIMING_KEY(name, min, max) NUMBER_KEY("timings/" #name, timings.name, min, max)

static const struct key KEYS[] = {
    TEXT_KEY("cluster", KEY_NAME, cluster_name),
    TEXT_KEY("data", KEY_FOLDER, data_folder),
    TEXT_KEY("listen", KEY_LISTEN, listen),
    TEXT_KEY("auto_format", KEY_FLAG, auto_format),
    NUMBER_KEY("log_debug", log_debug, 0, 1),
    NUMBER_KEY("query_threads", query_threads, 1, 16),
    TIMING_KEY(suspect_after_ms, 50, 60000),
    TIMING_KEY(heartbeat_ms, 1, 15000),
    TIMING_KEY(beat_ms, 10, 60000),
    TIMING_KEY(member_expiry_ms, 100, 600000),
    TIMING_KEY(election_step_ms, 10, 60000),
    TIMING_KEY(horizon_ms, 1000, 3600000),
    TIMING_KEY(stall_ms, 100, 60000),
    TIMING_KEY(gather_us, 0, 100000),
    NUMBER_KEY("memory/state_cache_mib", state_cache_mib, 1, 1024 * 1024),
    NUMBER_KEY("memory/state_buffer_mib", state_buffer_mib, 1, 1024),
};

enum { KEY_COUNT = sizeof KEYS / sizeof KEYS[0] };

static const char *const SECTIONS[] = {"coordinators", "storage", "timings", "memory"};

// One reading.
struct loader {
    struct config *config;
    struct mistakes *mistakes;
    struct place seen[KEY_COUNT]; // where the key was set; source NULL for not at all
    bool is_override;             // items come from --set now
};

static bool is_between(size_t value, size_t min, size_t max)
{
    return value >= min && value <= max;
}

bool config_name_is_good(const char *name)
{
    if (!is_between(strlen(name), 1, NAME_SIZE_MAX) || !isalnum((unsigned char)name[0])) {
        return false;
    }
    for (; *name != '\0'; name++) {
        if (!isalnum((unsigned char)*name) && strchr("-_.", *name) == NULL) {
            return false;
        }
    }
    return true;
}

bool config_endpoint_is_local(const char *endpoint)
{
    static const char *const local[] = {"ipc://", "tcp://127.", "tcp://localhost:"};
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        if (strncmp(endpoint, local[i], strlen(local[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void take_name(struct loader *loader, const struct zpl_item *item,
                      char into[static NAME_SIZE_MAX + 1])
{
    if (!config_name_is_good(item->value)) {
        mistakes_add(loader->mistakes, item->place,
                     "%s = \"%s\": a name is 1 to %d letters, digits, '-', '_' and '.'", item->path,
                     item->value, NAME_SIZE_MAX);
        return;
    }
    text_copy(into, NAME_SIZE_MAX + 1, item->value);
}

static void take_folder(struct loader *loader, const struct zpl_item *item,
                        char into[static CONFIG_FOLDER_SIZE_MAX + 1])
{
    if (item->value[0] != '/' || strlen(item->value) > CONFIG_FOLDER_SIZE_MAX) {
        mistakes_add(loader->mistakes, item->place,
                     "%s = \"%s\": a folder is an absolute path of at most %d bytes", item->path,
                     item->value, CONFIG_FOLDER_SIZE_MAX);
        return;
    }
    text_copy(into, CONFIG_FOLDER_SIZE_MAX + 1, item->value);
}

static void take_endpoint(struct loader *loader, const struct zpl_item *item, bool wants_free_port,
                          char into[static ENDPOINT_SIZE_MAX + 1])
{
    const char *wrong = config_endpoint_mistake(item->value, wants_free_port);
    if (wrong != NULL) {
        mistakes_add(loader->mistakes, item->place, "%s = \"%s\": %s", item->path, item->value,
                     wrong);
        return;
    }
    text_copy(into, ENDPOINT_SIZE_MAX + 1, item->value);
}

// True and `ret_number` set if the whole text is a number between min and max.
static bool parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *ret_number)
{
    if (!is_between(strlen(text), 1, 10) || strspn(text, "0123456789") != strlen(text)) {
        return false;
    }
    unsigned long long number = strtoull(text, NULL, 10);
    *ret_number = (uint32_t)number;
    return number >= min && number <= max;
}

static void take_flag(struct loader *loader, const struct zpl_item *item, bool *into)
{
    uint32_t number;
    if (!parse_number(item->value, 0, 1, &number)) {
        mistakes_add(loader->mistakes, item->place, "%s = \"%s\": it is 0 or 1", item->path,
                     item->value);
        return;
    }
    *into = number == 1;
}

static void take_number(struct loader *loader, const struct zpl_item *item, const struct key *key,
                        uint32_t *into)
{
    uint32_t number;
    if (!parse_number(item->value, key->min, key->max, &number)) {
        mistakes_add(loader->mistakes, item->place, "%s = \"%s\": it is a number from %u to %u",
                     item->path, item->value, key->min, key->max);
        return;
    }
    *into = number;
}

static void refuse_second(struct loader *loader, const struct zpl_item *item, bool is_set)
{
    if (is_set && !loader->is_override) {
        mistakes_add(loader->mistakes, item->place, "%s is set already", item->path);
    }
}

static void take_key(struct loader *loader, const struct zpl_item *item, const struct key *key)
{
    struct place *seen = &loader->seen[key - KEYS];
    refuse_second(loader, item, seen->source != NULL);
    *seen = item->place;
    void *into = (char *)loader->config + key->offset;
    switch (key->kind) {
    case KEY_NAME: take_name(loader, item, into); break;
    case KEY_FOLDER: take_folder(loader, item, into); break;
    case KEY_LISTEN: take_endpoint(loader, item, true, into); break;
    case KEY_FLAG: take_flag(loader, item, into); break;
    case KEY_NUMBER: take_number(loader, item, key, into); break;
    }
}

// The node of this name in the list, added to it when it is new; NULL after a mistake.
static struct config_node *node_of(struct loader *loader, const struct zpl_item *item,
                                   const char *name, bool is_coordinator)
{
    struct config *config = loader->config;
    struct config_node *nodes = is_coordinator ? config->coordinators : config->voters;
    size_t *count = is_coordinator ? &config->coordinator_count : &config->voter_count;
    size_t max = is_coordinator ? COORDINATOR_COUNT_MAX : VOTER_COUNT_MAX;
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(nodes[i].name, name) == 0) {
            return &nodes[i];
        }
    }
    if (!config_name_is_good(name)) {
        mistakes_add(loader->mistakes, item->place,
                     "\"%s\": a name is 1 to %d letters, digits, '-', '_' and '.'", name,
                     NAME_SIZE_MAX);
        return NULL;
    }
    if (*count == max) {
        mistakes_add(loader->mistakes, item->place, "%s is one too many: there can be %zu at most",
                     item->path, max);
        return NULL;
    }
    struct config_node *node = &nodes[(*count)++];
    *node = (struct config_node){.place = item->place};
    text_copy(node->name, sizeof node->name, name);
    return node;
}

static void take_coordinator(struct loader *loader, const struct zpl_item *item, const char *name)
{
    struct config_node *node = node_of(loader, item, name, true);
    if (node == NULL) {
        return;
    }
    refuse_second(loader, item, node->endpoint[0] != '\0');
    node->role = ROLE_coordinator;
    take_endpoint(loader, item, false, node->endpoint);
}

static void take_storage_role(struct loader *loader, const struct zpl_item *item,
                              struct config_node *node)
{
    refuse_second(loader, item, node->role != 0);
    enum role role;
    if (!role_from_name(bytes_from_text(item->value), &role) || !role_is_storage(role)) {
        mistakes_add(loader->mistakes, item->place, "%s = \"%s\": it is primary or replica",
                     item->path, item->value);
        return;
    }
    node->role = role;
}

static void refuse_key(struct loader *loader, const struct zpl_item *item)
{
    mistakes_add(loader->mistakes, item->place, "there is no key %s", item->path);
}

// `rest` is NAME, NAME/role or NAME/endpoint.
static void take_storage(struct loader *loader, const struct zpl_item *item, const char *rest)
{
    size_t size = strcspn(rest, "/");
    char name[NAME_SIZE_MAX + 2] = "";
    memcpy(name, rest, size < sizeof name ? size : sizeof name - 1);
    const char *field = rest[size] == '/' ? rest + size + 1 : "";
    struct config_node *node = node_of(loader, item, name, false);
    if (node == NULL) {
        return;
    }
    if (strcmp(field, "role") == 0) {
        take_storage_role(loader, item, node);
    } else if (strcmp(field, "endpoint") == 0) {
        refuse_second(loader, item, node->endpoint[0] != '\0');
        take_endpoint(loader, item, false, node->endpoint);
    } else if (field[0] != '\0') {
        refuse_key(loader, item);
    } else if (item->value[0] != '\0') {
        mistakes_add(loader->mistakes, item->place,
                     "%s has no value of its own, but a role and an endpoint below it", item->path);
    }
}

static bool is_section(const char *path)
{
    for (size_t i = 0; i < sizeof SECTIONS / sizeof SECTIONS[0]; i++) {
        if (strcmp(SECTIONS[i], path) == 0) {
            return true;
        }
    }
    return false;
}

static void take_section(struct loader *loader, const struct zpl_item *item)
{
    if (item->value[0] != '\0') {
        mistakes_add(loader->mistakes, item->place, "%s is a section and has no value", item->path);
    }
}

// What follows "SECTION/" in the path, NULL if it does not begin so.
static const char *path_below(const char *path, const char *section)
{
    size_t size = strlen(section);
    bool is_below = strncmp(path, section, size) == 0 && path[size] == '/';
    return is_below ? path + size + 1 : NULL;
}

static const struct key *find_key(const char *path)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(KEYS[i].path, path) == 0) {
            return &KEYS[i];
        }
    }
    return NULL;
}

static void take_item(void *context, const struct zpl_item *item)
{
    struct loader *loader = context;
    const struct key *key = find_key(item->path);
    const char *coordinator = path_below(item->path, "coordinators");
    const char *storage = path_below(item->path, "storage");
    if (key != NULL) {
        take_key(loader, item, key);
    } else if (is_section(item->path)) {
        take_section(loader, item);
    } else if (coordinator != NULL) {
        take_coordinator(loader, item, coordinator);
    } else if (storage != NULL) {
        take_storage(loader, item, storage);
    } else {
        refuse_key(loader, item);
    }
}

static void take_setting(struct loader *loader, const char *setting)
{
    struct place place = {.source = setting, .is_setting = true};
    const char *equals = strchr(setting, '=');
    if (equals == NULL || equals - setting >= ZPL_PATH_SIZE_MAX) {
        mistakes_add(loader->mistakes, place, "it should be KEY=VALUE");
        return;
    }
    char path[ZPL_PATH_SIZE_MAX] = "";
    memcpy(path, setting, (size_t)(equals - setting));
    struct zpl_item item = {.path = path, .value = equals + 1, .place = place};
    take_item(loader, &item);
}

static void config_init(struct config *config)
{
    *config = (struct config){
        .data_folder = "/var/lib/skein",
        .listen = "tcp://127.0.0.1:*",
        .timings = timings_default(),
        .query_threads = 1,
        .state_cache_mib = 16,
        .state_buffer_mib = 16,
    };
}

// For config_check(): where a key was set.
static bool find_place(const void *context, const char *path, struct place *ret_place)
{
    const struct loader *loader = context;
    const struct key *key = find_key(path);
    ASSERT(key != NULL);
    *ret_place = loader->seen[key - KEYS];
    return ret_place->source != NULL;
}

static enum status finish_load(struct loader *loader, const struct config_source *source)
{
    loader->is_override = true;
    for (size_t i = 0; i < source->setting_count; i++) {
        take_setting(loader, source->settings[i]);
    }
    struct config_places places = {
        .file = {.source = source->file}, .find = find_place, .context = loader};
    config_check(loader->config, &places, loader->mistakes);
    return loader->mistakes->count == 0 ? STATUS_ok : STATUS_bad_request;
}

enum status config_load(const struct config_source *source, struct config *ret_config,
                        struct mistakes *mistakes)
{
    config_init(ret_config);
    struct loader loader = {.config = ret_config, .mistakes = mistakes};
    struct zpl_reader reader = {.take = take_item, .context = &loader};
    TRY(zpl_read(source->file, &reader, mistakes));
    return finish_load(&loader, source);
}

enum status config_load_text(const struct config_source *source, const char *text,
                             struct config *ret_config, struct mistakes *mistakes)
{
    config_init(ret_config);
    struct loader loader = {.config = ret_config, .mistakes = mistakes};
    struct zpl_reader reader = {.take = take_item, .context = &loader};
    TRY(zpl_read_text(source->file, text, &reader, mistakes));
    return finish_load(&loader, source);
}

static const struct config_node *find_node(const struct config_node *nodes, size_t count,
                                           const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(nodes[i].name, name) == 0) {
            return &nodes[i];
        }
    }
    return NULL;
}

const struct config_node *config_find(const struct config *config, const char *name)
{
    const struct config_node *node = find_node(config->coordinators, config->coordinator_count,
                                               name);
    return node != NULL ? node : find_node(config->voters, config->voter_count, name);
}
