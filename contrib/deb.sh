#!/bin/sh
# contrib/deb.sh - the Debian packages of this tree, by the usual tools, into OUT_DIR.
# usage: deb.sh OUT_DIR
set -eu

mkdir -p "$1"
out=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/.." && pwd)
tree=$out/reeve

rm -rf "$tree"
mkdir "$tree"
(cd "$top" && git ls-files -z | tar -c --null -T -) | tar -x -C "$tree"
cp -R "$tree/contrib/debian" "$tree/debian"
cd "$tree"
dpkg-buildpackage -us -uc -b -tc
rm -rf "$tree"
