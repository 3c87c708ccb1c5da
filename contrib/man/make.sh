#!/bin/sh
# contrib/man/make.sh - the manual pages, made from what the programs' --help says and from the
# references beside this directory, so that there is one text of each.
# usage: [PREFIX=/usr/local] make.sh BIN_DIR OUT_DIR
#        make.sh --list
set -eu

pages='reeve.1 reeve-pull.1 reeve-recipe.5 reeve.yaml.5 reeved.8'
if [ "$1" = --list ]; then
	echo "$pages"
	exit
fi
bin=$1 out=$2
here=$(dirname "$0")
contrib=$here/..
version=$(sed -n 's/^#define REEVE_VERSION "\(.*\)"/\1/p' "$contrib/../ipc/version.h")

head() { # NAME SECTION ONE_LINE
	printf '.TH %s %s "" "reeve %s"\n.nh\n.ad l\n.SH NAME\n%s \\- %s\n' \
		"$(printf '%s' "$1" | tr '[:lower:]' '[:upper:]' | sed 's/-/\\-/g')" "$2" "$version" \
		"$(printf '%s' "$1" | sed 's/-/\\-/g')" "$3"
}

help() { # PROGRAM [VERB]: with a verb as a subsection
	"$bin/$1" ${2+"$2"} --help >"$out/help"
	awk -v section="$#" 'BEGIN { section -= 1 } '"$(cat "$here/help.awk")" "$out/help"
}

verbs() {
	"$bin/reeve" --help | sed -n '/^reeve VERB/,/^`reeve VERB/s/^  \([a-z]*\)  .*/\1/p' | grep -v '^help$'
}

page() { # NAME.SECTION: from the functions above
	# A paragraph that holds none goes; awk, since sed's D loses the last line.
	"page_$(printf '%s' "$1" | tr .- __)" | sed "s:@PREFIX@:${PREFIX-/usr/local}:" | awk '
		held && !/^\.(PP|SH|SS|TP|IP)/ { print ".PP" }
		{ held = /^\.PP$/ }
		!held { print }' >"$out/$1.tmp"
	mv "$out/$1.tmp" "$out/$1"
}

page_reeve_1() {
	head reeve 1 'background tasks that outlive everything around them'
	cat "$here/reeve.1.in"
	echo '.SH VERBS'
	for verb in $(verbs); do
		help reeve "$verb"
	done
	cat "$here/reeve.1.end"
}

page_reeved_8() {
	head reeved 8 'the service that runs background tasks'
	printf '.SH SYNOPSIS\n.B reeved\n[\\fIoptions\\fR]\n.SH DESCRIPTION\n'
	help reeved
	cat "$here/reeved.8.end"
}

page_reeve_pull_1() {
	head reeve-pull 1 'download one file, completely or not at all'
	printf '.SH SYNOPSIS\n.B reeve\\-pull\n\\-\\-url \\fIURL\\fR \\-\\-to \\fIPATH\\fR [\\fIoptions\\fR]\n.SH DESCRIPTION\n'
	help reeve-pull
	printf '.SH "SEE ALSO"\n.BR reeve (1),\n.BR reeve\\-recipe (5)\n'
}

page_reeve_recipe_5() {
	head reeve-recipe 5 'files that name a kind of work and its steps'
	echo '.SH DESCRIPTION'
	awk -f "$here/markdown.awk" "$contrib/RECIPES.md"
	cat "$here/reeve-recipe.5.end"
}

page_reeve_yaml_5() {
	head reeve.yaml 5 "the configuration of reeve's service"
	echo '.SH DESCRIPTION'
	awk -v sub_=1 -f "$here/markdown.awk" "$contrib/CONFIG.md"
	printf '.SH "SEE ALSO"\n.BR reeved (8),\n.BR reeve (1)\n'
}

mkdir -p "$out"
for name in $pages; do
	page "$name"
done
rm -f "$out/help"
