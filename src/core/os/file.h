// Files, as far as the program touches them: read in pieces, written whole or not at all.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace mpca::os {

/// Calls `on_piece` with the content in order, in pieces of at most `piece_bytes`; false stops early.
///   errors   not_found  no such file (`file not found: PATH`); io  a directory, no permission, a read error
Result<void> read_in_pieces(const std::string& path, const std::function<bool(std::string_view)>& on_piece,
                            std::size_t piece_bytes = 1 << 18);

/// The whole file.
///   errors   as read_in_pieces; invalid_argument when it is larger than `max_bytes`
Result<std::string> read_file(const std::string& path, std::size_t max_bytes = std::size_t{1} << 30);

/// Makes `path` hold `content`: written to a temporary beside it, flushed, renamed. After a failure the old file is
/// there.
///   errors   io  with the path and the system's reason (no space, no permission, no such directory)
Result<void> write_file(const std::string& path, std::string_view content);

/// A file that appears only when it is complete. Destroyed without commit(), it leaves nothing behind.
class AtomicFile {
 public:
  static Result<AtomicFile> create(const std::string& path);
  AtomicFile(AtomicFile&&) noexcept;
  AtomicFile& operator=(AtomicFile&&) noexcept;
  ~AtomicFile();

  /// Buffered. The first failure is kept and returned by commit().
  void append(std::string_view text);
  Result<void> commit();

 private:
  struct Impl;
  explicit AtomicFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Creates `path` and its parents; an existing directory is fine.
Result<void> make_directories(const std::string& path);

/// A directory that appears under its name only when it is complete: files go to path() and commit() renames. Destroyed
/// without commit(), it is removed with its content.
class AtomicDirectory {
 public:
  /// `replace`: an existing directory of that name is replaced at commit(); else it is an error, now and at commit().
  ///   errors   already_exists; io
  static Result<AtomicDirectory> create(const std::string& final_path, bool replace);
  AtomicDirectory(AtomicDirectory&&) noexcept;
  AtomicDirectory& operator=(AtomicDirectory&&) noexcept;
  ~AtomicDirectory();

  const std::string& path() const { return temporary_path_; }
  Result<void> commit();

 private:
  AtomicDirectory(std::string final_path, std::string temporary_path, bool replace);
  void discard();
  std::string final_path_;
  std::string temporary_path_;  // empty after commit or move
  bool replace_ = false;
};

}  // namespace mpca::os
