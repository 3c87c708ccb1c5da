#!/bin/sh
# tests/lint/layers.sh - fails if anything includes upwards. Reads the dependency files the
# compiler wrote, so indirect includes count too.
# usage: layers.sh BUILD_DIR
#
# Rooms: who may include whom. Inside supervisor: levels, L0 below L4; a file includes
# its own level only where it is the same module or the level is that of a folder.
set -eu
find "$1" -name '*.d' -exec cat {} + | awk '
BEGIN {
	allow["ipc"] = " ipc "
	allow["store"] = " ipc store "
	allow["worker"] = " ipc worker "
	allow["supervisor"] = " ipc store supervisor "
	allow["tests"] = " ipc store worker supervisor tests "

	pure = "lifecycle queue can apply verdict view view_pack shares inquiry guests"
	kernel = "clone3 vault jobs committer control peer passed link ingest census reaps people cgroup cgroup_place cgroup_base killing berth launch"
	n = split(pure, name, " "); for (i = 1; i <= n; i++) level["supervisor/" name[i]] = 0
	n = split(kernel, name, " "); for (i = 1; i <= n; i++) level["supervisor/" name[i]] = 1
	level["supervisor/recipe/library"] = 1
	level["supervisor/supervisor"] = 3; level["supervisor/flags"] = 3
	level["supervisor/settings"] = 3; level["supervisor/reload"] = 3
	level["supervisor/main"] = 4
	# One kernel thing may rest on another where this says so.
	may["supervisor/killing supervisor/jobs"]; may["supervisor/killing supervisor/census"]
	may["supervisor/killing supervisor/cgroup"]; may["supervisor/launch supervisor/jobs"]
	may["supervisor/launch supervisor/berth"]; may["supervisor/launch supervisor/census"]; may["supervisor/launch supervisor/cgroup"]
	may["supervisor/cgroup supervisor/cgroup_place"]; may["supervisor/cgroup supervisor/cgroup_base"]
	may["supervisor/cgroup_place supervisor/cgroup_base"]
	may["supervisor/control supervisor/passed"]; may["supervisor/control supervisor/peer"]
	may["supervisor/launch supervisor/link"]; may["supervisor/people supervisor/jobs"]
	may["supervisor/view supervisor/can"]; may["supervisor/view supervisor/view_pack"]; may["supervisor/view supervisor/shares"]; may["supervisor/verdict supervisor/can"]
	may["supervisor/verdict supervisor/lifecycle"]; may["supervisor/verdict supervisor/inquiry"]
	may["supervisor/view supervisor/inquiry"]; may["supervisor/can supervisor/inquiry"]; may["supervisor/apply supervisor/inquiry"]
}
function module(file) { sub(/\.[ch]$/, "", file); return file }
function level_of(file,  m) {
	m = module(file)
	if (m in level) return level[m]
	if (m ~ /^supervisor\/recipe\//) return 0
	if (m ~ /^supervisor\/roster\//) return 2
	if (m ~ /^supervisor\/(commands|config)\//) return 3
	if (m ~ /^supervisor\/(cli|keeper)\//) return 4
	return -1
}
{ sub(/\\$/, "") }
/^[^ ].*:/ { file = "" }
{
	n = split($0, word, /[ \t]+/)
	for (i = 1; i <= n; i++) {
		w = word[i]
		if (w ~ /:$/) continue
		if (w !~ /^(ipc|store|worker|supervisor|tests)\//) continue
		split(w, p, "/")
		if (w ~ /\.c$/) { file = w; room = p[1]; continue }
		if (w !~ /\.h$/ || file == "") continue
		if (index(allow[room], " " p[1] " ") == 0) { print file " may not include " w; bad = 1 }
		if (room != "supervisor" || p[1] != "supervisor" || module(file) == module(w)) continue
		from = level_of(file); to = level_of(w)
		if (from < 0) { print file ": give it a level in tests/lint/layers.sh"; bad = 1 }
		else if (to < 0) { print w ": give it a level in tests/lint/layers.sh"; bad = 1 }
		else if (to > from) { print file " (level " from ") may not include " w " (level " to ")"; bad = 1 }
		else if (to == from && to < 2 && file !~ /\/recipe\// && !((module(file) " " module(w)) in may)) {
			print file " may not include its neighbour " w; bad = 1
		}
	}
}
END { exit bad }'
