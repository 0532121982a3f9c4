/// The completion scripts, with what ArgumentParser's own leave out: behind `exec … --` and `watch … --` stands a command
/// like any other, and behind `help` a verb.
enum Completion {
    /// A text to print, amended where it is such a script.
    static func amended(_ text: String) -> String {
        let name = Process.name
        let verbs = UnknownVerb.verbs.joined(separator: " ")
        if text.hasPrefix("#!/bin/bash\n") {
            let registration = "complete -o filenames -F _\(name) \(name)"
            guard text.hasSuffix(registration) else { return text }
            return text.dropLast(registration.count) + bash(name, verbs)
        }
        if text.hasPrefix("#compdef ") {
            let start = "\n_\(name)() {\n"
            return text.replacing(start, with: start + zsh).replacing("'*:subcommands:'", with: "':verb:(\(verbs))'")
        }
        if text.hasPrefix("function __\(name)_should_offer_completions") { return text + "\n" + fish(name, verbs) }
        return text
    }

    private static func bash(_ name: String, _ verbs: String) -> String {
        """
        # What stands behind `exec … --` is completed as a command of its own: as bash-completion does it where that is
        # loaded, else by the names of commands and files.
        _\(name)_or_command() {
            local -i i
            if [[ "${COMP_WORDS[1]}" = @(exec|watch) ]]; then
                for ((i = 2; i < COMP_CWORD; i++)); do
                    [[ "${COMP_WORDS[i]}" = -- ]] || continue
                    if declare -F _command_offset >/dev/null; then
                        _command_offset "$((i + 1))"
                    elif ((i + 1 == COMP_CWORD)) && [[ "${COMP_WORDS[COMP_CWORD]}" != */* ]]; then
                        mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}" | sort -u)
                    else
                        mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
                    fi
                    return
                done
            elif [[ "${COMP_WORDS[1]}" = help && COMP_CWORD -eq 2 ]]; then
                mapfile -t COMPREPLY < <(compgen -W '\(verbs)' -- "${COMP_WORDS[COMP_CWORD]}")
                return
            fi
            _\(name) "$@"
        }

        complete -o filenames -F _\(name)_or_command \(name)
        """
    }

    /// The beginning of the function that completes all: ArgumentParser's has no command behind `--`.
    private static let zsh = """
            # What stands behind `exec … --` is completed as a command of its own.
            if [[ "${words[2]}" == (exec|watch) && ${words[(i)--]} -lt CURRENT ]]; then
                (( CURRENT -= ${words[(i)--]} ))
                shift ${words[(i)--]} words
                _normal
                return
            fi

        """

    private static func fish(_ name: String, _ verbs: String) -> String {
        """
        # What stands behind `exec … --` is completed as a command of its own.
        function __\(name)_is_behind_terminator
            set -l tokens (__\(name)_tokens -pc)
            contains -- "$tokens[2]" exec watch; and contains -- -- $tokens[3..]
        end

        function __\(name)_complete_command
            set -l tokens (__\(name)_tokens -pc)
            set -e tokens[1..(contains -i -- -- $tokens)]
            complete -C (string join -- ' ' (string escape -- $tokens) (commandline -ct))
        end

        complete -c '\(name)' -n '__\(name)_is_behind_terminator' -fa '(__\(name)_complete_command)'
        complete -c '\(name)' -n '__\(name)_should_offer_completions_for_positional "\(name) help" -eq 1' -fa '\(verbs)'
        """
    }
}
