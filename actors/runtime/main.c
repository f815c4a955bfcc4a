/*
 * skeind: reads the command line and the configuration, then becomes the process asked for.
 *
 * Signals are blocked before anything else, so that every thread that is ever started has them
 * blocked and the loop is the only one to see them.
 */
#include "actors/runtime/launch.h"
#include "actors/runtime/options.h"
#include "actors/runtime/roles.h"
#include "actors/runtime/storage_process.h"

#include <czmq.h>
#include <malloc.h>
#include <stdio.h>

enum { ARENA_COUNT_MAX = 2 };

static int print_version(void)
{
    puts("skeind " SKEIN_VERSION);
    return EXIT_CLEAN;
}

static int refuse_usage(const struct buffer *error)
{
    fprintf(stderr, "skeind: %.*s\nTry: skeind --help\n", (int)error->size,
            (const char *)error->data);
    return EXIT_USAGE;
}

static int refuse_config(const struct mistakes *mistakes)
{
    fwrite(mistakes->text.data, 1, mistakes->text.size, stderr);
    return EXIT_USAGE;
}

static int format(const struct launch_options *options, struct mistakes *mistakes)
{
    struct launch launch;
    if (launch_init(&launch, options, mistakes) != STATUS_ok) {
        return refuse_config(mistakes);
    }
    int exit_code = storage_process_format(&launch);
    launch_release(&launch);
    return exit_code;
}

static int run(const struct launch_options *options, struct mistakes *mistakes)
{
    struct launch launch;
    if (launch_init(&launch, options, mistakes) != STATUS_ok) {
        return refuse_config(mistakes);
    }
    int exit_code = role_is_storage(options->role) ? storage_process_run(&launch)
                                                   : roles_run(&launch);
    launch_release(&launch);
    return exit_code;
}

// The role of the node whose directory is prepared: the one in the file, or a further replica.
static enum role role_to_format(const struct config *config, const char *name)
{
    const struct config_node *node = name != NULL ? config_find(config, name) : NULL;
    return node != NULL && role_is_storage(node->role) ? node->role : ROLE_replica;
}

static int run_command(const struct options *options)
{
    struct mistakes mistakes AUTO(mistakes_release) = {0};
    struct config_source source = {.file = options->file,
                                   .settings = options->settings,
                                   .setting_count = options->setting_count};
    struct config config;
    if (config_load(&source, &config, &mistakes) != STATUS_ok) {
        return refuse_config(&mistakes);
    }
    struct launch_options launch = {
        .source = &source, .config = &config, .role = options->role, .name = options->name};
    if (options->command == COMMAND_FORMAT) {
        launch.role = role_to_format(&config, options->name);
        return format(&launch, &mistakes);
    }
    return options->command == COMMAND_RUN ? run(&launch, &mistakes) : EXIT_CLEAN;
}

int main(int argument_count, char **arguments)
{
    loop_block_signals();
    zsys_handler_set(NULL);
    mallopt(M_ARENA_MAX, ARENA_COUNT_MAX);
    struct buffer error AUTO(buffer_release) = {0};
    struct options options;
    if (options_parse(argument_count, arguments, &options, &error) != STATUS_ok) {
        return refuse_usage(&error);
    }
    switch (options.command) {
    case COMMAND_HELP: fputs(options_help(), stdout); return EXIT_CLEAN;
    case COMMAND_VERSION: return print_version();
    default: return run_command(&options);
    }
}
