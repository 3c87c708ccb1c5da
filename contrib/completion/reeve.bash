# bash completion for reeve(1): the program itself knows what may follow. Needs bash-completion.
# shellcheck shell=bash disable=SC2207 # words are split where they are meant to be

_reeve()
{
	local cur words cword line text help width=0 cut='' i
	local -a texts=() helps=()

	_get_comp_words_by_ref -n '=:' cur words cword || return
	# What readline takes for the word begins behind the last of its word breaks.
	[[ $COMP_WORDBREAKS == *=* ]] && cut=${cur%"${cur##*[=:]}"}
	while IFS= read -r line; do
		case $line in
		:*)
			# Behind `--` stands another program's line.
			for ((i = 1; i < COMP_CWORD; i++)); do
				if [[ ${COMP_WORDS[i]} == -- ]]; then
					_command_offset $((i + 1))
					return
				fi
			done
			cur=${cur#"$cut"}
			if [[ $line == :dirs ]]; then _filedir -d; else _filedir; fi
			;;
		*)
			text=${line%%$'\t'*} help=${line#*$'\t'}
			((${#text} > width)) && width=${#text}
			printf -v text %q "$text"
			texts+=("${text#"$cut"}")
			helps+=("$help")
			;;
		esac
	done < <("${words[0]/#\~\//$HOME/}" __complete "${words[@]:1:cword}" 2>/dev/null)
	# A list that is only looked at (COMP_TYPE '?') may say what each is.
	for i in "${!texts[@]}"; do
		if ((COMP_TYPE == 63 && ${#texts[@]} > 1)) && [[ ${helps[i]} ]]; then
			printf -v line '%-*s  (%s)' "$width" "${texts[i]}" "${helps[i]}"
			COMPREPLY+=("$line")
		else
			COMPREPLY+=("${texts[i]}")
		fi
	done
	[[ ${#texts[@]} -gt 0 && ${texts[0]} == *= ]] && compopt -o nospace
	compopt -o nosort
} &&
	complete -F _reeve reeve
