#include "core/state_text.h"

#include <gtest/gtest.h>

namespace mpca {
namespace {

TEST(StateText, AStateWithinAStateReadsBackAsItWas) {
  StateWriter inner("inner", 3);
  inner.put("numbers", std::array{0.1, -2.0});
  inner.put("none", std::array<double, 0>{});
  inner.put("count", std::int64_t{7});
  const std::string part = inner.take();
  StateWriter outer("outer", 1);
  outer.put("count", std::int64_t{8});
  outer.put_state("part", part);
  const StateReader reader = StateReader::open(outer.take(), "outer", 1).value();
  EXPECT_EQ(reader.integer("count").value(), 8);
  EXPECT_EQ(reader.state("part").value(), part);
  EXPECT_EQ(reader.state("par").error().message, "the state has no lines that begin with \"par.\"");
}

}  // namespace
}  // namespace mpca
