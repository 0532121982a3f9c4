internal import ArgumentParser
internal import Resources
internal import Sodium
internal import VaultFile

struct ImportCommand: ParsableCommand {
    private static let shownNotes = 20

    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Store many records in one write.",
        discussion: """
            All of them or none: the first line that is not acceptable ends it, and nothing is stored.

            jsonl: a record on each line; "name", "urls" and "token" with its "value" are enough.

            netrc: each machine becomes a resource of https://HOST, with Basic authentication.

            dotenv: a variable has its URL in a comment above, '# vault: url=https://…', or beside it, as GITHUB_TOKEN has \
            in GITHUB_URL.
            """)

    @Argument(help: "The file; standard input when there is none, or -.", completion: .file())
    var file: String?

    @Option(help: "Input format. Default: by the file's name (.env, .netrc, _netrc), else jsonl.")
    var format: ImportFormat?

    @Flag(help: "Print what would be stored, without tokens, and store nothing.")
    var dryRun = false

    @Flag(help: "Replace resources that are there; a token that is replaced goes into the history.")
    var replace = false

    @Flag(help: "Let URLs be http although the traffic leaves the machine.")
    var allowHttp = false

    @OptionGroup var sharing: SharingOptions
    @OptionGroup var options: AccessOptions

    func run() throws {
        let access = options.access
        let session = try Session(access)
        let source = ImportSource(file)
        let format = format ?? source.format ?? .jsonl
        let records = try ImportedRecords.read(source.content(), format, allowHTTP: allowHttp, quiet: access.quiet)
        var replaced: Set<RecordName> = []
        let work: (inout VaultReader, inout RecordChanges) throws -> Void = { reader, changes in
            changes = RecordChanges(capacity: records.content.count + records.lines.count * 64)
            let existing = Set(try reader.names())
            for line in records.lines {
                let name = line.view.resource.name
                let exists = existing.contains(name)
                guard !exists || replace else {
                    throw Failure(
                        .exists, "line \(line.number): there is a resource \(name) already",
                        hint: "say --replace to store this one in its place")
                }
                if exists { replaced.insert(name) }
                try records.content.withBytes { content in
                    let text = content.extracting(line.range)
                    if exists {
                        let old = try Session.record(named: name, in: &reader)
                        try changes.put(old.replaced(by: Record(line.view, text)), name, quiet: access.quiet)
                    } else if text.count > VaultLimits.recordSize - 1024, !line.view.resource.history.isEmpty {
                        try changes.put(Record(line.view, text), name, quiet: access.quiet)
                    } else {
                        try changes.put(name) { line.view.write(line.view.resource, line: text, into: &$0) }
                    }
                }
            }
        }
        let sharing = dryRun ? nil : try Sharing(session, self.sharing)
        if dryRun {
            try session.vault.rehearse(work)
            try printPlan(of: records.lines.map(\.view.resource), replaced)
        } else {
            try session.vault.update(work)
        }
        for note in records.notes.prefix(Self.shownNotes) {
            Messages.note("line \(note.line): \(note.text)", unless: access.quiet)
        }
        if records.notes.count > Self.shownNotes {
            Messages.note("and \(records.notes.count - Self.shownNotes) more of such lines", unless: access.quiet)
        }
        let verb = dryRun ? "would store" : "stored"
        Messages.note(
            "\(verb) \(records.lines.count - replaced.count) new and \(replaced.count) replaced", unless: access.quiet)
        let now = Timestamp.now
        let expired = records.lines.count { $0.view.resource.token.isExpired(at: now) }
        if expired > 0 { Messages.note("\(expired) of the tokens have expired already", unless: access.quiet) }
        if !dryRun, format != .jsonl, !access.quiet, let file = source.remainingFile {
            Messages.print(
                "the tokens still stand in \(file) as well",
                hint: "take them out once all works; '\(Process.name) scan' finds what is left")
        }
        session.finish()
        try sharing?.push(quiet: access.quiet)
    }

    /// Prints a line for each resource: what would become of it, its name and its URLs.
    private func printPlan(of resources: [Resource], _ replaced: Set<RecordName>) throws {
        var output = SecretBuffer(capacity: 64 << 10)
        for resource in resources {
            let verb = replaced.contains(resource.name) ? "replace" : "add"
            let urls = resource.urls.map(\.description).joined(separator: " ")
            output.append(text: "\(verb) \(resource.name) \(urls)\n")
            try Output.flush(&output, atLeast: 60_000)
        }
        try Output.flush(&output)
    }
}
