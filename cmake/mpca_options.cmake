# Compiler settings that hold for every target.
option(MPCA_BUILD_TESTS "Build the tests" ON)
option(MPCA_BUILD_BENCH "Build the benchmarks" OFF)
option(MPCA_BUILD_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
option(MPCA_WERROR "Treat warnings as errors" OFF)
set(MPCA_SANITIZE "" CACHE STRING "Comma-separated list for -fsanitize=")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# No fused multiply-add: x86 and ARM have to reach the same decisions, and a replay the same bits.
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 at -O3 sees an overlap in every `"literal" + std::string` (its bug 105651, mended in 13).
  add_compile_options(-Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # clang, which builds the fuzz targets, follows std::stable_sort into libstdc++ 12 and finds a function of its own
  # deprecated there.
  add_compile_options(-Wno-deprecated-declarations)
endif()
if(MPCA_WERROR)
  add_compile_options(-Werror)
endif()
if(MPCA_SANITIZE)
  add_compile_options(-fsanitize=${MPCA_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MPCA_SANITIZE})
  if(MPCA_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # Asio has fences, which the thread sanitizer does not follow; what they order is ordered by its mutexes as well.
    add_compile_options(-Wno-tsan)
  endif()
endif()

find_program(MPCA_CCACHE ccache)
if(MPCA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MPCA_CCACHE})
endif()
