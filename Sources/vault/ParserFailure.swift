internal import ArgumentParser
internal import Resources

extension Failure {
    /// ArgumentParser's message in the form of ours, and without what was given: that may be a token in a wrong place.
    init(parser error: any Error, _ arguments: [String]) {
        guard RootCommand.exitCode(for: error) == .validationFailure else {
            self.init(.bug, "the command line could not be read", hint: "please report this")
            return
        }
        if let unknown = UnknownVerb.failure(arguments) {
            self = unknown
            return
        }
        // Its last line reads: See 'vault add --help' for more information.
        let help = RootCommand.fullMessage(for: error).split(separator: "'").last { $0.hasSuffix("--help") }
        var hint = "see '\(help.map(String.init) ?? "\(Process.name) --help")'"
        let isForToken = Self.isForToken(arguments)
        let text = RootCommand.message(for: error)
        var message = text.split(separator: "\n").first.map(String.init) ?? text
        if message.hasPrefix("Error: ") { message.removeFirst("Error: ".count) }
        if message.hasSuffix(".") { message.removeLast() }
        if arguments.first == ExecCommand.verb, arguments.count > 1, !arguments.contains("--") {
            // Otherwise the command's own options would be called unknown.
            message = "there is no -- before the command"
            hint = CommandArguments.usage
        } else if let unknown = message.behind("Unknown option '") {
            let option = Self.optionName(unknown.prefix { $0 != "=" && $0 != "'" })
            message = "unknown option" + (option.map { " '\($0)'" } ?? "")
            if let verb = arguments.first(where: { UnknownVerb.verbs.contains($0) }), verb != arguments.first {
                hint =
                    "options stand behind the command, as in '\(Process.name) \(verb)"
                    + (option.map { " \($0)" } ?? "") + " …'"
            } else if isForToken, option?.hasPrefix("--token") ?? true {
                hint = Self.pipeHint
            } else if option == "-v" || arguments.first == "-V" {
                hint = "did you mean '--version'?"
            } else if arguments.first == ExecCommand.verb, option == "--env" {
                hint = "the resource says which variables a command gets: '\(Process.name) edit NAME --env …'"
            } else if let question = unknown.ranges(of: "'. Did you mean '").last,
                let suggestion = Self.optionName(unknown[question.upperBound...].prefix { $0 != "'" })
            {
                hint = "did you mean '\(suggestion)'?"
            }
        } else if message.contains("nexpected argument") {
            message = "too many arguments"
            let groups = ["", " member", " identity", " helper", " git", " remote"]
            if groups.contains(where: { help == "\(Process.name)\($0) --help" }) {
                message = "unknown command"
                if let meant = UnknownVerb.meant(in: arguments) { hint = "did you mean '\(Process.name) \(meant)'?" }
            } else if arguments.first == ExecCommand.verb {
                hint = "with several resources put commas between their names, as in NAME,NAME"
            } else if arguments.first == "add", text.contains("'https://") || text.contains("'http://") {
                hint = "give the URL with --url"
            } else if isForToken {
                hint = Self.pipeHint
            }
        } else if message.hasPrefix("The value '") {
            // What follows is ours, unless the value itself reads like it: then nothing is said of the option.
            let options = message.ranges(of: "' is invalid for '")
            let option = options.last.map { message[$0.upperBound...].prefix { $0 != "'" && $0 != " " } }
            let name = options.count == 1 ? option.flatMap { Self.optionName($0) } : nil
            message = "invalid value" + (name.map { " for '\($0)'" } ?? "")
            if let words = name.flatMap({ Self.values(of: $0, arguments) }) {
                hint = "there are \(words.joined(separator: ", "))"
            }
        } else if message.hasPrefix("The option '"), let value = message.firstRange(of: ", but '") {
            message.removeSubrange(value.lowerBound...)
        } else if message.hasPrefix("Value to be set with ") {
            message = "options that exclude each other"
        } else if !Self.isOwn(message) {
            message = "invalid command line"
        }
        self.init(.usage, message.lowercasedFirst, hint: hint)
    }

    /// A mistake that the parser took for something else.
    init(unknownOptionOf arguments: [String]) {
        let verb = arguments.first.flatMap { UnknownVerb.verbs.contains($0) ? " \($0)" : nil } ?? ""
        self.init(
            .usage, "unknown option",
            hint: Self.isForToken(arguments) ? Self.pipeHint : "see '\(Process.name)\(verb) --help'")
    }

    private static func isForToken(_ arguments: [String]) -> Bool { ["add", "rotate"].contains(arguments.first) }

    private static let pipeHint =
        "a token is never an argument, which everybody can read: pipe it in, or give --token-fd N"

    /// The words that an option takes, where it takes but a few.
    private static func values(of option: String, _ arguments: [String]) -> [String]? {
        switch (arguments.first, option) {
        case ("import", "--format"): ImportFormat.allValueStrings
        case ("export", "--format"): ExportCommand.Format.allValueStrings
        case ("headers", "--format"): HeaderFormat.allValueStrings
        case ("member", "--role"): MemberCommand.Add.GivenRole.allValueStrings
        case ("helper", "--on-miss"): BazelHelper.Miss.allValueStrings
        case ("git", "--prefer"), ("pull", "--prefer"), ("push", "--prefer"): RecordMerge.Preference.allValueStrings
        default: nil
        }
    }

    /// Whether a message consists of words that this program, or the parser, has of itself.
    private static func isOwn(_ message: String) -> Bool {
        ["Missing expected argument '", "Missing one of: '", "Missing value for '"].contains { message.hasPrefix($0) }
            || ["Name a resource, or give a URL with --for", "--oneline has no passphrase"].contains(message)
    }

    /// An option's name, if it looks like one: anything else may be a token in a wrong place.
    private static func optionName(_ text: Substring) -> String? {
        let name = text.drop { $0 == "-" }
        let dashes = text.count - name.count
        guard dashes == 1 || dashes == 2, (1...30).contains(name.count),
            name.utf8.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "-") })
        else { return nil }
        return String(text)
    }
}

extension String {
    /// What follows a prefix, or nil when it is not there.
    fileprivate func behind(_ prefix: String) -> Substring? { hasPrefix(prefix) ? dropFirst(prefix.count) : nil }
}
