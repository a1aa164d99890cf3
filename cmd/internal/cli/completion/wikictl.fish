
# The names of tenants, rules and topics, which the program itself says.
function __fish_wikictl_ask
    set -l words (commandline -opc)
    $words --generate-bash-completion 2>/dev/null
end
complete -c wikictl -f -n 'test (count (commandline -opc)) -gt 1' -a '(__fish_wikictl_ask)'
