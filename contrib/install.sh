#!/bin/sh
# contrib/install.sh - puts a finished build in its place, and takes it away again.
# usage: install.sh install|uninstall BUILD_DIR
#
# PREFIX    where to (/usr/local); what is called is in bin, the rest of the programs in libexec/reeve
# DESTDIR   a tree to fill instead of this system; nothing is started then
# LIBDIR, ZSHDIR, UNITDIR, USERUNITDIR   where these things go, when not below PREFIX as usual
# PURGE=1   uninstall: also the configuration, all tasks, and the group
set -eu

action=$1 build=$2
contrib=$(dirname "$0")
: "${PREFIX:=/usr/local}" "${DESTDIR:=}" "${PURGE:=}"
: "${LIBDIR:=$PREFIX/lib}" "${ZSHDIR:=$PREFIX/share/zsh/site-functions}"
: "${UNITDIR:=$PREFIX/lib/systemd/system}" "${USERUNITDIR:=$PREFIX/lib/systemd/user}"
etc=/etc/reeve state=/var/lib/reeve run=/run/reeve

# The service of the machine takes root; others install for themselves.
is_system() { [ -n "$DESTDIR" ] || [ "$(id -u)" = 0 ]; }
has_systemd() { [ -d /run/systemd/system ]; }
say() { echo "reeve: $*"; }

# Everything that is installed: mode, source (.in: filled in), destination.
files() {
	cat <<-END
		755 $build/bin/reeve $PREFIX/bin/reeve
		755 $build/bin/reeved $PREFIX/bin/reeved
		755 $build/bin/reeve-pull $PREFIX/bin/reeve-pull
		755 $build/bin/reeve-supervisor $PREFIX/libexec/reeve/reeve-supervisor
		755 $build/bin/reeve-worker $PREFIX/libexec/reeve/reeve-worker
		644 $build/lib/libreeve-step.a $LIBDIR/libreeve-step.a
		644 $contrib/reeve-step.pc.in $LIBDIR/pkgconfig/reeve-step.pc
		644 $contrib/../worker/step.h $PREFIX/include/reeve/step.h
		644 $contrib/completion/reeve.bash $PREFIX/share/bash-completion/completions/reeve
		644 $contrib/completion/_reeve $ZSHDIR/_reeve
		644 $contrib/completion/reeve.fish $PREFIX/share/fish/vendor_completions.d/reeve.fish
		644 $contrib/recipe.schema.json $PREFIX/share/reeve/recipe.schema.json
	END
	for recipe in "$contrib"/recipes/*.yaml; do
		echo "644 $recipe $PREFIX/share/reeve/recipes/${recipe##*/}"
	done
	for page in $("$contrib/man/make.sh" --list); do
		echo "644 $build/man/$page $PREFIX/share/man/man${page##*.}/$page"
	done
	if is_system; then
		cat <<-END
			644 $contrib/systemd/reeve.service.in $UNITDIR/reeve.service
			644 $contrib/systemd/user/reeve.service.in $USERUNITDIR/reeve.service
			644 $contrib/systemd/sysusers.conf $PREFIX/lib/sysusers.d/reeve.conf
			644 $contrib/systemd/tmpfiles.conf $PREFIX/lib/tmpfiles.d/reeve.conf
		END
	else
		echo "644 $contrib/systemd/user/reeve.service.in $PREFIX/share/systemd/user/reeve.service"
	fi
}

# Renamed into place: what runs goes on with its own file, and nobody ever meets half of one.
put() {
	mkdir -p "${3%/*}"
	case $2 in
	*.in)
		version=$(sed -n 's/^#define REEVE_VERSION "\(.*\)"/\1/p' "$contrib/../ipc/version.h")
		sed "s:@PREFIX@:$PREFIX:; s:@LIBDIR@:$LIBDIR:; s:@VERSION@:$version:" "$2" >"$3.new"
		;;
	*) cp "$2" "$3.new" ;;
	esac
	chmod "$1" "$3.new"
	mv -f "$3.new" "$3"
}

