# Sourced by the other scripts, from the top of the checkout: what they share.
# shellcheck shell=bash

# shellcheck disable=SC2034  # used by those who source this
cores=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)

# Real traces are not part of the repository. The programs look where this says; without it, tests that want one are skipped.
if [ -z "${MPCA_TRACES_DIR:-}" ] && [ -d ../shared/traces ]; then
  MPCA_TRACES_DIR=$(cd ../shared/traces && pwd)
fi
export MPCA_TRACES_DIR="${MPCA_TRACES_DIR:-}"

# usage_error TEXT: a wrong command line; nothing was done.
usage_error() {
  printf '%s: %s; see --help\n' "$(basename "$0")" "$1" >&2
  exit 2
}
