# The target mpca_version: link it to include "mpca_version.h" with the version and the commit.
#
# The commit is asked for at every build, not when CMake configures, or the program would name an old one. This file is
# therefore both the module and, run by `cmake -P`, the script of that step.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(MPCA_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)
  add_custom_target(mpca_version_header
    COMMAND ${CMAKE_COMMAND} -D MPCA_VERSION=${PROJECT_VERSION} -D MPCA_SOURCE_DIR=${CMAKE_SOURCE_DIR}
            -D MPCA_VERSION_HEADER=${MPCA_GENERATED_DIR}/mpca_version.h -P ${CMAKE_CURRENT_LIST_FILE}
    BYPRODUCTS ${MPCA_GENERATED_DIR}/mpca_version.h
    COMMENT "" VERBATIM)
  add_library(mpca_version INTERFACE)
  target_include_directories(mpca_version INTERFACE ${MPCA_GENERATED_DIR})
  add_dependencies(mpca_version mpca_version_header)
  return()
endif()

set(MPCA_GIT_REVISION unknown)
set(MPCA_VERSION_TEXT ${MPCA_VERSION})
find_program(MPCA_GIT git)
if(MPCA_GIT)
  # An empty prefix: the checkout is ours, and not that of somebody who unpacked our sources inside his own.
  execute_process(COMMAND ${MPCA_GIT} rev-parse --show-prefix WORKING_DIRECTORY ${MPCA_SOURCE_DIR}
    RESULT_VARIABLE failed OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(failed EQUAL 0 AND prefix STREQUAL "")
    execute_process(COMMAND ${MPCA_GIT} describe --always --exclude=* --abbrev=7 --dirty WORKING_DIRECTORY ${MPCA_SOURCE_DIR}
      RESULT_VARIABLE failed OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(failed EQUAL 0)
      set(MPCA_GIT_REVISION ${revision})
      set(MPCA_VERSION_TEXT "${MPCA_VERSION} (git ${revision})")
    endif()
  endif()
endif()
# Leaves the file and its time alone when the content is the same.
configure_file(${CMAKE_CURRENT_LIST_DIR}/mpca_version.h.in ${MPCA_VERSION_HEADER} @ONLY)
