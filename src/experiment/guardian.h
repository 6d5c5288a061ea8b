// A process that outlives us to put things back. It waits at a pipe that only we hold: when the pipe ends without a
// word, we are gone, be it by `kill -9`, and it restores. It has a session of its own, so that what ends us from a
// terminal does not end it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/result.h"

namespace mpca::experiment {

class Guardian {
 public:
  /// `program` is run with `arguments`, which make it call await_abandonment() and then restore. Its error stream is
  /// ours.
  ///   errors   io  with the system's reason
  static Result<Guardian> start(const std::string& program, const std::vector<std::string>& arguments);
  Guardian(Guardian&& other) noexcept : pipe_(std::exchange(other.pipe_, -1)), pid_(std::exchange(other.pid_, -1)) {}
  Guardian& operator=(Guardian&&) = delete;
  /// Without dismiss() before it, this is what our death looks like to it.
  ~Guardian();

  /// Everything is back: it ends without doing anything.
  void dismiss();

 private:
  Guardian(int pipe, int pid) : pipe_(pipe), pid_(pid) {}
  int pipe_ = -1;
  int pid_ = -1;
};

/// On the guardian's side: blocks until the standard input ends. False when it was dismissed.
bool await_abandonment();

}  // namespace mpca::experiment
