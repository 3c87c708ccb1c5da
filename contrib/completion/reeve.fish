# fish completion for reeve(1): the program itself knows what may follow.

function __reeve_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)[1]
    # Behind `--` stands another program's line.
    if test "$words[2]" = run; and contains -- -- $words
        complete -C (commandline -cp | string replace -r '^.*? -- ' '')
        return
    end
    set -l kept (string match -r '^[^=]*=' -- "$current")
    for line in ($words[1] __complete $words[2..] "$current" 2>/dev/null)
        switch $line
            case ':dirs'
                printf '%s\n' "$kept"(__fish_complete_directories (string replace -r '^[^=]*=' '' -- "$current"))
            case ':*'
                printf '%s\n' "$kept"(__fish_complete_path (string replace -r '^[^=]*=' '' -- "$current"))
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c reeve -f -k -a '(__reeve_complete)'
