#!/bin/sh
# tests/lint/run.sh - everything that can be said about the code without running it.
# usage: run.sh BUILD_DIR CFLAGS...   (a finished build: its dependency files are read)
# shellcheck disable=SC2317 # functions are called through check
set -u
build=$1
shift
here=$(dirname "$0")
status=0

check() {
	what=$1
	shift
	if "$@"; then
		printf '  ok    %s\n' "$what"
	else
		printf '  FAIL  %s\n' "$what"
		status=1
	fi
}

sources=$(git ls-files '*.c')
headers=$(git ls-files '*.h')
scripts=$(git ls-files '*.sh' .ci/run)

headers_alone() {
	compiler=$1
	shift
	for header in $headers; do
		"$compiler" "$@" -Wno-empty-translation-unit -Wno-pedantic -fsyntax-only -x c "$header" ||
			return 1
	done
}

compiles() {
	compiler=$1
	shift
	for source in $sources; do
		case $source in tests/fuzz/*) continue ;; esac
		"$compiler" "$@" -fsyntax-only "$source" || return 1
	done
}

formatted() {
	# shellcheck disable=SC2086
	clang-format --dry-run -Werror $sources $headers
}

short_files() {
	# shellcheck disable=SC2086
	long=$(wc -l $sources $headers | awk '$2 != "total" && $1 > 500')
	[ -z "$long" ] || { echo "files over 500 lines:"; echo "$long"; return 1; }
}

no_places() {
	! git grep -nE '/(home|root)/' -- ':!tests/lint/run.sh'
}

no_marks() {
	! git grep -nwE 'FIXME|XXX|HACK|TODO' -- '*.c' '*.h' '*.py' '*.sh' ':!tests/lint/run.sh'
}

# ctuuninitvar takes out-parameters for reads: they are written before they are read.
analysed() {
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppress=ctuuninitvar --library=tests/lint/cppcheck.cfg \
		-DREEVE_FAILPOINTS -I. ipc store worker supervisor tests/integ tests/chaos tests/bench
}

tidied() {
	flags=$*
	# One file a run: several that use va_start confuse this version. The inner shell expands the flags.
	# shellcheck disable=SC2016,SC2086
	printf '%s\n' $sources | grep -E '^(ipc|store|worker|supervisor)/' |
		xargs -P "$(nproc)" -n 1 sh -c 'flags=$1; shift; clang-tidy --quiet "$@" -- $flags 2>/dev/null' tidy "$flags"
}

check "layers: includes point down only" "$here/layers.sh" "$build"
check "each header compiles alone" headers_alone gcc "$@"
check "no warning from gcc" compiles gcc "$@"
check "no warning from clang" compiles clang "$@"
check "clang-format" formatted
check "no file over 500 lines" short_files
check "no place of one machine" no_places
check "no marks of unfinished work" no_marks
check "cppcheck" analysed
check "clang-tidy" tidied "$@"
# shellcheck disable=SC2086
check "shellcheck" shellcheck $scripts
exit $status
