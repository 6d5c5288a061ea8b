# Puts the prior that predictive begins with into the program. Included by the top CMakeLists.txt after the room `policy`.
set(prior_file ${CMAKE_CURRENT_LIST_DIR}/shipped_prior.csv)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${prior_file})
file(READ ${prior_file} content)
set(prior_source "#include \"policy/predictive/prior.h\"\n\nnamespace mpca::policy {\n\nstd::string_view shipped_prior_file() { return R\"mpca_prior(${content})mpca_prior\"; }\n\n}  // namespace mpca::policy\n")

file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/shipped_prior.cpp CONTENT "@prior_source@" @ONLY)
target_sources(mpca_policy PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/shipped_prior.cpp)
