#!/bin/sh
# contrib/try-it.sh - a private service, the example recipe with live progress, and its result.
# usage: try-it.sh BUILD_DIR
# State lives under .build/try; the verified download stays in .build/cache for the next time.
set -eu

bin=$(cd "$1/bin" && pwd)
top=$(cd "$(dirname "$0")/.." && pwd)
state=$top/.build/try
mkdir -p "$state" "$top/.build/cache"
export REEVE_SOCKET="$state/run/control.sock"

"$bin/reeved" --state-dir "$state" --run-dir "$state/run" --log-level warn &
keeper=$!
# shellcheck disable=SC2317 # called by the trap
stop() {
	"$bin/reeve" shutdown --tasks >/dev/null 2>&1 || kill "$keeper" 2>/dev/null || true
	wait "$keeper" || true
}
trap stop EXIT
trap 'exit 130' INT TERM

status=0
"$bin/reeve" run "$top/contrib/recipes/try-it.yaml" cache="$top/.build/cache" \
	prefix="$state/prefix" || status=$?
echo
"$bin/reeve" ls
exit "$status"
