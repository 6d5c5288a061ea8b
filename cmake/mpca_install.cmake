# What `cmake --install` puts where, and the reference lab's nine command names. Included after apps/ is added.
#
# The names are links to mpc-autoscaler, which looks at the name it was called by (docs/reference-lab.md). They lie beside
# the program in the build folder too.
set(MPCA_LAB_NAMES
  mpc-generate-synthetic-trace
  mpc-build-trace
  mpc-validate-trace
  mpc-offline-sim
  mpc-grid-search
  mpc-realistic-grid
  mpc-summarize-run
  mpc-summarize-costs
  mpc-control-loop)

file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
install(TARGETS mpc-autoscaler)
foreach(name IN LISTS MPCA_LAB_NAMES)
  file(CREATE_LINK mpc-autoscaler ${CMAKE_BINARY_DIR}/bin/${name} SYMBOLIC)
  install(FILES ${CMAKE_BINARY_DIR}/bin/${name} DESTINATION ${CMAKE_INSTALL_BINDIR})
endforeach()

# The packaged traces, for the installed program's grid searches.
install(DIRECTORY data/traces DESTINATION ${CMAKE_INSTALL_DATADIR}/mpc-autoscaler FILES_MATCHING PATTERN "*.csv")
install(FILES LICENSE NOTICE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/mpc-autoscaler)
