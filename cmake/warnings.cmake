# The flags every file of the project is compiled with; a warning is an error.

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fno-omit-frame-pointer
                    -fvisibility=hidden -D_GNU_SOURCE)
include_directories(${CMAKE_SOURCE_DIR})

option(SKEIN_ASAN "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(SKEIN_TSAN "ThreadSanitizer" OFF)
option(SKEIN_HARDENED "What makes a break-in harder: for programs that are installed" OFF)
if(SKEIN_ASAN)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
    add_link_options(-fsanitize=address,undefined)
endif()
if(SKEIN_TSAN)
    add_compile_options(-fsanitize=thread)
    add_link_options(-fsanitize=thread)
endif()
if(SKEIN_HARDENED)
    add_compile_options(-D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection)
    add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
    if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
        # The marks are forced: Debian's C runtime objects have none, so they would be dropped.
        add_compile_options(-fcf-protection=full)
        add_link_options(-Wl,-z,ibt,-z,shstk)
    endif()
endif()

# Position independent programs; a compiler cache where there is one.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
