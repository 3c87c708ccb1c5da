# contrib/man/help.awk - what a program's --help prints, as roff. The page says what --help says.
# variables: section=1 for a verb of reeve, whose first line becomes a subsection
function escaped(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	gsub(/'/, "\\(aq", text)
	gsub(/`/, "\\(ga", text)
	gsub(/\^/, "\\(ha", text)
	gsub(/~/, "\\(ti", text)
	if (text ~ /^\./) text = "\\&" text
	return text
}
# `code` in running text is bold.
function prose(text,  n, part, i, out) {
	gsub(/  +/, " ", text)
	n = split(text, part, "`")
	for (i = 1; i <= n; i++) out = out (i % 2 == 0 && i < n ? "\\fB" escaped(part[i]) "\\fR" : escaped(part[i]))
	return out ~ /^\./ ? "\\&" out : out
}
function verbatim(on) {
	if (on && !is_verbatim) print ".IP\n.EX"
	if (!on && is_verbatim) print ".EE"
	is_verbatim = on
}
NR == 1 && section {
	name = $0; sub(/:.*/, "", name); sub(/^[^:]*: /, "")
	print ".SS \"" escaped(name) "\""
	print prose(toupper(substr($0, 1, 1)) substr($0, 2)) "."
	next
}
/^Usage: / { next }
section && index($0, name) == 1 && !has_options { print ".br\n.B " escaped($0); next }
/^$/ { verbatim(0); print ".PP"; next }
/^[A-Z][A-Za-z ]*:$/ {
	heading = $0
	has_options = 1
	print ".PP\n\\fI" escaped($0) "\\fR"
	next
}
/^  / && (heading == "Examples:") { verbatim(1); sub(/^  /, ""); print escaped($0); next }
# NAME  what it is; more of that is indented further.
/^          / { sub(/^ +/, ""); print prose($0); next }
/^  +[^ ]/ {
	sub(/^ +/, "")
	if (!match($0, /  +/)) { print ($0 ~ /^-/ ? ".PP\n\\fB" escaped($0) "\\fR" : ".br\n" prose($0)); next }
	print ".TP\n\\fB" escaped(substr($0, 1, RSTART - 1)) "\\fR\n" prose(substr($0, RSTART + RLENGTH))
	next
}
{ print prose($0) }
END { verbatim(0) }