put_all() {
	files | while read -r mode source target; do
		put "$mode" "$source" "$DESTDIR$target"
	done
	is_system || return 0
	mkdir -p "$DESTDIR$etc/recipes"
	# The administrator's own is not touched; what is new in it: reeve config default.
	[ -e "$DESTDIR$etc/reeve.yaml" ] || put 644 "$contrib/reeve.yaml" "$DESTDIR$etc/reeve.yaml"
}

make_group() {
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers "$PREFIX/lib/sysusers.d/reeve.conf"
	else
		getent group reeve-admin >/dev/null || groupadd --system reeve-admin
	fi
}

# Where there is none of his own, the machine's answers a user; it is not his to touch.
serves_us() {
	socket=$(reeve version | sed -n 's/^service .* at \([^,]*\),.*/\1/p')
	[ -n "$socket" ] && { is_system || [ "$socket" != $run/control.sock ]; }
}

# Over a running service: it becomes what was installed, and its tasks run on.
hand_over() {
	if is_system && has_systemd; then
		systemctl daemon-reload
	elif has_systemd; then
		systemctl --user daemon-reload || true # there is none where nobody is logged in
	fi
	if serves_us; then
		reeve shutdown --restart
	elif is_system; then
		say "start the service: systemctl enable --now reeve (without systemd: reeved &)"
	else
		say "start your service: systemctl --user enable --now reeve (without systemd: reeved &)"
		say "to keep it and its tasks beyond your logout: loginctl enable-linger"
	fi
}

do_install() {
	put_all
	[ -z "$DESTDIR" ] || return 0
	if is_system; then
		make_group
	fi
	hand_over
	# It tells what is to be done, also that nothing runs yet.
	reeve doctor || [ $? = 6 ]
}

# Whoever's they are, and whether or not their service runs.
tasks_running() {
	find /proc/[0-9]*/exe -maxdepth 0 -lname "$PREFIX/libexec/reeve/reeve-worker*" 2>/dev/null |
		cut -d / -f 3
}

refuse_while_busy() {
	if serves_us && reeve ls --active 2>/dev/null | grep '^ *[0-9]'; then
		say "these tasks have not ended: nothing was removed"
		say "reeve drain --wait lets them finish, reeve shutdown --tasks ends them"
		exit 1
	fi
	workers=$(tasks_running)
	if [ -n "$workers" ]; then
		say "tasks run that no service watches, or another user's; nothing was removed. Their workers:"
		# shellcheck disable=SC2086 # a list
		ps -o pid,user,lstart,args -p $workers || true
		exit 1
	fi
}

stop_service() {
	if is_system && has_systemd; then
		systemctl disable --now reeve.service || true
	elif has_systemd; then
		systemctl --user disable --now reeve.service || true
	fi
	! serves_us || reeve shutdown
}

purge() {
	rm -rf "$DESTDIR$etc" "$DESTDIR$state" "$DESTDIR$run"
	if [ -z "$DESTDIR" ] && getent group reeve-admin >/dev/null; then
		groupdel reeve-admin
	fi
}

do_uninstall() {
	if [ -z "$DESTDIR" ]; then
		refuse_while_busy
		stop_service
	fi
	files | while read -r mode source target; do
		rm -f "$DESTDIR$target"
	done
	for dir in libexec/reeve share/reeve/recipes share/reeve include/reeve; do
		rmdir "$DESTDIR$PREFIX/$dir" 2>/dev/null || true
	done
	is_system || return 0
	if [ -n "$PURGE" ]; then
		purge
		return 0
	fi
	for dir in "$etc" "$state"; do
		[ ! -e "$DESTDIR$dir" ] || say "$DESTDIR$dir stays"
	done
	[ -n "$DESTDIR" ] || ! getent group reeve-admin >/dev/null || say "group reeve-admin stays"
	say "PURGE=1 removes these too"
}

# The one that was installed, whatever else is in PATH.
reeve() { "$PREFIX/bin/reeve" "$@"; }

case $action in
install) do_install ;;
uninstall) do_uninstall ;;
*)
	echo "install.sh: install or uninstall" >&2
	exit 2
	;;
esac
