#include "policy/predictive/prior.h"

#include <gtest/gtest.h>

#include "policy/policy.h"
#include "policy/predictive/predictive.h"
#include "support/observations.h"

namespace mpca::policy {
namespace {

using test::observed;

std::vector<CandidateBooks> shipped() { return parse_prior_file(shipped_prior_file(), "shipped").value(); }

TEST(Prior, TheShippedOneKnowsEveryCandidateButTheWorkloadsOwnHpa) {
  const std::vector<CandidateBooks> books = shipped();
  ASSERT_EQ(books.size(), Candidates::kOwnHpa);
  for (std::size_t c = 0; c < books.size(); ++c) EXPECT_EQ(books[c].candidate, Candidates::name(c));
}

TEST(Prior, FileAndTextReadBackAsTheyWereWritten) {
  const std::vector<CandidateBooks> books = shipped();
  const std::vector<CandidateBooks> again = parse_prior_file(prior_file(books, "a, b"), "f").value();
  EXPECT_EQ(prior_text(again), prior_text(books));
  const auto prior = read_prior(prior_text(books)).value();
  for (std::size_t c = 0; c < books.size(); ++c) {
    EXPECT_EQ((*prior)[c].cost, books[c].cost);
    EXPECT_EQ((*prior)[c].late, books[c].late);
  }
}

// Costs 1, 2, …, 60 in any order: the median is 30.5; of the late shares, all 0.25, it is 0.25.
TEST(Prior, ACandidateThatNothingIsSaidAboutBeginsWithTheMediansOfTheOthers) {
  std::vector<CandidateBooks> books = shipped();
  for (std::size_t c = 0; c < books.size(); ++c) books[c] = {books[c].candidate, 1.0 + static_cast<double>(c), 0.25};
  std::swap(books.front(), books.back());
  const auto prior = read_prior(prior_text(books)).value();
  EXPECT_EQ((*prior)[0].cost, 1.0);
  EXPECT_EQ((*prior)[Candidates::kOwnHpa].cost, 30.5);
  EXPECT_EQ((*prior)[Candidates::kOwnHpa].late, 0.25);
}

TEST(Prior, AFleetHasOneAndNoneIsNone) {
  std::vector<CandidateBooks> books = shipped();
  books[0].cost += 1.0;
  EXPECT_EQ(read_prior(prior_text(books)).value(), read_prior(prior_text(books)).value());
  EXPECT_NE(read_prior(prior_text(books)).value(), read_prior(prior_text(shipped())).value());
  EXPECT_EQ(read_prior("shipped").value(), read_prior("shipped").value());
  EXPECT_EQ(read_prior("none").value(), nullptr);
}

TEST(Prior, EveryProblemIsNamedWithItsLine) {
  const auto message = [](std::string_view text) { return parse_prior_file(text, "p.csv").error().message; };
  EXPECT_EQ(message("# mpca-prior 1\ncandidate,cost,late\nlevel x1.02,nan,-0.5\nlevle x1.08,1,0\nlevel x1.02,1,2,3\n"
                    "level x1.15,1e7,1.5\nlevel x1.02,1,0\n"),
            "p.csv: line 3: cost is \"nan\"; must be between 0 and 1000000\n"
            "p.csv: line 3: late is \"-0.5\"; must be between 0 and 1\n"
            "p.csv: line 4: no candidate is called \"levle x1.08\" (did you mean \"level x1.08\"?)\n"
            "p.csv: line 5: has 4 fields; must be candidate, cost and late\n"
            "p.csv: line 6: cost is \"1e7\"; must be between 0 and 1000000\n"
            "p.csv: line 6: late is \"1.5\"; must be between 0 and 1\n"
            "p.csv: line 7: \"level x1.02\" is there twice");
  EXPECT_EQ(message("step,rps\n"),
            "p.csv: line 1: must be \"# mpca-prior 1\"; `mpc-autoscaler prior` writes such files");
  EXPECT_EQ(message("# mpca-prior 1\n# for people\nname,cost\n"), "p.csv: line 3: must be \"candidate,cost,late\"");
  EXPECT_EQ(message(""), "p.csv: no candidate is there");
  std::vector<CandidateBooks> books = shipped();
  books.erase(books.begin() + 2);
  EXPECT_EQ(message(prior_file(books, "")), "p.csv: \"level x1.15\" is missing");
}

TEST(Prior, APolicySaysWhichSettingIsWrong) {
  const auto made = create_policy("predictive:prior=shiped", {}, "--policy");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message,
            "--policy predictive: prior: \"shiped\" must be shipped, none, @FILE or CANDIDATE:COST:LATE;…");
}

// A load of 200 / 25 = 8: `level x2` is dearer than `level x1.02`, and fewer are late. Whatever the prior, books are
// what candidates would have cost.
TEST(Prior, BooksOfAStateDoNotDependOnThePriorItBeganWith) {
  std::string first;
  for (const char* text : {"predictive", "predictive:prior=none"}) {
    const auto policy = create_policy(text, {.min_replicas = 1, .max_replicas = 100}, "test").value();
    EXPECT_EQ(predictive_books(policy->save_state()).error().code, ErrorCode::not_enough_data);
    for (int second = 0; second < 3600; second += 15) policy->decide(observed(second, 12, 200.0));
    const auto books = predictive_books(policy->save_state()).value();
    ASSERT_EQ(books.size(), Candidates::kOwnHpa);
    EXPECT_NEAR(books[0].cost, 9.0 / 8.0, 0.05) << books[0].candidate;
    EXPECT_NEAR(books[6].cost, 2.0, 0.05) << books[6].candidate;
    EXPECT_LT(books[6].late, books[0].late);
    if (first.empty()) first = prior_text(books);
    EXPECT_EQ(prior_text(books), first);
  }
  EXPECT_FALSE(predictive_books("mpca-state reactive 1\n"));
}

}  // namespace
}  // namespace mpca::policy
