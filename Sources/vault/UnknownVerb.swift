internal import ArgumentParser

/// What is said of a verb that there is not, and of the one that may have been meant.
enum UnknownVerb {
    /// All verbs.
    static let verbs: [String] =
        RootCommand.configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName } + [
            "help"
        ]

    /// What other programs call them.
    private static let synonyms = [
        "ls": "list", "rm": "remove", "del": "remove", "delete": "remove", "run": "exec", "get": "token",
        "read": "token", "new": "add", "create": "add", "set": "add", "insert": "add", "store": "add", "mv": "rename",
        "cat": "show", "update": "rotate", "undo": "rollback", "passwd": "passphrase", "version": "--version",
        "password": "passphrase", "login": "unlock", "signin": "unlock", "open": "unlock", "close": "lock",
        "logout": "lock", "whoami": "status", "info": "status", "search": "list", "find": "list",
        "keygen": "identity new",
        "audit": "log", "logs": "log", "sync": "pull", "users": "member list", "members": "member list",
        "print": "show",
        "use": "exec", "env": "exec",
    ]

    /// Why the command line begins with no verb, or asks for the help of none; nil when it does not.
    static func failure(_ arguments: [String]) -> Failure? {
        let word = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
        guard let word, !word.hasPrefix("-"), !verbs.contains(word), word != AgentCommand.verb else { return nil }
        // The word itself may be a token in a wrong place.
        let hint = meant(by: word).map { "did you mean '\(Process.name) \($0)'?" } ?? "see '\(Process.name) --help'"
        return Failure(.usage, "unknown command", hint: hint)
    }

    /// The command of a group that may have been meant, with the group before it.
    static func meant(in arguments: [String]) -> String? {
        let group = RootCommand.configuration.subcommands.first { $0._commandName == arguments.first }
        guard let group, arguments.count > 1 else { return nil }
        let names = group.configuration.subcommands.map { $0._commandName }
        return NearestWord.among(names, to: arguments[1]).map { "\(group._commandName) \($0)" }
    }

    private static func meant(by word: String) -> String? {
        synonyms[word.lowercased()] ?? NearestWord.among(verbs, to: word)
    }
}
