#!/bin/sh
# tests/run.sh - runs test programs one after the other and adds up what Check reports.
# usage: run.sh LABEL PROGRAM...    each program's last line is `N%: Checks: n, Failures: f, Errors: e`
#        run.sh --total             the sum since .build/results was removed: `N passed, N failed`
set -u
# Check gives a test 4 s; a loaded machine needs more.
export CK_DEFAULT_TIMEOUT="${CK_DEFAULT_TIMEOUT-60}"
results=.build/results

if [ "${1-}" = --total ]; then
	awk '{ passed += $1; failed += $2 } END { printf "%d passed, %d failed\n", passed, failed }' "$results"
	exit 0
fi

label=$1
shift
status=0
mkdir -p .build
programs=$*
for program in $programs; do
	output=$("$program" 2>&1)
	code=$?
	counts=$(printf '%s\n' "$output" |
		sed -n 's/.*Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2 \3/p' |
		awk '{ checks += $1; bad += $2 + $3 } END { print checks - bad, bad + 0, checks + 0 }')
	# shellcheck disable=SC2086
	set -- $counts
	passed=$1 failed=$2 checks=$3
	if printf '%s\n' "$output" | grep -q '^skipped'; then
		[ "${CI-}" = true ] && failed=$((failed + 1))
	fi
	# A program that dies, or runs nothing, has failed whatever it printed.
	if { [ "$code" != 0 ] && [ "$failed" = 0 ]; } || [ "$checks" = 0 ]; then
		failed=$((failed + 1))
	fi
	printf '%s %s %s\n' "$passed" "$failed" "$program" >>"$results"
	if [ "$failed" = 0 ]; then
		printf '  ok    %-6s %4d  %s\n' "$label" "$passed" "$(basename "$program")"
	else
		printf '  FAIL  %-6s %4d  %s\n%s\n' "$label" "$failed" "$(basename "$program")" "$output"
		status=1
	fi
done
exit $status
