#!/bin/sh
# tests/chaos/plants.sh - shows that the chaos test can fail: each fault in tests/chaos/plants is built into a
# copy of the tree, and must be caught.
# usage: plants.sh SECONDS      (after `make B=debug` of the programs and of chaos)
set -u
seconds=$1
status=0

# A fault that needs a window kept open to show itself.
window() {
	case $1 in
	no-second-read-after-unlock) echo "ingest.after_pread=sleep:3" ;;
	cursor-in-a-second-transaction) echo "commit.before=sleep:2" ;;
	answer-before-commit) echo "commit.before=sleep:10" ;;
	*) echo "" ;;
	esac
}

for patch in tests/chaos/plants/*.patch; do
	name=$(basename "$patch" .patch)
	copy=.build/plants/$name
	rm -rf "$copy"
	mkdir -p "$copy/.build"
	cp -a Makefile ipc store worker supervisor tests contrib "$copy/"
	cp -a .build/debug "$copy/.build/debug"
	if ! patch -s -p1 -d "$copy" <"$patch" ||
		! make -s -C "$copy" B=debug CFLAGS=-Wno-error all .build/debug/tests/chaos/chaos \
			.build/debug/tests/fake/actor >"$copy/log" 2>&1; then
		printf '  FAIL  %s: does not apply or build any more\n' "$name"
		tail -5 "$copy/log"
		status=1
		continue
	fi
	for seed in 1 2 3; do
		REEVE_FAILPOINTS=$(window "$name") "$copy/.build/debug/tests/chaos/chaos" \
			--only-supervisor --seconds "$seconds" --seed "$seed" >"$copy/log" 2>&1
		caught=$?
		sed -n 's/^everything is kept in //p' "$copy/log" | xargs -r rm -rf
		[ "$caught" = 0 ] || break
	done
	if [ "$caught" != 0 ] && grep -q VIOLATION "$copy/log"; then
		printf '  ok    %s is caught: %s\n' "$name" "$(grep -m1 -h VIOLATION "$copy/log")"
		rm -rf "$copy"
	else
		printf '  FAIL  %s is not caught\n' "$name"
		status=1
	fi
done
exit $status
