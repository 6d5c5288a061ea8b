#include "plant/readiness_lag.h"

#include <gtest/gtest.h>
TEST(ReadinessLag, X) {}
