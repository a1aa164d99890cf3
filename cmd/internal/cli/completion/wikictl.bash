# bash completion for wikictl: the program itself says what may follow the words so far.
_wikictl() {
	local current=${COMP_WORDS[COMP_CWORD]} found
	local -a words=("${COMP_WORDS[@]:0:COMP_CWORD}")
	words[0]=${words[0]/#\~/$HOME}
	[[ $current == -* ]] && words+=("$current")
	found=$("${words[@]}" --generate-bash-completion 2>/dev/null)
	mapfile -t COMPREPLY < <(compgen -W "$found" -- "$current")
}
complete -o bashdefault -o default -F _wikictl wikictl
