/*
 * ASSERT stops the process at a bug, in release builds too: a crash loses nothing that was
 * acknowledged, going on with a broken invariant might. Never assert on input or on a peer.
 */
#ifndef SKEIN_BASE_ASSERT_H
#define SKEIN_BASE_ASSERT_H

// Prints where and what on stderr and aborts.
__attribute__((noreturn, cold)) void assert_failed(const char *file, int line, const char *what);

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0)) {                                                   \
            assert_failed(__FILE__, __LINE__, #condition);                                         \
        }                                                                                          \
    } while (0)

// For the branch that can't be reached.
#define UNREACHABLE() assert_failed(__FILE__, __LINE__, "unreachable")

#endif
