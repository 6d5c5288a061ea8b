#include "core/os/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "core/text.h"

namespace mpca::os {
namespace {

std::unexpected<Error> system_failure(std::string_view what, const std::string& path, int code) {
  if (code == ENOENT && what == "read") return fail(ErrorCode::not_found, cat("file not found: ", path));
  return fail(ErrorCode::io, cat("cannot ", what, " ", path, ": ", std::strerror(code)));
}

// Hidden and beside the target, so that the rename stays on one file system. The process number keeps two runs apart.
std::string temporary_name(const std::string& path) {
  const std::filesystem::path target(path);
  return (target.parent_path() / cat(".", target.filename().string(), ".partial-", static_cast<int>(getpid())))
      .string();
}

Result<void> write_all(int descriptor, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return system_failure("write", path, errno);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<void> read_in_pieces(const std::string& path, const std::function<bool(std::string_view)>& on_piece,
                            std::size_t piece_bytes) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_failure("read", path, errno);
  std::vector<char> buffer(piece_bytes);
  Result<void> result;
  while (true) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) result = system_failure("read", path, errno);
    if (count <= 0 || !on_piece({buffer.data(), static_cast<std::size_t>(count)})) break;
  }
  ::close(descriptor);
  return result;
}

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  std::string content;
  bool too_large = false;
  MPCA_TRY_VOID(read_in_pieces(path, [&](std::string_view piece) {
    too_large = content.size() + piece.size() > max_bytes;
    if (!too_large) content += piece;
    return !too_large;
  }));
  if (too_large) return invalid(cat(path, ": larger than ", max_bytes, " bytes"));
  return content;
}

struct AtomicFile::Impl {
  std::string path;
  std::string temporary;
  int descriptor = -1;
  std::string buffer;
  Result<void> state;

  ~Impl() {
    if (descriptor < 0) return;
    ::close(descriptor);
    ::unlink(temporary.c_str());
  }
};

AtomicFile::AtomicFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AtomicFile::AtomicFile(AtomicFile&&) noexcept = default;
AtomicFile& AtomicFile::operator=(AtomicFile&&) noexcept = default;
AtomicFile::~AtomicFile() = default;

Result<AtomicFile> AtomicFile::create(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return system_failure("write", path, EISDIR);
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->temporary = temporary_name(path);
  impl->descriptor = ::open(impl->temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (impl->descriptor < 0) return system_failure("write", path, errno);
  return AtomicFile(std::move(impl));
}

void AtomicFile::append(std::string_view text) {
  constexpr std::size_t kFlushBytes = 1 << 18;
  impl_->buffer += text;
  if (impl_->buffer.size() < kFlushBytes) return;
  if (impl_->state) impl_->state = write_all(impl_->descriptor, impl_->buffer, impl_->path);
  impl_->buffer.clear();
}

Result<void> AtomicFile::commit() {
  MPCA_CHECK(impl_ && impl_->descriptor >= 0, "AtomicFile committed twice");
  if (impl_->state) impl_->state = write_all(impl_->descriptor, impl_->buffer, impl_->path);
  if (!impl_->state) return impl_->state;
  const bool closed = ::close(impl_->descriptor) == 0;
  const int close_error = errno;
  impl_->descriptor = -1;
  if (closed && ::rename(impl_->temporary.c_str(), impl_->path.c_str()) == 0) return {};
  const int code = closed ? errno : close_error;
  ::unlink(impl_->temporary.c_str());
  return system_failure("write", impl_->path, code);
}

Result<void> write_file(const std::string& path, std::string_view content) {
  MPCA_TRY(AtomicFile file, AtomicFile::create(path));
  file.append(content);
  return file.commit();
}

Result<void> make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail(ErrorCode::io, cat("cannot create directory ", path, ": ", error.message()));
  if (!std::filesystem::is_directory(path, error)) {
    return fail(ErrorCode::io, cat("cannot create directory ", path, ": a file of that name exists"));
  }
  return {};
}

AtomicDirectory::AtomicDirectory(std::string final_path, std::string temporary_path, bool replace)
    : final_path_(std::move(final_path)), temporary_path_(std::move(temporary_path)), replace_(replace) {}

AtomicDirectory::AtomicDirectory(AtomicDirectory&& other) noexcept
    : final_path_(std::move(other.final_path_)),
      temporary_path_(std::exchange(other.temporary_path_, {})),
      replace_(other.replace_) {}

AtomicDirectory& AtomicDirectory::operator=(AtomicDirectory&& other) noexcept {
  if (this != &other) {
    discard();
    final_path_ = std::move(other.final_path_);
    temporary_path_ = std::exchange(other.temporary_path_, {});
    replace_ = other.replace_;
  }
  return *this;
}

AtomicDirectory::~AtomicDirectory() { discard(); }

void AtomicDirectory::discard() {
  if (temporary_path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(temporary_path_, ignored);
  temporary_path_.clear();
}

Result<AtomicDirectory> AtomicDirectory::create(const std::string& final_path, bool replace) {
  std::error_code error;
  if (!replace && std::filesystem::exists(final_path, error)) {
    return fail(ErrorCode::already_exists, cat(final_path, " already exists"));
  }
  const std::string temporary = temporary_name(final_path);
  std::filesystem::remove_all(temporary, error);
  MPCA_TRY_VOID(make_directories(temporary));
  return AtomicDirectory(final_path, temporary, replace);
}

Result<void> AtomicDirectory::commit() {
  MPCA_CHECK(!temporary_path_.empty(), "AtomicDirectory committed twice");
  std::error_code error;
  const std::string old = temporary_path_ + ".old";
  const bool had_old = std::filesystem::exists(final_path_, error);
  if (had_old && !replace_) return fail(ErrorCode::already_exists, cat(final_path_, " already exists"));
  if (had_old) {
    std::filesystem::rename(final_path_, old, error);
    if (error) return fail(ErrorCode::io, cat("cannot replace ", final_path_, ": ", error.message()));
  }
  std::filesystem::rename(temporary_path_, final_path_, error);
  if (error) {
    const std::string reason = error.message();
    if (had_old) std::filesystem::rename(old, final_path_, error);
    return fail(ErrorCode::io, cat("cannot create ", final_path_, ": ", reason));
  }
  temporary_path_.clear();
  if (had_old) std::filesystem::remove_all(old, error);
  return {};
}

}  // namespace mpca::os
