# chappe_library(NAME [THREADED] [DEPENDS folder...] [LIBRARIES target...])
#
# One folder src/NAME = one library chappe_NAME. Unit tests (*_test.cpp) stand beside the code and become chappe_NAME_test.
# THREADED: the folder has threads or what they share, so its tests run under ThreadSanitizer too.
function(chappe_library name)
    cmake_parse_arguments(ARG "THREADED" "" "DEPENDS;LIBRARIES" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
    set(tests ${sources})
    list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
    list(TRANSFORM ARG_DEPENDS PREPEND chappe_)

    if(sources)
        add_library(chappe_${name} STATIC ${sources})
        target_link_libraries(chappe_${name} PUBLIC chappe_options ${ARG_DEPENDS} ${ARG_LIBRARIES})
        if(CHAPPE_FUZZ)
            # The library reports which of its branches an input has reached.
            target_compile_options(chappe_${name} PRIVATE -fsanitize=fuzzer-no-link)
        endif()
    else()
        add_library(chappe_${name} INTERFACE)
        target_link_libraries(chappe_${name} INTERFACE chappe_options ${ARG_DEPENDS} ${ARG_LIBRARIES})
    endif()
    if(CHAPPE_TESTS AND tests)
        set(threaded)
        if(ARG_THREADED)
            set(threaded THREADED)
        endif()
        chappe_test(chappe_${name}_test ${threaded} SOURCES ${tests} LIBRARIES chappe_${name})
    endif()
endfunction()

# chappe_compile_fast(target...): code that is compiled more than it runs. The sanitizers' builds do not optimise it, which
# halves the time to compile a test, and some tests need a seventh.
function(chappe_compile_fast)
    if(CHAPPE_SANITIZE)
        foreach(target ${ARGN})
            target_compile_options(${target} PRIVATE -O0)
        endforeach()
    endif()
endfunction()

# chappe_test(NAME [THREADED] SOURCES file... LIBRARIES target...): a GoogleTest program, which ./test finds by its name
# *_test. Under ThreadSanitizer only those that are THREADED are built.
function(chappe_test name)
    cmake_parse_arguments(ARG "THREADED" "" "SOURCES;LIBRARIES" ${ARGN})
    if(CHAPPE_SANITIZE STREQUAL thread AND NOT ARG_THREADED)
        return()
    endif()
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} GTest::gmock GTest::gtest GTest::gtest_main)
    chappe_compile_fast(${name})
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
        # g++ has leaks that clang has not: what was constructed in a statement before the TRY that returned from it.
        target_link_options(${name} PRIVATE -fsanitize=leak)
    endif()
endfunction()

# chappe_fuzzer(NAME SOURCES file... LIBRARIES target...): a libFuzzer program NAME_fuzz, which ./test runs on the corpus
# fuzz/corpus/NAME.
function(chappe_fuzzer name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${name}_fuzz ${ARG_SOURCES})
    target_link_libraries(${name}_fuzz PRIVATE ${ARG_LIBRARIES})
    target_compile_options(${name}_fuzz PRIVATE -fsanitize=fuzzer-no-link)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
endfunction()
