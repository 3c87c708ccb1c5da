#!/bin/sh
# tests/package/inside.sh - what run.sh does in the Debian that it made: as root, in a pid namespace.
# shellcheck disable=SC2016,SC2317 # $HOME is hers; functions are called through expect
set -u

failed=0
expect() { # WHAT COMMAND...: its output is shown when it fails
	what=$1
	shift
	if "$@" >/tmp/said 2>&1; then
		echo "  ok    $what"
	else
		echo "  FAIL  $what ($?): $*"
		sed 's/^/        /' /tmp/said
		failed=$((failed + 1))
	fi
}
refused() { ! "$@"; }
expect_said() { # WHAT PATTERN: of what the last expect's command said
	if grep -q -- "$2" /tmp/said; then
		echo "  ok    $1"
	else
		echo "  FAIL  $1: no \"$2\" in:"
		sed 's/^/        /' /tmp/said
		failed=$((failed + 1))
	fi
}
until_true() { timeout 60 sh -c "until $1; do :; done"; }
# Everything but the package manager's own books and what is made anew at will.
snapshot() {
	find / -xdev \( -path /proc -o -path /given -o -path /tmp -o -path /var/lib/dpkg -o -path /var/log \
		-o -path /var/cache -o -path /home -o -path /var/mail -o -path /etc/passwd- -o -path '/etc/group-' \
		-o -path '/etc/gshadow-' -o -path /etc/shadow- -o -path /dev -o -path /run/systemd \) -prune -o -print | sort
}
as_alice() { su alice -s /bin/sh -c "$1"; }

start_service() { # PREFIX
	"$1/bin/reeved" >>/tmp/reeved.log 2>&1 &
	keeper=$!
	expect "the service starts" until_true "$1/bin/reeve version | grep -q '^service '"
}
worker() { find /proc/[0-9]*/exe -maxdepth 0 -lname '*/libexec/reeve/reeve-worker*' 2>/dev/null | cut -d / -f 3; }

# A task that waits for /tmp/go; sets $id and $busy, its worker.
start_patient() { # PREFIX
	rm -f /tmp/go /tmp/began
	id=$(as_alice "$1/bin/reeve run --detach patient")
	expect "a recipe begins, as an ordinary user" until_true '[ -s /tmp/began ]'
	expect "as that user" grep -qx alice /tmp/began
	busy=$(worker)
}
end_patient() { # PREFIX
	: >/tmp/go
	expect "the task completes" as_alice "$1/bin/reeve wait $id"
	expect "at its first attempt" sh -c "$1/bin/reeve show --json $id | grep -q '\"attempt\": *1,'"
}
survived() {
	expect "its worker is the same" [ "$(worker)" = "$busy" ]
	expect "the service is the same process" kill -0 "$keeper"
	expect "as another program" refused sh -c "readlink /proc/$keeper/exe | grep deleted"
}

useradd --create-home alice
mkdir -p /etc/reeve/recipes
cat >/etc/reeve/recipes/patient.yaml <<-'END'
	steps:
	  - name: wait
	    sh: id -un >/tmp/began; while [ ! -e /tmp/go ]; do sleep 0.1; done
END
cat >/etc/reeve/recipes/fetch.yaml <<-'END'
	steps:
	  - name: fetch
	    pull: {url: 'http://127.0.0.1:9/', to: file}
	    timeout: 1s
END
mv /etc/reeve/recipes /tmp/recipes
rmdir /etc/reeve
snapshot >/tmp/before

echo "== the package: install"
expect "it installs" dpkg -i /given/reeve.deb
expect "the group is there" getent group reeve-admin
expect "the state directory is there" [ "$(stat -c %a /var/lib/reeve)" = 711 ]
reeve doctor >/tmp/said 2>&1
expect "doctor says that nothing runs" [ $? = 6 ]
for page in 'reeve 1' 'reeve-pull 1' 'reeve-recipe 5' 'reeve.yaml 5' 'reeved 8'; do
	# shellcheck disable=SC2086 # a name and a section
	set -- $page
	expect "there is $1($2)" man --warnings "$2" "$1"
	expect "and it is sound" [ -z "$(man --warnings "$2" "$1" 2>&1 >/dev/null)" ]
