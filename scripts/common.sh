# shellcheck shell=bash
# shellcheck disable=SC2034 # read by the other files
# What every part of ./dev shares: the cache, messages, time limits, and steps that are counted and timed.

# Outside the clone, so that a fresh clone (and a second one) starts warm: a first build takes many minutes.
CACHE=${ONESLICE_CACHE:-$HOME/.cache/oneslice}
mkdir -p "$CACHE/tools"
CACHE=$(cd "$CACHE" && pwd)
TOOLS=$CACHE/tools
# Two directories, because cargo locks a whole one: a native and a web build then never wait for each other.
CARGO_NATIVE_DIR=$CACHE/target
CARGO_WASM_DIR=$CACHE/target-wasm
export npm_config_cache=$CACHE/npm npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false

say() { printf '%s\n' "dev: $*"; }

die() {
  printf '%s\n' "dev: error: $*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# require_command NAME WHAT: for what we don't install ourselves.
require_command() { have "$1" || die "'$1' is missing: install $2, then run this again"; }

# with_limit SECONDS COMMAND...: macOS has no `timeout`, but every system here has perl, and an alarm survives exec.
with_limit() {
  local seconds=$1
  shift
  if have timeout; then timeout "$seconds" "$@"; else perl -e 'alarm shift; exec @ARGV or exit 127' "$seconds" "$@"; fi
}

# setting SECTION KEY: a value of wasm-pack.toml. Only `key = value` lines, no arrays, so that nothing has to be installed to read it.
setting() {
  local value
  value=$(awk -v section="[$1]" -v key="$2" '
    /^\[/ { inside = ($0 == section) }
    inside && index($0, key " = ") == 1 {
      sub(/^[^=]*= /, ""); sub(/ +#.*$/, ""); gsub(/^"|"$/, ""); print; found = 1; exit
    }
    END { exit !found }' wasm-pack.toml) || die "wasm-pack.toml: no '$2' in [$1]"
  printf '%s' "$value"
}

# version_at_least HAVE WANT: compares dotted numbers.
version_at_least() {
  awk -v have="$1" -v want="$2" 'BEGIN {
    n = split(want, w, "."); split(have, h, ".")
    for (i = 1; i <= n; i++) if (h[i] + 0 != w[i] + 0) exit (h[i] + 0 < w[i] + 0)
  }'
}

STEPS_PASSED=0
STEPS_REPORT=""

# step NAME COMMAND...: one counted step. The first failure ends the run, with the summary.
step() {
  local name=$1 start=$SECONDS status line
  shift
  printf '\n=== %s\n' "$name"
  # The command runs in a shell of its own, and not behind `if` or `||`: there `set -e` would be ignored inside it.
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  line=$(printf '%-34s %5d s' "$name" $((SECONDS - start)))
  if [ $status -ne 0 ]; then
    STEPS_REPORT="$STEPS_REPORT  FAILED $line"$'\n'
    printf '=== FAILED: %s (exit %d)\n' "$line" "$status" >&2
    summary 1
    exit 1
  fi
  STEPS_PASSED=$((STEPS_PASSED + 1))
  STEPS_REPORT="$STEPS_REPORT  passed $line"$'\n'
  printf '=== passed: %s\n' "$line"
}

# summary FAILED: every step, then the line that tools read.
summary() {
  printf '\nsummary (%d s)\n%s\nsteps: %d passed, %d failed\n' "$SECONDS" "$STEPS_REPORT" "$STEPS_PASSED" "$1"
}
