// The two commands on run directories, called as main calls them.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "apps/call_command.h"
#include "core/os/file.h"
#include "support/temporary_directory.h"

namespace mpca::app {
namespace {

using test::TemporaryDirectory;

const std::string kRuns = MPCA_TEST_DATA "/runs";

std::string content(const std::string& path) { return os::read_file(path).value_or("(not there)"); }

TEST(SummarizeRun, WritesBothTablesAndSaysWhere) {
  TemporaryDirectory directory;
  const std::string phases = directory.file("new/phase.csv"), control = directory.file("control.csv");
  const Answer answer =
      call(report_summarize_run_command(),
           {{"run-dir", kRuns + "/mpc/seasonality/a"}, {"out-phase-csv", phases}, {"out-control-csv", control}},
           {.of_the_lab = true});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(answer.out, "Wrote phase summary: " + phases + "\nWrote control summary: " + control + "\n");
  EXPECT_EQ(answer.err, "");
  EXPECT_TRUE(content(phases).ends_with("\n2,84.90,64.6ms,127.4ms,300ms,97.25\n")) << content(phases);
  EXPECT_TRUE(content(control).ends_with("\n4,5.250,6,3.000,85.000,77.500,1.700,5.000,88.500,1,greedy;optimal\n"));
}

TEST(SummarizeRun, WithoutAReportTheLabsNameEndsWithOneAndOursWithTwo) {
  TemporaryDirectory directory;
  const Flags flags = {{"run-dir", directory.path()}, {"out-phase-csv", directory.file("p.csv")}};
  const Answer lab = call(report_summarize_run_command(), flags, {.of_the_lab = true});
  EXPECT_EQ(lab.code, 1);
  EXPECT_EQ(lab.err, "mpc-summarize-run: error: file not found: " + directory.file("incluster-report.txt") + "\n");
  EXPECT_EQ(call(report_summarize_run_command(), flags).code, 2);
  EXPECT_TRUE(directory.names().empty());
}

TEST(SummarizeRun, AnHpaRunHasNoControlSummary) {
  TemporaryDirectory directory;
  const Answer answer = call(report_summarize_run_command(),
                             {{"run-dir", kRuns + "/hpa/target_60/step/20260101-000000"},
                              {"out-phase-csv", directory.file("p.csv")},
                              {"out-control-csv", directory.file("c.csv")}},
                             {.of_the_lab = true});
  EXPECT_EQ(answer.code, 0);
  EXPECT_EQ(answer.out, "Wrote phase summary: " + directory.file("p.csv") + "\n");
  EXPECT_NE(answer.err.find("no control summary is written"), std::string::npos) << answer.err;
  EXPECT_EQ(directory.names(), std::vector<std::string>{"p.csv"});
}

TEST(SummarizeRun, ABrokenLogWritesNothingAtAll) {
  TemporaryDirectory directory;
  std::ofstream(directory.file("incluster-report.txt")) << "nothing of vegeta";
  std::ofstream(directory.file("mpc-control-log.csv")) << "elapsed_s,applied_replicas\n0,two\n";
  const Answer answer = call(report_summarize_run_command(), {{"run-dir", directory.path()},
                                                              {"out-phase-csv", directory.file("p.csv")},
                                                              {"out-control-csv", directory.file("c.csv")}});
  EXPECT_EQ(answer.code, 2);
  EXPECT_NE(answer.err.find("row 2: applied_replicas is \"two\""), std::string::npos) << answer.err;
  EXPECT_EQ(content(directory.file("p.csv")), "(not there)");
}

TEST(Costs, BothLayoutsInOrderAndEveryRunLeftOutWithItsReason) {
  TemporaryDirectory directory;
  const std::string rows = directory.file("rows.csv"), sums = directory.file("sums.csv");
  const Answer answer = call(
      report_costs_command(),
      {{"hpa-root", kRuns + "/hpa"}, {"hybrid-root", kRuns + "/mpc"}, {"out-csv", rows}, {"out-aggregate-csv", sums}},
      {.of_the_lab = true});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(answer.out, "Wrote cost rows: " + rows + "\nWrote aggregate rows: " + sums + "\n");
  EXPECT_EQ(answer.err, "warning: " + kRuns +
                            "/mpc/spike/aborted is left out: no run-meta.yaml, so the run did not end\n" +
                            "warning: " + kRuns + "/mpc/spike/zero is left out: 0 replicas throughout\n");
  std::vector<std::string> runs;
  std::istringstream lines(content(rows));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("aws_fargate_us_east_1,USD,")) runs.push_back(line.substr(26, line.find(kRuns) - 26));
  }
  EXPECT_EQ(runs, (std::vector<std::string>{"hpa,100,spike,", "hpa,60,step,", "hybrid,final,seasonality,",
                                            "hybrid,final,step,"}));
  // hybrid: 5.25 replicas for 60 s and 6.65 for 3600 s: (315 + 23940) / 3660 = 6.627; churn 3 + 18; worst p95 88 ms.
  EXPECT_NE(content(sums).find("aws_fargate_us_east_1,USD,hybrid,final,all,3660,6.627,21.000,"), std::string::npos)
      << content(sums);
  EXPECT_NE(content(sums).find(",88.000,101.000,97.250\n"), std::string::npos) << content(sums);
}

TEST(Costs, ARootThatIsNotThereIsAnError) {
  TemporaryDirectory directory;
  const Answer answer = call(
      report_costs_command(),
      {{"hpa-root", "/no/such"}, {"out-csv", directory.file("r.csv")}, {"out-aggregate-csv", directory.file("s.csv")}},
      {.of_the_lab = true});
  EXPECT_EQ(answer.code, 1);
  EXPECT_EQ(answer.err, "mpc-summarize-costs: error: directory not found: /no/such\n");
  EXPECT_TRUE(directory.names().empty());
}

TEST(Costs, OnePriceOfYandexIsNotEnoughAndSaysSo) {
  TemporaryDirectory directory;
  const Answer answer = call(report_costs_command(), {{"hybrid-root", kRuns + "/mpc"},
                                                      {"out-csv", directory.file("r.csv")},
                                                      {"out-aggregate-csv", directory.file("s.csv")},
                                                      {"yandex-vcpu-hour-rub", "1.2"}});
  EXPECT_EQ(answer.code, 0);
  EXPECT_NE(answer.err.find("it needs both of its prices"), std::string::npos);
  EXPECT_EQ(content(directory.file("r.csv")).find("yandex"), std::string::npos);
}

}  // namespace
}  // namespace mpca::app
