#compdef wikictl
# zsh completion for wikictl: the program itself says what may follow the words so far.
_wikictl() {
	local -a asked found
	asked=("${(@)words[1,CURRENT-1]}")
	asked[1]=${asked[1]/#\~/$HOME}
	[[ ${words[CURRENT]} == -* ]] && asked+=("${words[CURRENT]}")
	# The library describes its words where the variable 0 names zsh.
	found=("${(@f)$(env 0=zsh "${asked[@]}" --generate-bash-completion 2>/dev/null)}")
	if [[ -n ${found[1]} ]]; then
		_describe wikictl found
	else
		_files
	fi
}
if [[ ${funcstack[1]} == _wikictl ]]; then
	_wikictl "$@"
else
	compdef _wikictl wikictl
fi
