// How a Deployment is scaled, set aside for an experiment and put back after it: saved in the cluster before anything
// is changed, kept away while the experiment lasts, restored whatever happens to us.
//
// Nothing is deleted that is not saved: a delete names the uid and the version that were read. Whoever saved comes by
// every few seconds (guard_round()) and leaves a mark, so that a next run can tell an experiment that goes on from one
// that was left behind, without comparing clocks.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "experiment/saved_scaling.h"
#include "experiment/target.h"
#include "kube/client.h"

namespace mpca::experiment {

inline constexpr Duration kGuardEvery = std::chrono::seconds(15);
/// Nobody who is alive leaves no mark for so long.
inline constexpr Duration kLeftBehindAfter = std::chrono::seconds(40);

using OnWord = std::function<void(const std::string&)>;

/// Writes what there is into the ConfigMap.
///   run      what people should know of the experiment, for those who find the ConfigMap
///   returns  the ConfigMap's uid: what belongs to the experiment names it as its owner and goes with it
///   errors   already_exists  another experiment has it, or has left it behind
Result<std::string> save_scaling(kube::Client& client, const Target& target, const SavedScaling& saved);

/// Deletes the saved HPAs and waits until they are gone. One that has changed since it was saved is saved anew first.
///   errors   invalid_argument  somebody's controller owns it and would make it again (said before anything is
///   deleted);
///            io and others     the API server's; what is deleted is in the ConfigMap
Result<void> remove_hpas(kube::Client& client, const Target& target, SavedScaling& saved, Clock& clock,
                         const std::stop_token& stop);

/// Gives one saved HPA another CPU target for the experiment, and the ConfigMap a note of it before.
Result<void> set_cpu_target(kube::Client& client, const Target& target, SavedScaling& saved, int percent);

/// Why a controller of others would bring this HPA back, and what to do about it; nullopt when nobody would.
std::optional<std::string> owner_trouble(const LiveHpa& hpa);

/// What the rounds of a run came upon.
struct GuardFindings {
  int rounds = 0;
  int came_back = 0;    // HPAs that were removed again
  int failed = 0;       // rounds that the API server did not let through
  std::string trouble;  // of the last of those
  std::string over;     // why the experiment cannot go on; empty: it can
};
/// Leaves a mark in the ConfigMap and, when `removes`, deletes HPAs of the Deployment that have come back as they were
/// saved. Where somebody else has a say, nothing is deleted, and the experiment is over: the ConfigMap is gone or of
/// another run, or an HPA has come that is none of those that were saved.
void guard_round(kube::Client& client, const Target& target, const std::string& run, bool removes,
                 GuardFindings& findings, const OnWord& say);

enum class OnDifference {
  leave,      // an HPA that others have changed stays, and the ConfigMap with what was saved, too
  overwrite,  // what was saved has the last word
  discard,    // theirs has, and what was saved is forgotten
};

struct Restored {
  std::vector<std::string> done;  // sentences: `HorizontalPodAutoscaler web is back`
  std::vector<std::string> left;  // what was not put back, and why; the ConfigMap is still there then
};
/// How old what was saved may be.
enum class SavedWhen {
  just_now,  // the experiment ends: replicas are set back, whoever scales
  long_ago,  // an HPA that is there has decided since: what it holds stays
};
/// Puts everything back, replicas first, and deletes the very ConfigMap that was read. Each step can be done again, so
/// after any error call it again.
///   run      only what this experiment saved (SavedScaling::run); empty: whoever's it is
///   returns  nullopt when nothing was saved
///   errors   io, an HPA is still being deleted; the API server's
Result<std::optional<Restored>> restore_scaling(kube::Client& client, const Target& target, const std::string& run = {},
                                                OnDifference on_difference = OnDifference::leave,
                                                SavedWhen when = SavedWhen::just_now);

/// When the ConfigMap has gone without the run's doing: what the run still knows. HPAs that exist stay as they are.
///   returns  also when there is a ConfigMap of another run, which then puts back what it has found
Result<Restored> restore_what_is_missing(kube::Client& client, const Target& target, const SavedScaling& saved);

/// The same again and again until it succeeds, `patience` is over or `stop` is requested; says each failure.
Result<std::optional<Restored>> restore_with_patience(kube::Client& client, const Target& target,
                                                      const std::string& run, Duration patience, Clock& clock,
                                                      const std::stop_token& stop, const OnWord& say);

/// The same for a ConfigMap that an experiment has left behind. To know that it has takes kLeftBehindAfter.
///   returns  nullopt when nothing was saved, or nothing of `run`
///   errors   already_exists  another experiment is under way
Result<std::optional<Restored>> restore_if_left_behind(kube::Client& client, const Target& target,
                                                       const std::string& run, Clock& clock,
                                                       const std::stop_token& stop, const OnWord& say,
                                                       OnDifference on_difference);

}  // namespace mpca::experiment
