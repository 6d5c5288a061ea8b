#include "workload/routes.h"

#include <gtest/gtest.h>

#include "workload/json_log.h"

namespace mpca::workload {
namespace {

TEST(Routes, KnownPathsAreThemselvesAndTheRestIsOther) {
  const struct {
    const char* path;
    Route route;
  } cases[] = {
      {"/", Route::root},       {"/healthz", Route::healthz}, {"/readyz", Route::readyz},  {"/work", Route::work},
      {"/m", Route::metrics},   {"/%77ork", Route::work},     {"/metrics", Route::other},  {"/work/", Route::other},
      {"//work", Route::other}, {"/%", Route::other},         {"/%2577ork", Route::other}, {"*", Route::other},
      {"h:443", Route::other},
  };
  for (const auto& one : cases) EXPECT_EQ(route_of(one.path, "/m"), one.route) << one.path;
}

TEST(Routes, LabelsAreAClosedSet) {
  EXPECT_EQ(label_of(Route::metrics, "/m"), "/m");
  EXPECT_EQ(label_of(Route::other, "/m"), "other");
  EXPECT_EQ(kMethodLabels[method_index("GET")], "GET");
  EXPECT_EQ(kMethodLabels[method_index("PATCH")], "PATCH");
  EXPECT_EQ(kMethodLabels[method_index("get")], "other");
  EXPECT_EQ(kMethodLabels[method_index("BREW")], "other");
}

TEST(JsonText, WhateverAClientSendsStaysOneJsonString) {
  EXPECT_EQ(json_text("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000a\\u0001\"");
  EXPECT_EQ(json_text("grün €"), "\"grün €\"");
  EXPECT_EQ(json_text("\xff\xc3(\xed\xa0\x80"), "\"\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\"");
}

}  // namespace
}  // namespace mpca::workload
