public import ArgumentParser
public import Resources

extension RecordMerge.Preference: ExpressibleByArgument {}

/// Who is right in a merge.
struct PreferenceOption: ParsableArguments {
    @Option(help: ArgumentHelp("Who is right where both sides changed the same.", valueName: "side"))
    var prefer: RecordMerge.Preference?
}

extension RecordMerge.Conflict {
    private static let members = [
        "urls": "the URLs", "headers": "the headers", "env": "the variables", "username": "the user name",
        "note": "the note", "tags": "the tags", "token": "the token", "expires": "when the token expires",
    ]

    /// The resource, and what both sides did to it.
    var words: String {
        switch subject {
        case .member(let member): "\(name): both sides changed \(Self.members[member] ?? member)"
        case .removedHere: "\(name): removed here, changed there"
        case .removedThere: "\(name): changed here, removed there"
        }
    }
}

extension RecordMerge {
    /// Tells of earlier tokens that a merge had no room for.
    func noteDropped(unless quiet: Bool) {
        for dropped in dropped {
            Messages.note(
                "\(dropped.name): not all earlier tokens fit, and the oldest \(dropped.count) are dropped",
                unless: quiet)
        }
    }

    /// Tells which conflicts were settled.
    func noteSettled(unless quiet: Bool) {
        for conflict in settled { Messages.note("settled: \(conflict.words)", unless: quiet) }
    }
}

extension RecordMerge {
    /// Tells what a merge with the store's version came to.
    func note(unless quiet: Bool) {
        Messages.note("merged the version of the store with the changes here", unless: quiet)
        noteSettled(unless: quiet)
        noteDropped(unless: quiet)
    }
}
