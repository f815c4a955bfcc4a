/*
 * The configuration file, and settings on a command line behind it: what is taken is sound, and
 * every refusal says where and why.
 */
#include "tests/fuzz/fuzz.h"

#include "actors/runtime/config.h"
#include "actors/runtime/config_check.h"
#include "base/utf8.h"

enum { SETTINGS_MAX = 8 };

static void check_nodes(const struct config *config, const struct config_node *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ASSERT(config_name_is_good(nodes[i].name));
        ASSERT(config_endpoint_mistake(nodes[i].endpoint, false) == NULL);
        ASSERT(config_find(config, nodes[i].name) == &nodes[i]);
        ASSERT(config_endpoint_is_local(nodes[i].endpoint) || !config->auto_format);
    }
}

static void check_config(const struct config *config)
{
    ASSERT(config_name_is_good(config->cluster_name));
    ASSERT(config->data_folder[0] == '/');
    ASSERT(config->coordinator_count >= 1 && config->coordinator_count <= COORDINATOR_COUNT_MAX);
    ASSERT(config->voter_count >= 1 && config->voter_count <= VOTER_COUNT_MAX);
    check_nodes(config, config->coordinators, config->coordinator_count);
    check_nodes(config, config->voters, config->voter_count);
}

// One line for each mistake.
static void check_mistakes(const struct mistakes *mistakes)
{
    size_t lines = 0;
    ASSERT(mistakes->count > 0 && mistakes->text.size > 0);
    for (size_t i = 0; i < mistakes->text.size; i++) {
        lines += mistakes->text.data[i] == '\n';
    }
    ASSERT(lines == mistakes->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buffer_release) struct buffer text = {0};
    AUTO(mistakes_release) struct mistakes mistakes;
    const char *settings[SETTINGS_MAX];
    struct config_source source = {.file = "skein.conf", .settings = settings};
    struct config config;
    mistakes_init(&mistakes);
    buffer_append(&text, bytes_of(data, size));
    buffer_append_u8(&text, 0);
    const char *next = (const char *)text.data + strlen((const char *)text.data) + 1;
    const char *end = (const char *)text.data + text.size;
    for (; next < end && source.setting_count < SETTINGS_MAX; next += strlen(next) + 1) {
        settings[source.setting_count++] = next;
    }
    if (config_load_text(&source, (const char *)text.data, &config, &mistakes) == STATUS_ok) {
        ASSERT(mistakes.count == 0);
        check_config(&config);
    } else {
        check_mistakes(&mistakes);
    }
    return 0;
}
