#!/usr/bin/env bash
# .ci/run over stages that do nothing: what it counts, what it skips, and how it ends.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder"/{.ci,scripts,fuzz,bin}
cp .ci/run "$folder/.ci/"
cp scripts/env.sh "$folder/scripts/"
# Every stage asks one of these, which notes the call and does what SCRIPT_does says.
for name in scripts/test scripts/demo scripts/check scripts/install-packages scripts/hpa-upstream scripts/test-cluster fuzz/run.sh bin/cmake; do
  cat >"$folder/$name" <<'STUB'
#!/usr/bin/env bash
echo "$(basename "$0") $*" >>"$CALLS"
variable=does_$(basename "$0" | tr -c 'a-z\n' _)
eval "${!variable:-true}"
STUB
  chmod +x "$folder/$name"
done

unset MPCA_CI_MINUTES MPCA_CI_BARE_ROOT

failures=0
# expect CODE LAST-LINE [TEXT]: of .ci/run with the environment as it is; TEXT is somewhere in its output.
expect() {
  local output code
  : >"$folder/calls"
  output=$(CALLS=$folder/calls PATH="$folder/bin:$PATH" bash "$folder/.ci/run" 2>&1 </dev/null)
  code=$?
  if [ "$code" -ne "$1" ] || [ "$(tail -n 1 <<<"$output")" != "$2" ] || [[ $output != *"${3:-}"* ]]; then
    printf 'ended with %d, wanted %d and "%s" with "%s"; it said:\n%s\n' "$code" "$1" "$2" "${3:-}" "$output"
    failures=$((failures + 1))
  fi
}

# The demo and the installed tree are looked at, so these two stubs leave what is looked for.
echo "<html>" >"$folder/report.html"
export does_demo="echo report: $folder/report.html"
# shellcheck disable=SC2016  # for the stub
export does_cmake='mkdir -p "$4/bin" && for p in mpc-autoscaler mpc-validate-trace; do ln -sf /bin/true "$4/bin/$p"; done'

export does_test='echo "5 passed, 0 failed, 1 skipped"'
expect 0 "19 passed, 0 failed, 1 skipped" "passed: tsan"
[ "$(head -n 1 "$folder/calls")" = "test " ] || { echo "the tests are not first"; failures=$((failures + 1)); }

# Eleven minutes: what takes longer is skipped and said, what is shorter still runs.
MPCA_CI_MINUTES=11 expect 0 "15 passed, 0 failed, 5 skipped" "skipped: asan: takes about 26 min"

# shellcheck disable=SC2016  # for the stub
does_check='[ "$1" != format ]' expect 1 "18 passed, 1 failed, 1 skipped" "FAILED: format"

# What a machine lacks is skipped and said.
does_hpa_upstream='echo "SKIPPED: no go"; exit 77' expect 0 "18 passed, 0 failed, 2 skipped" "skipped: hpa-upstream: SKIPPED: no go"

# A failed test ends it: the rest would say nothing about this change.
does_test='echo "4 passed, 1 failed, 0 skipped"; exit 1' expect 1 "4 passed, 1 failed, 0 skipped"
[ "$(wc -l <"$folder/calls")" -eq 1 ] || { echo "stages ran after failed tests"; failures=$((failures + 1)); }

# A build that does not compile counts as one failure.
does_test='echo "error: no"; exit 1' expect 1 "0 passed, 1 failed, 0 skipped" "FAILED: scripts/test ended with 1"

[ "$failures" -eq 0 ]