done
expect "the unit is sound" systemd-analyze verify /lib/systemd/system/reeve.service
expect "systemd has no remark on it" [ -z "$(cat /tmp/said)" ]
expect "the users' unit is sound" env XDG_RUNTIME_DIR=/tmp systemd-analyze --user verify /usr/lib/systemd/user/reeve.service
cp /tmp/recipes/* /etc/reeve/recipes/
echo 'slots: 3' >>/etc/reeve/reeve.yaml
expect "the configuration is sound" reeve config check

echo "== the package: upgrade while a task runs"
start_service /usr
start_patient /usr
expect "an upgrade installs" dpkg -i /given/later.deb
expect_said "it hands over" '1 running'
survived
expect "the configuration is as it was left" grep -qx 'slots: 3' /etc/reeve/reeve.yaml
end_patient /usr
reeve run fetch >/tmp/said 2>&1
expect_said "the worker finds reeve-pull" '127.0.0.1'

echo "== the package: remove and purge"
start_patient /usr
expect "it is not removed while a task runs" refused dpkg -r reeve
expect_said "and names the task" "^ *$id "
expect "the task has not noticed" [ "$(worker)" = "$busy" ]
end_patient /usr
expect "it is removed then" dpkg -r reeve
wait "$keeper"
expect "the service has ended" [ -z "$(pidof reeved)" ]
expect "the tasks stay" [ -d /var/lib/reeve/store ]
rm /etc/reeve/recipes/patient.yaml /etc/reeve/recipes/fetch.yaml
expect "it is purged" dpkg -P reeve
snapshot >/tmp/after
expect "nothing stays" diff /tmp/before /tmp/after
expect "nor the group" refused getent group reeve-admin

echo "== make install"
cd /given/tree || exit 1
expect "it installs, and ends with doctor" contrib/install.sh install build
expect_said "which says that nothing runs" 'systemctl enable --now reeve'
cp /tmp/recipes/patient.yaml /etc/reeve/recipes/
start_service /usr/local
start_patient /usr/local
expect "installing again hands over" contrib/install.sh install build
expect_said "and ends with doctor" '^. store'
survived
expect "it is not removed while a task runs" refused contrib/install.sh uninstall build
end_patient /usr/local
expect "it is removed then" contrib/install.sh uninstall build
expect_said "and says what stays" '/var/lib/reeve stays'
wait "$keeper"
expect "the tasks stay" [ -d /var/lib/reeve/store ]
expect "it is purged" env PURGE=1 contrib/install.sh uninstall build
rm -rf /usr/local/share/* /usr/local/lib/* /usr/local/include/*
snapshot | grep -v ^/usr/local >/tmp/after
grep -v ^/usr/local /tmp/before >/tmp/before.rest
expect "nothing stays" diff /tmp/before.rest /tmp/after
expect "no file below /usr/local" refused sh -c 'find /usr/local ! -type d ! -type l | grep .'

echo "== make install, for oneself"
mine() { as_alice "cd /given/tree && PREFIX=\$HOME/.local PURGE=${purge-} contrib/install.sh $1 build"; }
own() { as_alice "\$HOME/.local/bin/reeve $1"; }
expect "it installs, and ends with doctor" mine install
expect_said "which says how to start a service" 'systemctl --user enable --now reeve'
expect_said "and how to keep it beyond the logout" 'loginctl enable-linger'
as_alice '$HOME/.local/bin/reeved' >>/tmp/reeved.log 2>&1 &
expect "the service starts" until_true "su alice -c '\$HOME/.local/bin/reeve version' | grep -q '^service .*alice'"
rm -f /tmp/go
id=$(own "run --detach -- sh -c 'while [ ! -e /tmp/go ]; do sleep 0.1; done'")
expect "a task runs" until_true "find /proc/[0-9]*/exe -lname '*/reeve-worker' 2>/dev/null | grep -q ."
busy=$(worker)
expect "installing again hands over" mine install
expect_said "with the task" '1 running'
expect "its worker is the same" [ "$(worker)" = "$busy" ]
expect "it is not removed while a task runs" refused mine uninstall
: >/tmp/go
expect "the task completes" own "wait $id"
expect "it is removed then" mine uninstall
expect "no program stays" refused sh -c 'find ~alice/.local/bin ~alice/.local/libexec -type f | grep .'
expect "the machine has nothing of it" refused test -e /etc/reeve

[ "$failed" = 0 ] || tail -n 40 /tmp/reeved.log
exit $((failed > 0))
