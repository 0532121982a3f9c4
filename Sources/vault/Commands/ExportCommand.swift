internal import ArgumentParser
internal import Resources
internal import Sodium
internal import VaultFile

struct ExportCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case jsonl, dotenv
    }

    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print all records, with their tokens.",
        discussion: """
            JSON Lines in the shape of the records, or variables for a shell, as 'import' takes both. A terminal is shown \
            a mask in place of the tokens unless --reveal.
            """)

    @Option(help: "Output format.")
    var format = Format.jsonl

    @Flag(help: "Print the tokens even on a terminal.")
    var reveal = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let session = try Session(options.access)
        var reader = try session.vault.open()
        // Nothing is printed unless all of it checks.
        let counts = try reader.mapBlocks { block, records in
            for record in records { _ = try RecordView(block.extracting(record)) }
            return records.count
        }
        let variables = format == .dotenv ? try ExportedVariables(of: &reader) : nil
        let isMasked = Output.isTerminal && !reveal
        if !isMasked, variables?.isEmpty == false || variables == nil && counts.contains(where: { $0 > 0 }) {
            Trail("export", options.access).append(.ok, of: [Trail.all])
        }
        if let variables {
            try variables.print(&reader, isMasked: isMasked, quiet: options.access.quiet)
        } else {
            try printLines(&reader, isMasked: isMasked)
        }
        if isMasked { Output.noteMask(unless: options.access.quiet) }
        Output.noteOpenFile(unless: options.access.quiet)
        session.finish()
    }

    /// Prints the records as they stand.
    private func printLines(_ reader: inout VaultReader, isMasked: Bool) throws {
        var output = SecretBuffer(capacity: 128 << 10)
        let isTerminal = Output.isTerminal
        try reader.forEachRecord { line in
            var start = 0
            for secret in isMasked ? try RecordView(line).secretRanges : [] {
                Self.append(line.extracting(start..<secret.lowerBound), isTerminal: isTerminal, to: &output)
                output.append(text: Output.mask)
                start = secret.upperBound
            }
            Self.append(line.extracting(droppingFirst: start), isTerminal: isTerminal, to: &output)
            output.append("\n")
            try Output.flush(&output, atLeast: 60_000)
        }
        try Output.flush(&output)
    }

    /// Appends a piece of a record as it stands, for a terminal with escapes in place of what it would obey.
    private static func append(_ text: Span<UInt8>, isTerminal: Bool, to output: inout SecretBuffer) {
        var start = 0
        if isTerminal {
            for index in text.indices {
                guard let character = JSONText.obeyed(text, at: index) else { continue }
                output.append(text.extracting(start..<index))
                output.append(JSONText.escape(character.scalar).span)
                start = index + character.size
            }
        }
        output.append(text.extracting(droppingFirst: start))
    }
}

/// The variables that hold the tokens of a vault, each once.
private struct ExportedVariables {
    private var names: [RecordName: [String]] = [:]
    /// The resources that are not among them.
    private var others: [String] = []

    var isEmpty: Bool { names.isEmpty }

    /// Finds them, and refuses two that are the same: whoever reads the file would take the last one.
    init(of reader: inout VaultReader) throws {
        var owners: [String: RecordName] = [:]
        try reader.forEachRecord { line in
            let resource = try RecordView(line).resource
            // A variable that no command would get is none here.
            let variables = (try? DotenvFile.variables(of: resource)) ?? []
            for variable in variables {
                if let owner = owners.updateValue(resource.name, forKey: variable) {
                    throw Failure(bothSet: variable, owner, resource.name)
                }
            }
            if variables.isEmpty {
                others.append(resource.name.description)
            } else {
                names[resource.name] = variables
            }
        }
    }

    func print(_ reader: inout VaultReader, isMasked: Bool, quiet: Bool) throws {
        var output = SecretBuffer(capacity: 128 << 10)
        var forShells: [String] = []
        let mask = Array(Output.mask.utf8)
        try reader.forEachRecord { line in
            let view = try RecordView(line)
            guard let names = names[view.resource.name] else { return }
            view.forEachToken(in: line) { number, token in
                guard number == 0 else { return }
                if DotenvFile.isForShellsAlone(token) { forShells.append(view.resource.name.description) }
                DotenvFile.append(
                    view.resource, variables: names, token: isMasked ? mask.span : token, to: &output)
            }
            try Output.flush(&output, atLeast: 60_000)
        }
        try Output.flush(&output)
        if !others.isEmpty {
            Messages.note("no variable is the token alone, so these are left out: \(others.enumeration)", unless: quiet)
        }
        if !forShells.isEmpty, !isMasked {
            Messages.note(
                "these tokens have characters that only a shell reads as they are meant: \(forShells.enumeration)",
                unless: quiet)
        }
    }
}
