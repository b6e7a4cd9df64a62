# Language, warnings, optimisation, hardening, sanitizers and the compiler cache, the same for every target.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON) # TRY is a statement expression, so there is no -Wpedantic either.

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2")

# What was compiled in one clone is found again in another: paths are hashed relative to the source tree.
find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(CURL 7.87 REQUIRED) # CURLOPT_QUICK_EXIT
find_package(SQLite3 3.37 REQUIRED) # STRICT tables
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
# Debian's come without descriptions for CMake.
find_library(ARGON2 argon2 REQUIRED)
find_library(LDAP ldap REQUIRED)
find_library(LBER lber REQUIRED)

add_library(chappe_options INTERFACE)
target_include_directories(chappe_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
# Fields left out of a designated initializer have their default: that is what they are left out for.
target_compile_options(chappe_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wconversion -Wno-sign-conversion
                       -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # g++ 12 takes the result of TRY for uninitialised, and finds overlaps inside std::string (its bugs 80635 and 105651).
    # clang and the sanitizers watch over both.
    target_compile_options(chappe_options INTERFACE -Wno-maybe-uninitialized -Wno-restrict)
else()
    # libstdc++'s std::stable_sort uses what it has deprecated itself. g++ watches over that.
    target_compile_options(chappe_options INTERFACE -Wno-deprecated-declarations)
endif()
if(CHAPPE_WARNINGS_AS_ERRORS)
    target_compile_options(chappe_options INTERFACE -Werror)
endif()

# The standard library checks its own preconditions (an index, an empty optional), for the reason that ASSERT stays in
# release builds: a broker that stops and resumes is better than one that limps on.
add_compile_definitions(_GLIBCXX_ASSERTIONS)

# Messages name files as src/..., not where somebody built them (ccache compiles with paths relative to the build folder).
add_compile_options(-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/= -fmacro-prefix-map=../../=)

if(CMAKE_BUILD_TYPE STREQUAL Release)
    add_compile_options(-fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
    add_link_options(-pie -Wl,-z,relro,-z,now)
endif()

if(CHAPPE_SANITIZE)
    # -O1 keeps the sanitizers' stack traces readable at a third of the run time of -O0. Line tables are all that a stack
    # trace needs, and take half as long to compile and link as full debug information; the debugger's build is debug.
    set(CMAKE_CXX_FLAGS_DEBUG "-O1 -gline-tables-only")
    add_compile_options(-fsanitize=${CHAPPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${CHAPPE_SANITIZE})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    add_link_options(--ld-path=ld.lld-19)
endif()
