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
        let isMasked = Output.isTerminal && !reveal
        // Nothing is printed unless all of it checks.
        _ = try reader.mapBlocks { block, records in
            for record in records { _ = try RecordView(block.extracting(record)) }
        }
        try reader.forEachRecord { line in
            if isMasked {
                var start = 0
                for secret in try RecordView(line).secretRanges {
                    output.append(line.extracting(start..<secret.lowerBound))
                    output.append(text: Output.mask)
                    start = secret.upperBound
                }
                output.append(line.extracting(droppingFirst: start))
            } else {
                output.append(line)
            }
            output.append("\n")
            try Output.flush(&output, atLeast: 60_000)
        }
        try Output.flush(&output)
        session.finish()
    }
}
