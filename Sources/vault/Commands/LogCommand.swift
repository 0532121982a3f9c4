internal import ArgumentParser
internal import Resources
internal import SystemPackage
internal import VaultFile

struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Show when tokens were used, and by what.",
        discussion: """
            Each time that a token left the vault, or was refused to somebody, the oldest first. Of a command that was \
            run there is the name, and never an argument. The vault is not opened for this; where one is named, by \
            --vault or VAULT_FILE, only its uses are shown.
            """)

    @Argument(
        help: "The resource; all when none is named.", completion: .custom { _, _, _ in ResourceNames.complete() })
    var name: String?

    @Option(help: ArgumentHelp("Only what was since then, such as 1d or 2026-11-24.", valueName: "when"))
    var since: String?

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let name = try name.map { try RecordName.parse($0).description }
        let since = try since.map { try Self.moment($0) }
        let vault = try Session.pathIfGiven(options.access)?.absolute.string
        let (all, strayLines) = try TrailFile()?.entries() ?? ([], 0)
        let entries = all.filter { entry in
            (name == nil || entry.resource == name || entry.resource == Trail.all)
                && (vault == nil || entry.vault == vault)
                && since.map { entry.time >= $0 } ?? true
        }
        if json {
            try Output.write(ResourceJSON.list(entries.map(\.json)) + "\n")
        } else if !entries.isEmpty {
            try printTable(entries)
        } else {
            let problem = TrailFile()?.problem().map { ", since nothing can be: \($0.text)" }
            let what = all.isEmpty ? "nothing has been logged" : "nothing that was logged is of that kind"
            Messages.note(what + (problem ?? ""), unless: options.access.quiet)
        }
        if strayLines > 0 {
            let lines = strayLines == 1 ? "1 line of the log is" : "\(strayLines) lines of the log are"
            Messages.note("\(lines) not as \(Process.name) writes them, and left out", unless: options.access.quiet)
        }
    }

    /// The moment from which on something is asked for: given as it is, or as a span before now.
    private static func moment(_ text: String) throws -> Timestamp {
        let span = TimeSpan.seconds(text)
        guard let moment = Timestamp(text) ?? span.map({ Timestamp(seconds: Timestamp.now.seconds - $0) }) else {
            throw Failure(.usage, "--since is no time", hint: "write 1d, 12h, 2026-11-24 or 2026-11-24T12:00:00Z")
        }
        return moment
    }

    private func printTable(_ entries: [TrailEntry]) throws {
        var table = Table(["TIME", "RESOURCE", "VERB", "PROGRAM", "UID", "PID", "PARENT", "HOST", "OUTCOME"])
        for entry in entries {
            let origin = entry.origin
            let cells = [
                entry.time.description, entry.resource, entry.verb, entry.program ?? "-", "\(origin.uid)",
                "\(origin.pid)", origin.parentName.map { "\($0)(\(origin.parent))" } ?? "\(origin.parent)", origin.host,
            ]
            table.append(
                cells.map { (Messages.visible($0), .plain) } + [
                    (entry.outcome.rawValue, entry.outcome == .ok ? .plain : .warning)
                ])
        }
        try table.print()
    }
}
