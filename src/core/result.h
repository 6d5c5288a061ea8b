// How failures travel: as values. No exception crosses a room's border (docs/STYLE.md, section 6).
//
// A failure that the world can cause (input, disk, budget) is an Error. One that only a bug can cause is MPCA_CHECK,
// which stays on in all builds and aborts with the place.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mpca {

enum class ErrorCode {
  invalid_argument,  // a value outside its range: a flag, a field, a row
  not_found,         // a file, a name or a key that does not exist
  already_exists,    // something would be overwritten
  io,                // reading or writing failed
  not_enough_data,   // the answer would be a guess
  infeasible,        // no solution satisfies the constraints
  unsupported,       // known, but not available here
  interrupted,       // the user asked to stop
};

/// What went wrong, for a person: the place, what was found, what is accepted, the next step if there is one. Several
/// problems of one input stand on lines of their own.
struct Error {
  ErrorCode code = ErrorCode::invalid_argument;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

inline std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

/// Collects all problems of one input so that they are reported together, not one per attempt.
class Problems {
 public:
  void add(std::string message) { messages_.push_back(std::move(message)); }
  bool empty() const { return messages_.empty(); }
  const std::vector<std::string>& messages() const { return messages_; }

  /// Success when nothing was added, else one invalid_argument with a line per problem.
  Result<void> to_result() const;

 private:
  std::vector<std::string> messages_;
};

namespace internal {
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const char* why);
}

}  // namespace mpca

/// MPCA_TRY(auto trace, read_trace(path)): the value, or return the error from the calling function.
#define MPCA_TRY(declaration, expression) MPCA_TRY_STEP_(MPCA_TRY_JOIN_(mpca_try_, __LINE__), declaration, expression)
#define MPCA_TRY_STEP_(temporary, declaration, expression)                          \
  auto temporary = (expression);                                                    \
  if (!temporary.has_value()) return std::unexpected(std::move(temporary).error()); \
  declaration = *std::move(temporary)

/// MPCA_TRY_VOID(write(path, text)): the same for Result<void>.
#define MPCA_TRY_VOID(expression)                                        \
  do {                                                                   \
    if (auto mpca_try_void_ = (expression); !mpca_try_void_.has_value()) \
      return std::unexpected(std::move(mpca_try_void_).error());         \
  } while (false)

#define MPCA_TRY_JOIN_(a, b) MPCA_TRY_JOIN2_(a, b)
#define MPCA_TRY_JOIN2_(a, b) a##b

/// Aborts with file, line and reason when only a bug can have made `condition` false.
#define MPCA_CHECK(condition, why)                                                         \
  do {                                                                                     \
    if (!(condition)) ::mpca::internal::check_failed(__FILE__, __LINE__, #condition, why); \
  } while (false)
