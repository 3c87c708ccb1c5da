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

# Runs PROGRAM: sets passed, failed and output.
run() {
	output=$("$1" 2>&1)
	code=$?
	counts=$(printf '%s\n' "$output" |
		sed -n 's/.*Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2 \3/p' |
		awk '{ checks += $1; bad += $2 + $3 } END { print checks - bad, bad + 0, checks + 0 }')
	passed=${counts%% *} failed=${counts#* } checks=${counts##* }
	failed=${failed% *}
	if printf '%s\n' "$output" | grep -q '^skipped'; then
		[ "${CI-}" = true ] && failed=$((failed + 1))
	fi
	# A program that dies, or runs nothing, has failed whatever it printed.
	if { [ "$code" != 0 ] && [ "$failed" = 0 ]; } || [ "$checks" = 0 ]; then
		failed=$((failed + 1))
	fi
}

# shows WORD: a line, and what the program said unless all is well.
show() {
	printf '  %-5s %-6s %4d  %s\n' "$1" "$label" "$2" "$(basename "$program")"
	[ "$1" = ok ] || printf '%s\n' "$output"
}

for program in "$@"; do
	run "$program"
	# Where others share the machine a story may run out of patience: seen, told, and tried once more.
	if [ "$failed" != 0 ] && [ "${CI-}" = true ]; then
		show AGAIN "$failed"
		run "$program"
	fi
	printf '%s %s %s\n' "$passed" "$failed" "$program" >>"$results"
	if [ "$failed" = 0 ]; then
		show ok "$passed"
	else
		show FAIL "$failed"
		status=1
	fi
done
exit $status
