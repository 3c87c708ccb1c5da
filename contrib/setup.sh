#!/bin/sh
# contrib/setup.sh - installs the Debian packages this project builds and is tested with.
# usage: setup.sh build|test|lint|package ...
# Says what it installs; does nothing, and needs no network, when everything is there.
set -eu

build="gcc make pkg-config libc6-dev libev-dev libmsgpack-dev liblmdb-dev libyaml-dev
	libcurl4-openssl-dev libssl-dev ca-certificates"
test="check libjansson-dev nginx-light python3 python3-msgpack python3-jsonschema procps util-linux
	curl gcovr patch tmux bash-completion zsh fish"
lint="clang clang-tidy clang-format cppcheck shellcheck libclang-rt-dev libc6-dev"
package="debhelper dpkg-dev lintian debootstrap git tar util-linux"

wanted=
for set in "$@"; do
	case $set in
	build) wanted="$wanted $build" ;;
	test) wanted="$wanted $test" ;;
	package) wanted="$wanted $package" ;;
	lint) wanted="$wanted $lint" ;;
	*) echo "setup.sh: there is no set \"$set\"" >&2; exit 2 ;;
	esac
done

missing=
for package in $wanted; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "setup.sh: run this as root, or install the packages above by hand" >&2
		exit 1
	}
	as_root=sudo
fi
# Debian's own nginx would start a server at once; the tests start theirs.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
	$as_root chmod +x "$policy"
	trap '$as_root rm -f "$policy"' EXIT
fi
[ -n "$(find /var/lib/apt/lists -name '*_Packages*' -print -quit 2>/dev/null)" ] ||
	$as_root apt-get update -q
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing ||
	{ $as_root apt-get update -q &&
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; }
