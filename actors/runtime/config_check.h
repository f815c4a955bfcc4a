/*
 * What must hold between the values of a configuration, and the form of endpoints.
 */
#ifndef SKEIN_ACTORS_RUNTIME_CONFIG_CHECK_H
#define SKEIN_ACTORS_RUNTIME_CONFIG_CHECK_H

#include "actors/runtime/config.h"

// Where values were set.
struct config_places {
    struct place file; // the file as a whole, for what is missing
    // True and `ret_place` set if the key was set anywhere.
    bool (*find)(const void *context, const char *key, struct place *ret_place);
    const void *context;
};

// Adds a mistake for everything that can't be: no cluster name, no coordinator, no voter, a name or
// endpoint used twice, two preferred primaries, timings that contradict each other, auto_format
// beyond loopback (rule 31).
void config_check(const struct config *config, const struct config_places *places,
                  struct mistakes *mistakes);

// A sentence on what is wrong with an endpoint, NULL if nothing is. With `wants_free_port` its port
// is '*', otherwise a number that others can know. Static text.
const char *config_endpoint_mistake(const char *endpoint, bool wants_free_port);

#endif
