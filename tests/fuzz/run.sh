#!/bin/sh
# tests/fuzz/run.sh - builds every fuzz target and runs each for a while from its seeds.
# usage: run.sh SECONDS
# What a target finds is left in .build/fuzz/NAME.found; keep it as a seed once it is mended.
set -u
seconds=$1
out=.build/fuzz
status=0
mkdir -p "$out"
flags="-std=c17 -D_GNU_SOURCE -I. -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -pthread"

# The code under test, once: each target then only links.
# shellcheck disable=SC2016 # the inner shell expands them
git ls-files 'ipc/*.c' 'store/*.c' 'supervisor/recipe/*.c' \
	'worker/readers/*.c' worker/progress.c worker/escape.c | xargs -P "$(nproc)" -I{} sh -c '
	object=$1/obj/$2.o
	mkdir -p "$(dirname "$object")"
	[ "$object" -nt "$2" ] || clang $3 -fsanitize=fuzzer-no-link -c -o "$object" "$2"' compile "$out" {} "$flags" || exit 1
rm -f "$out/code.a"
find "$out/obj" -name '*.o' -exec ar rcs "$out/code.a" {} +

for target in tests/fuzz/fuzz_*.c; do
	name=$(basename "$target" .c)
	seeds=tests/fuzz/seeds/${name#fuzz_}
	mkdir -p "$out/$name.corpus" "$out/$name.found"
	# shellcheck disable=SC2086
	if ! clang $flags -fsanitize=fuzzer -o "$out/$name" "$target" "$out/code.a" -lmsgpackc -llmdb -lyaml; then
		printf '  FAIL  %s: does not build\n' "$name"
		echo "0 1 $name" >>.build/results
		status=1
		continue
	fi
	if ASAN_OPTIONS=quarantine_size_mb=8 "$out/$name" -max_total_time="$seconds" -rss_limit_mb=256 -malloc_limit_mb=64 -timeout=5 \
		-max_len=70000 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="$out/$name.found/" "$out/$name.corpus" "$seeds" >"$out/$name.log" 2>&1; then
		printf '  ok    %s  %s runs\n' "$name" \
			"$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$name.log")"
		echo "1 0 $name" >>.build/results
	else
		printf '  FAIL  %s\n' "$name"
		tail -40 "$out/$name.log"
		echo "0 1 $name" >>.build/results
		status=1
	fi
done
exit $status
