# Flags in three layers. For the whole program, because its parts must agree: standard, sanitizers,
# position independence, link-time optimisation. For our targets and nobody who links them: warnings.
# For whoever compiles our headers: the INTERFACE target below.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Everything ends in a program, so libraries are compiled as its parts (-fPIE). -fPIC is for shared
# libraries, whose functions others may replace, and so inlines less. D102.
add_compile_options($<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,MODULE_LIBRARY>>:-fPIE>)
add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)

# Of this folder and those below it: a project that includes ours keeps its own. D102.
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wswitch-enum -Wformat=2)
set(CMAKE_COMPILE_WARNING_AS_ERROR ${FENCEGATE_WERROR})

if(FENCEGATE_LTO)
    include(CheckIPOSupported)
    check_ipo_supported(LANGUAGES CXX)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

add_library(fencegate_compile_options INTERFACE)
add_library(fencegate::compile_options ALIAS fencegate_compile_options)
target_include_directories(fencegate_compile_options INTERFACE ${PROJECT_SOURCE_DIR})

if(FENCEGATE_SANITIZE)
    add_compile_options(-fsanitize=${FENCEGATE_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${FENCEGATE_SANITIZE})
    # The frame cache hides use-after-free of coroutine frames from the sanitizers.
    add_compile_definitions(BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
    if(FENCEGATE_SANITIZE MATCHES thread)
        # Asio's fences are unknown to the thread sanitizer. Its mutexes are not, and they order
        # everything that crosses threads here.
        add_compile_options(-Wno-tsan)
    endif()
else()
    # OpenSSF compiler hardening guide, what GCC 12 has of it. FORTIFY needs -O: Release only, and not
    # where a target has FENCEGATE_UNOPTIMIZED.
    set(optimized $<AND:$<CONFIG:Release>,$<NOT:$<BOOL:$<TARGET_PROPERTY:FENCEGATE_UNOPTIMIZED>>>>)
    target_compile_options(fencegate_compile_options INTERFACE
        $<${optimized}:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3;-D_GLIBCXX_ASSERTIONS;-fstack-protector-strong;-fstack-clash-protection;-fcf-protection=full>)
    target_link_options(fencegate_compile_options INTERFACE
        -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# fencegate_library(name sources...): a static library, alias fencegate::name.
function(fencegate_library name)
    add_library(fencegate_${name} STATIC ${ARGN})
    add_library(fencegate::${name} ALIAS fencegate_${name})
    target_link_libraries(fencegate_${name} PUBLIC fencegate::compile_options)
endfunction()

# fencegate_room(floor name SOURCES sources... USES rooms...): the library of one room of a floor,
# alias fencegate::floor_name. USES names the rooms of the same floor that it may include and links;
# tests/tidy/rooms.cpp has the same list and looks at the includes.
function(fencegate_room floor name)
    cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
    fencegate_library(${floor}_${name} ${ARG_SOURCES})
    list(TRANSFORM ARG_USES PREPEND fencegate::${floor}_)
    target_link_libraries(fencegate_${floor}_${name} PUBLIC ${ARG_USES})
    set_property(GLOBAL APPEND PROPERTY FENCEGATE_ROOMS ${floor}_${name})
endfunction()
