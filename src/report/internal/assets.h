// The files below src/report/assets and third_party/uplot, as text in the program (assets.cmake writes the
// definitions).
#pragma once

#include <string_view>

namespace mpca::report::internal {

std::string_view report_css();
std::string_view backtest_css();
std::string_view page_js();       // before all others
std::string_view charts_js();     // charts over time
std::string_view decisions_js();  // the panel of decisions beside them
std::string_view report_js();
std::string_view backtest_js();
std::string_view uplot_css();
std::string_view uplot_js();
std::string_view uplot_license();

}  // namespace mpca::report::internal
