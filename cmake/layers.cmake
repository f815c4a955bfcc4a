# skein_layer(FOLDER [USES layer...] [EXTERNAL target...])
#
# Makes two static libraries of FOLDER/*.c: `skein_<folder>` for the daemons and the tools, and
# `skein_<folder>_sim`, the same sources with BUG(n) switched on, for the simulator
# (base/bug.h). The link test of the layer links it whole against its allowed layers only. The
# global property SKEIN_LAYERS lists the libraries made, in order.

function(skein_layer folder)
    cmake_parse_arguments(LAYER "" "" "USES;EXTERNAL" ${ARGN})
    string(REPLACE "/" "_" name ${folder})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
    if(NOT sources)
        return()
    endif()
    foreach(variant "" "_sim")
        set(target skein_${name}${variant})
        add_library(${target} STATIC ${sources})
        foreach(used ${LAYER_USES})
            string(REPLACE "/" "_" used_name ${used})
            if(TARGET skein_${used_name}${variant})
                target_link_libraries(${target} PUBLIC skein_${used_name}${variant})
            endif()
        endforeach()
        target_link_libraries(${target} PUBLIC ${LAYER_EXTERNAL})
    endforeach()
    target_compile_definitions(skein_${name}_sim PRIVATE SKEIN_BUGS=1)
    set_property(GLOBAL APPEND PROPERTY SKEIN_LAYERS skein_${name})

    if(NOT SKEIN_CHECKS)
        return()
    endif()
    set(link_test link_${name})
    add_executable(${link_test} ${CMAKE_SOURCE_DIR}/tests/link/main.c)
    target_link_libraries(${link_test} PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,skein_${name}>)
    set_target_properties(${link_test} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
                          ${CMAKE_BINARY_DIR}/link)
endfunction()
