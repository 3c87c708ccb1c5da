# contrib/man/markdown.awk - the references in Markdown, as roff: headings, paragraphs, lists, tables
# of terms, blocks of code, `code`, [links](to).
# variables: sub_=1 makes second-level headings subsections
function escaped(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	gsub(/'/, "\\(aq", text)
	gsub(/\^/, "\\(ha", text)
	gsub(/~/, "\\(ti", text)
	if (text ~ /^\./) text = "\\&" text
	return text
}
function unlinked(text) {
	while (match(text, /\[[^]]*\]\([^)]*\)/))
		text = substr(text, 1, RSTART - 1) substr(text, RSTART + 1, index(substr(text, RSTART), "]") - 2) \
			substr(text, RSTART + RLENGTH)
	return text
}
function prose(text,  n, part, i, out) {
	n = split(text, part, "`")
	for (i = 1; i <= n; i++)
		out = out (i % 2 == 0 ? "\\fB" escaped(part[i]) "\\fR" : escaped(unlinked(part[i])))
	return out
}
function plain(text) { gsub(/`/, "", text); return escaped(text) }
/^```/ { print in_code ? ".EE" : ".IP\n.EX"; in_code = !in_code; next }
in_code { print escaped($0); next }
/^# / { next }
/^## / { print (sub_ ? ".SS " : ".SH ") "\"" (sub_ ? plain(substr($0, 4)) : toupper(plain(substr($0, 4)))) "\""; next }
/^### / { print ".SS \"" plain(substr($0, 5)) "\""; next }
/^\|[-| ]+\|$/ { next }
/^\| / {
	n = split($0, cell, / *\| */)
	if (!in_table) { for (i = 2; i < n; i++) head[i] = cell[i]; in_table = 1; next }
	print ".TP\n" prose(cell[2])
	for (i = 3; i < n; i++) if (cell[i] != "") line = line (line == "" ? "" : "; ") (i == 3 ? "" : head[i] ": ") cell[i]
	print prose(line); line = ""
	next
}
{ in_table = 0 }
/^- / { print ".IP \\(bu 2\n" prose(substr($0, 3)); next }
/^$/ { print ".PP"; next }
{ print prose($0) }
