#!/bin/sh
# tests/fuzz/run.sh - builds every fuzz target and runs each for a while from its seeds.
# usage: run.sh SECONDS
# What a target finds is left in .build/fuzz/NAME.found; keep it as a seed once it is mended.
set -u
seconds=$1
out=.build/fuzz
status=0
mkdir -p "$out"
library=$(git ls-files 'ipc/*.c' 'store/*.c' 'supervisor/recipe/*.c')

for target in tests/fuzz/fuzz_*.c; do
	name=$(basename "$target" .c)
	seeds=tests/fuzz/seeds/${name#fuzz_}
	mkdir -p "$out/$name.corpus" "$out/$name.found"
	# shellcheck disable=SC2086
	if ! clang -std=c17 -D_GNU_SOURCE -I. -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -pthread -o "$out/$name" "$target" $library \
		-lmsgpackc -llmdb -lyaml; then
		printf '  FAIL  %s: does not build\n' "$name"
		status=1
		continue
	fi
	if "$out/$name" -max_total_time="$seconds" -rss_limit_mb=256 -malloc_limit_mb=64 -timeout=5 \
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
