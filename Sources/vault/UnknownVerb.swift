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
        "cat": "show", "update": "rotate", "undo": "rollback", "passwd": "passphrase",
    ]

    /// Why the command line begins with no verb, or asks for the help of none; nil when it does not.
    static func failure(_ arguments: [String]) -> Failure? {
        let word = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
        guard let word, !word.hasPrefix("-"), !verbs.contains(word), word != AgentCommand.verb else { return nil }
        // The word itself may be a token in a wrong place.
        let hint = meant(by: word).map { "did you mean '\(Process.name) \($0)'?" } ?? "see '\(Process.name) --help'"
        return Failure(.usage, "unknown command", hint: hint)
    }

    private static func meant(by word: String) -> String? {
        let word = word.lowercased()
        if let verb = verbs.first(where: { $0 == word }) ?? synonyms[word] { return verb }
        guard (3...12).contains(word.utf8.count) else { return nil }
        let near = verbs.map { (verb: $0, distance: distance(Array(word.utf8), Array($0.utf8))) }
            .min { $0.distance < $1.distance }
        return near.flatMap { $0.distance <= 2 ? $0.verb : nil }
    }

    /// How many letters have to be put in, left out, changed, or swapped with the next one to make one of the other
    /// (Damerau and Levenshtein).
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var before: [Int] = []
        var row = Array(0...b.count)
        for i in a.indices {
            var next = [i + 1]
            for j in b.indices {
                next.append(min(row[j] + (a[i] == b[j] ? 0 : 1), next[j] + 1, row[j + 1] + 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    next[j + 1] = min(next[j + 1], before[j - 1] + 1)
                }
            }
            (before, row) = (row, next)
        }
        return row[b.count]
    }
}
