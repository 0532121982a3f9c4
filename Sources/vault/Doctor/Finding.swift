/// What a look at one thing has shown.
struct Finding {
    /// What was looked at.
    enum Check: String {
        case permissions, state, trail, memory, core, environment, agent, identity, vault, clock, tokens, backup, remote
    }

    enum State: String {
        /// Looked at, and fine.
        case ok
        /// Worth knowing, and nothing to do.
        case note
        /// Something needs doing.
        case todo

        fileprivate var style: Table.Style {
            switch self {
            case .ok: .plain
            case .note: .warning
            case .todo: .alarm
            }
        }
    }

    let check: Check
    let state: State
    /// Holds nothing of a record but its name.
    let message: String
    /// What to do, or one for each case that there may be.
    let hints: [String]

    init(_ check: Check, _ state: State, _ message: String, hints: [String]) {
        self.check = check
        self.state = state
        self.message = message
        self.hints = hints
    }

    init(_ check: Check, _ state: State, _ message: String, hint: String? = nil) {
        self.init(check, state, message, hints: hint.map { [$0] } ?? [])
    }

    /// What keeps a check from its work, which needs doing something about.
    init(_ check: Check, _ error: any Error) {
        let failure = Failure(error)
        self.init(check, .todo, failure.message, hints: failure.hints)
    }

    var json: String {
        let hint = hints.isEmpty ? "null" : ResourceJSON.quoted(hints.joined(separator: "; "))
        return "{\"check\":\"\(check.rawValue)\",\"state\":\"\(state.rawValue)\""
            + ",\"message\":\(ResourceJSON.quoted(message)),\"hint\":\(hint)}"
    }

    /// A line, and one for each hint.
    func text(isColoured: Bool) -> String {
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: width - text.utf8.count)
        }
        let indentation = padded("", Self.stateWidth)
        var word = padded(state.rawValue, Self.stateWidth)
        if isColoured, state != .ok { word = "\u{1b}[\(state.style.rawValue)m\(word)\u{1b}[0m" }
        let line = word + padded(check.rawValue, Self.checkWidth) + Messages.visible(message) + "\n"
        return line + hints.map { "\(indentation)hint: \(Messages.visible($0))\n" }.joined()
    }

    private static let stateWidth = 6
    private static let checkWidth = 13
}

extension Array<String> {
    /// The words with commas between, of many the first and how many more there are.
    var enumeration: String {
        let limit = 10
        let more = count > limit ? " and \(count - limit) more" : ""
        return prefix(limit).joined(separator: ", ") + more
    }
}
