/// The completion scripts, with what ArgumentParser's own leave out: behind `exec … --` and `watch … --` stands a command like any other.
enum Completion {
    /// A text to print, amended where it is such a script.
    static func amended(_ text: String) -> String {
        let name = Process.name
        if text.hasPrefix("#!/bin/bash\n") {
            let registration = "complete -o filenames -F _\(name) \(name)"
            guard text.hasSuffix(registration) else { return text }
            return text.dropLast(registration.count) + bash(name)
        }
        if text.hasPrefix("#compdef ") { return text.replacing("'*:command:'", with: "'*::command:_normal'") }
        return text
    }

    private static func bash(_ name: String) -> String {
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
            fi
            _\(name) "$@"
        }

        complete -o filenames -F _\(name)_or_command \(name)
        """
    }
}
