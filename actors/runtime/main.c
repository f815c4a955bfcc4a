/*
 * skeind: reads the command line and the configuration, then becomes the process asked for.
 */
#include "actors/runtime/config.h"

#include <stdio.h>

int main(int argument_count, char **arguments)
{
    struct config config;
    struct mistakes mistakes;
    mistakes_init(&mistakes);
    struct config_source source = {.file = argument_count > 1 ? arguments[1] : CONFIG_FILE_DEFAULT};
    enum status status = config_load(&source, &config, &mistakes);
    fwrite(mistakes.text.data, 1, mistakes.text.size, stderr);
    mistakes_release(&mistakes);
    return status == STATUS_ok ? 0 : 2;
}
