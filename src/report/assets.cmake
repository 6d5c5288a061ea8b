# Puts the files that the HTML report consists of into the program, so that it needs none of them when it runs. Included by
# the top CMakeLists.txt after the room `report`. A changed file re-runs CMake, which takes a second.
set(MPCA_ASSETS_REPORT_CSS ${CMAKE_CURRENT_LIST_DIR}/assets/report.css)
set(MPCA_ASSETS_BACKTEST_CSS ${CMAKE_CURRENT_LIST_DIR}/assets/backtest.css)
set(MPCA_ASSETS_PAGE_JS ${CMAKE_CURRENT_LIST_DIR}/assets/page.js)
set(MPCA_ASSETS_CHARTS_JS ${CMAKE_CURRENT_LIST_DIR}/assets/charts.js)
set(MPCA_ASSETS_DECISIONS_JS ${CMAKE_CURRENT_LIST_DIR}/assets/decisions.js)
set(MPCA_ASSETS_REPORT_JS ${CMAKE_CURRENT_LIST_DIR}/assets/report.js)
set(MPCA_ASSETS_BACKTEST_JS ${CMAKE_CURRENT_LIST_DIR}/assets/backtest.js)
set(MPCA_ASSETS_UPLOT_CSS ${CMAKE_SOURCE_DIR}/third_party/uplot/uPlot.min.css)
set(MPCA_ASSETS_UPLOT_JS ${CMAKE_SOURCE_DIR}/third_party/uplot/uPlot.iife.min.js)
set(MPCA_ASSETS_UPLOT_LICENSE ${CMAKE_SOURCE_DIR}/third_party/uplot/LICENSE)

set(assets_source "#include \"report/internal/assets.h\"\n\nnamespace mpca::report::internal {\n\n")
foreach(asset report_css backtest_css page_js charts_js decisions_js report_js backtest_js uplot_css uplot_js uplot_license)
  string(TOUPPER MPCA_ASSETS_${asset} file_variable)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${${file_variable}})
  file(READ ${${file_variable}} content)
  string(APPEND assets_source "std::string_view ${asset}() { return R\"mpca_asset(${content})mpca_asset\"; }\n\n")
endforeach()
string(APPEND assets_source "}  // namespace mpca::report::internal\n")

file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/report_assets.cpp CONTENT "@assets_source@" @ONLY)
target_sources(mpca_report PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/report_assets.cpp)
