// kubeconfig files, as kubectl reads them: contexts, certificates embedded or in files beside it, tokens, token files,
// exec plugins, proxies; several files as one. Kubernetes 1.35, client-go/tools/clientcmd and
// plugin/pkg/client/auth/exec.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "kube/connection.h"

namespace mpca::config {

/// Which files kubectl would read.
///
///   kubeconfig   the variable KUBECONFIG: paths between `:`
///   home         the variable HOME
std::vector<std::string> kubeconfig_files(std::string_view kubeconfig, std::string_view home);

/// The connection of one context. The first file that has a context, cluster or user of a name wins; of several files
/// those that do not exist are passed over. Paths inside are relative to the file they stand in.
///
/// An exec plugin is run when its credential is first needed, without a terminal, for at most a minute.
///
///   context   empty: current-context of the first file that names one
///   errors    not_found         no file, or no such context, cluster or user (with the nearest)
///             invalid_argument  every problem, each with its file and field; secrets are not shown
Result<kube::Connection> load_kubeconfig(const std::vector<std::string>& files, const std::string& context = {});

}  // namespace mpca::config
