# Language, warnings, sanitizers and the compiler cache, the same for every target.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON) # TRY is a statement expression.

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)

add_library(chappe_options INTERFACE)
target_include_directories(chappe_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
target_compile_options(chappe_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wconversion -Wno-sign-conversion)
if(CHAPPE_WARNINGS_AS_ERRORS)
    target_compile_options(chappe_options INTERFACE -Werror)
endif()

if(CHAPPE_SANITIZE)
    # -O1 keeps the sanitizers' stack traces readable at a third of the run time of -O0.
    add_compile_options(-fsanitize=${CHAPPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
    add_link_options(-fsanitize=${CHAPPE_SANITIZE})
endif()
