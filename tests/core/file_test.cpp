#include "core/os/file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/temporary_directory.h"

namespace mpca::os {
namespace {

namespace fs = std::filesystem;

TEST(File, AWrittenFileReadsBackAndNothingElseIsLeft) {
  test::TemporaryDirectory directory;
  const std::string path = directory.file("a.txt");
  ASSERT_TRUE(write_file(path, "one"));
  ASSERT_TRUE(write_file(path, "two"));
  EXPECT_EQ(read_file(path).value(), "two");
  EXPECT_EQ(directory.names(), std::vector<std::string>{"a.txt"});
}

TEST(File, AnUncommittedFileLeavesTheOldOneAndNoTrace) {
  test::TemporaryDirectory directory;
  const std::string path = directory.file("a.txt");
  ASSERT_TRUE(write_file(path, "old"));
  {
    auto file = AtomicFile::create(path);
    ASSERT_TRUE(file);
    file->append("half");
  }
  EXPECT_EQ(read_file(path).value(), "old");
  EXPECT_EQ(directory.names(), std::vector<std::string>{"a.txt"});
}

// /dev/full takes no byte; the kernel answers ENOSPC as a full disk does.
TEST(File, AFullDiskIsAnErrorThatNamesThePathAndTheReason) {
  test::TemporaryDirectory directory;
  fs::create_symlink("/dev/full", directory.file("full"));
  // The temporary lies beside the target, so the full device has to be the directory's own temporary: write through it.
  const auto result = write_file("/dev/full/x", "text");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("/dev/full/x"), std::string::npos);
}

TEST(File, MissingFilesAndDirectoriesAreToldApart) {
  test::TemporaryDirectory directory;
  EXPECT_EQ(read_file(directory.file("none")).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_file(directory.file("none")).error().message, "file not found: " + directory.file("none"));
  EXPECT_EQ(read_file(directory.path()).error().code, ErrorCode::io);
  EXPECT_EQ(write_file(directory.path(), "x").error().code, ErrorCode::io);
}

TEST(File, ADirectoryAppearsWholeOrNotAtAll) {
  test::TemporaryDirectory directory;
  const std::string path = directory.file("run");
  {
    auto unfinished = AtomicDirectory::create(path, false);
    ASSERT_TRUE(unfinished);
    ASSERT_TRUE(write_file(unfinished->path() + "/x", "1"));
  }
  EXPECT_TRUE(directory.names().empty());
  auto finished = AtomicDirectory::create(path, false);
  ASSERT_TRUE(write_file(finished->path() + "/x", "1"));
  ASSERT_TRUE(finished->commit());
  EXPECT_EQ(read_file(path + "/x").value(), "1");
  EXPECT_EQ(AtomicDirectory::create(path, false).error().code, ErrorCode::already_exists);
  auto replacement = AtomicDirectory::create(path, true);
  ASSERT_TRUE(replacement->commit());
  EXPECT_FALSE(fs::exists(path + "/x"));
  EXPECT_EQ(directory.names(), std::vector<std::string>{"run"});
}

}  // namespace
}  // namespace mpca::os
