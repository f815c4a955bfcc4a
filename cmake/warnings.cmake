# The warnings every file of the project is compiled with; a warning is an error.

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fno-omit-frame-pointer
                    -fvisibility=hidden -D_GNU_SOURCE)
include_directories(${CMAKE_SOURCE_DIR})

option(SKEIN_ASAN "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(SKEIN_TSAN "ThreadSanitizer" OFF)
if(SKEIN_ASAN)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
    add_link_options(-fsanitize=address,undefined)
endif()
if(SKEIN_TSAN)
    add_compile_options(-fsanitize=thread)
    add_link_options(-fsanitize=thread)
endif()
