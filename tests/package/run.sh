#!/bin/sh
# tests/package/run.sh - the packages, and `make install`, in a Debian of their own.
# usage: run.sh BUILD_DIR    root; BUILD_DIR is a finished release build with its manual pages
#
# The bare Debian comes from the registry once and stays in .build/cache.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
here=$top/.build/package
base=$top/.build/cache/bookworm.tar
# What the packages need; systemd for its tools, it is not started.
include=systemd,libev4,libmsgpackc2,liblmdb0,libyaml-0-2,libcurl4,libssl3,ca-certificates,man-db,procps

say() { echo "== $*"; }

if [ ! -e "$base" ]; then
	say "a bare Debian"
	mkdir -p "${base%/*}"
	rm -rf "$base.tree"
	debootstrap --variant=minbase --include="$include" bookworm "$base.tree" >"$base.log"
	tar -C "$base.tree" -cf "$base.new" --exclude='./var/cache/apt/archives/*.deb' .
	mv "$base.new" "$base"
	rm -rf "$base.tree"
fi

say "the packages"
rm -rf "$here"
mkdir -p "$here"
"$top/contrib/deb.sh" "$here/debs" >"$here/build.log" 2>&1 || {
	tail -n 40 "$here/build.log"
	exit 1
}
say "lintian"
lintian --profile debian --fail-on warning,error "$here"/debs/*.changes

say "the library for authors of steps"
dpkg-deb -x "$here"/debs/libreeve-step-dev_*.deb "$here/dev"
cat >"$here/step.c" <<-'END'
	#include <reeve/step.h>
	int
	main(void)
	{
		return step_open() || step_progress(0.5, "half") || step_output("a", "b");
	}
END
# shellcheck disable=SC2046 # words
cc -o "$here/step" "$here/step.c" $(PKG_CONFIG_SYSROOT_DIR="$here/dev" PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 \
	PKG_CONFIG_PATH=$(dirname "$(find "$here/dev" -name reeve-step.pc)") PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 \
	pkg-config --cflags --libs reeve-step)
"$here/step"

# The same as a later version: every file of it is another one.
deb=$(echo "$here"/debs/reeve_*.deb)
dpkg-deb -R "$deb" "$here/later"
sed -i 's/^Version: .*/&+later/' "$here/later/DEBIAN/control"
dpkg-deb --root-owner-group -b "$here/later" "$here/debs/later.deb" >/dev/null

say "a Debian of its own"
root=$here/root
mkdir -p "$root"
tar -C "$root" -xf "$base"
mkdir -p "$root/given/tree/ipc" "$root/given/tree/worker"
cp "$deb" "$root/given/reeve.deb"
cp "$here/debs/later.deb" "$root/given/later.deb"
cp "$top/tests/package/inside.sh" "$root/given/inside.sh"
cp -R "$build" "$root/given/tree/build"
cp -R "$top/contrib" "$root/given/tree/contrib"
cp "$top/ipc/version.h" "$root/given/tree/ipc"
cp "$top/worker/step.h" "$root/given/tree/worker"

status=0
# The pid namespace ends, and everything in it, when inside.sh does.
unshare --mount --pid --net --fork --kill-child --mount-proc="$root/proc" \
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
	/bin/sh /given/inside.sh || status=$?
rm -rf "$here"
exit "$status"
