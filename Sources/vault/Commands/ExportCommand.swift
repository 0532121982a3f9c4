internal import ArgumentParser
internal import Resources
internal import Sodium
internal import VaultFile

struct ExportCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case jsonl
    }

    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print all records, with their tokens.",
        discussion: """
            JSON Lines in the shape of the records, as 'import' takes them. A terminal is shown a mask in place of the \
            tokens unless --reveal.
            """)

    @Option(help: "Output format.")
    var format = Format.jsonl

    @Flag(help: "Print the tokens even on a terminal.")
    var reveal = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let session = try Session(options.access)
        var reader = try session.vault.open()
        var output = SecretBuffer(capacity: 128 << 10)
        let isTerminal = Output.isTerminal
        // Nothing is printed unless all of it checks.
        let counts = try reader.mapBlocks { block, records in
            for record in records { _ = try RecordView(block.extracting(record)) }
            return records.count
        }
        if !isTerminal || reveal, counts.contains(where: { $0 > 0 }) {
            Trail("export", options.access).append(.ok, of: [Trail.all])
        }
        try reader.forEachRecord { line in
            var start = 0
            for secret in isTerminal && !reveal ? try RecordView(line).secretRanges : [] {
                Self.append(line.extracting(start..<secret.lowerBound), isTerminal: isTerminal, to: &output)
                output.append(text: Output.mask)
                start = secret.upperBound
            }
            Self.append(line.extracting(droppingFirst: start), isTerminal: isTerminal, to: &output)
            output.append("\n")
            try Output.flush(&output, atLeast: 60_000)
        }
        try Output.flush(&output)
        if isTerminal, !reveal { Output.noteMask(unless: options.access.quiet) }
        Output.noteOpenFile(unless: options.access.quiet)
        session.finish()
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
