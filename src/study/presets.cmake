# Puts the presets into the program, so that a study needs no file of ours when it runs. Included by the top
# CMakeLists.txt after the room `study`.
set(presets_source "#include \"study/internal/preset_files.h\"\n\nnamespace mpca::study::internal {\n\nstd::span<const PresetFile> preset_files() {\n  static constexpr PresetFile kFiles[] = {\n")
foreach(preset standard standard-10s standard-60s standard-native standard-held)
  set(preset_file ${CMAKE_CURRENT_LIST_DIR}/presets/${preset}.yaml)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${preset_file})
  file(READ ${preset_file} content)
  string(APPEND presets_source "      {\"${preset}\", R\"mpca_preset(${content})mpca_preset\"},\n")
endforeach()
string(APPEND presets_source "  };\n  return kFiles;\n}\n\n}  // namespace mpca::study::internal\n")

file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/study_presets.cpp CONTENT "@presets_source@" @ONLY)
target_sources(mpca_study PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/study_presets.cpp)
