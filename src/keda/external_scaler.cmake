# The library external_scaler: gRPC with the code that protoc makes of external_scaler.proto. Included by the top
# CMakeLists.txt before the room `keda`. Without gRPC it is empty, MPCA_HAS_GRPC is OFF, and the room is built with
# without_grpc.cpp, which says so to whoever asks for the scaler. Where warnings are errors, that is one.
pkg_check_modules(GRPC QUIET IMPORTED_TARGET grpc++>=1.51 protobuf)
find_program(MPCA_PROTOC protoc)
find_program(MPCA_GRPC_PLUGIN grpc_cpp_plugin)
if(NOT GRPC_FOUND OR NOT MPCA_PROTOC OR NOT MPCA_GRPC_PLUGIN)
  set(kind WARNING)
  if(MPCA_WERROR)
    set(kind FATAL_ERROR)
  endif()
  message(${kind} "No gRPC (libgrpc++-dev, libprotobuf-dev, protobuf-compiler-grpc): without KEDA's external scaler, --keda-listen")
  set(MPCA_HAS_GRPC OFF)
  set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/scaler_server.cpp PROPERTIES HEADER_FILE_ONLY ON)
  add_library(external_scaler INTERFACE)
  add_custom_target(external_scaler_code)
  return()
endif()
set(MPCA_HAS_GRPC ON)
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/without_grpc.cpp PROPERTIES HEADER_FILE_ONLY ON)

set(proto ${CMAKE_CURRENT_LIST_DIR}/external_scaler.proto)
set(generated ${CMAKE_BINARY_DIR}/generated/external_scaler)
set(made external_scaler.pb.cc external_scaler.pb.h external_scaler.grpc.pb.cc external_scaler.grpc.pb.h)
list(TRANSFORM made PREPEND ${generated}/)
file(MAKE_DIRECTORY ${generated})
add_custom_command(OUTPUT ${made}
  COMMAND ${MPCA_PROTOC} --cpp_out=${generated} --grpc_out=${generated}
          --plugin=protoc-gen-grpc=${MPCA_GRPC_PLUGIN} -I ${CMAKE_CURRENT_LIST_DIR} ${proto}
  DEPENDS ${proto} COMMENT "Generating external_scaler.pb" VERBATIM)
add_custom_target(external_scaler_code DEPENDS ${made})

add_library(external_scaler STATIC ${made})
add_dependencies(external_scaler external_scaler_code)
# Code of others: its warnings are not ours, and neither are those of its headers (SYSTEM).
target_compile_options(external_scaler PRIVATE -w)
target_include_directories(external_scaler SYSTEM PUBLIC ${generated})
# pkg-config names sixty libraries of Abseil, of which a few are called.
target_link_options(external_scaler INTERFACE LINKER:--as-needed)
target_link_libraries(external_scaler PUBLIC PkgConfig::GRPC)
