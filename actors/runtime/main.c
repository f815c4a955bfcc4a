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

static int format(const struct options *options, const struct config *config,
                  struct mistakes *mistakes)
{
    const struct config_node *node = options->name != NULL ? config_find(config, options->name)
                                                           : NULL;
    enum role role = node != NULL ? node->role : ROLE_replica;
    struct launch launch;
    if (launch_init(&launch, config, role, options->name, mistakes) != STATUS_ok) {
        return refuse_config(mistakes);
    }
    int exit_code = storage_process_format(&launch);
    launch_release(&launch);
    return exit_code;
}

static int run(const struct options *options, const struct config *config,
               struct mistakes *mistakes)
{
    struct launch launch;
    if (launch_init(&launch, config, options->role, options->name, mistakes) != STATUS_ok) {
        return refuse_config(mistakes);
    }
    int exit_code = role_is_storage(options->role) ? storage_process_run(&launch)
                                                   : roles_run(&launch);
    launch_release(&launch);
    return exit_code;
}

static int with_config(const struct options *options)
{
    struct mistakes mistakes AUTO(mistakes_release) = {0};
    struct config_source source = {.file = options->file,
                                   .settings = options->settings,
                                   .setting_count = options->setting_count};
    struct config config;
    if (config_load(&source, &config, &mistakes) != STATUS_ok) {
        return refuse_config(&mistakes);
    }
    switch (options->command) {
    case COMMAND_FORMAT: return format(options, &config, &mistakes);
    case COMMAND_RUN: return run(options, &config, &mistakes);
    default: return EXIT_CLEAN;
    }
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
    default: return with_config(&options);
    }
}
