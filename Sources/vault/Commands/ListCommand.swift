internal import ArgumentParser
internal import Glibc
internal import Resources
internal import Sodium
internal import VaultFile

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the resources.",
        discussion: "A pattern may have * ? and [ ]; without them it is a part of the name.")

    @Argument(help: "Only these.")
    var pattern: String?

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let session = try Session(options.access)
        let reader = try session.vault.open()
        if json { try printJSON(reader) } else { try printTable(reader) }
        session.finish()
    }

    private func printTable(_ reader: borrowing VaultReader) throws {
        let filter = NameFilter(pattern: pattern)
        let parts = try reader.mapBlocks { block, records in
            try ResourceTable.Part(block, records) { name in
                filter.matches(String(decoding: name.publicCopy, as: UTF8.self))
            }
        }
        if parts.allSatisfy(\.rows.isEmpty) {
            Messages.note(
                pattern == nil ? "the vault is empty" : "no resource has a name like that",
                unless: options.access.quiet)
        } else {
            try ResourceTable.print(parts)
        }
    }

    private func printJSON(_ reader: borrowing VaultReader) throws {
        let filter = NameFilter(pattern: pattern)
        // All of it is made before any of it is printed.
        let parts = try reader.mapBlocks { block, records in
            var output = SecretBuffer(capacity: block.count)
            for record in records {
                let resource = try RecordView(block.extracting(record)).resource
                guard filter.matches(resource.name.description) else { continue }
                if output.count > 0 { output.append(",") }
                try ResourceJSON.append(resource, token: nil, to: &output)
            }
            return output.withBytes { $0.publicCopy }
        }.filter { !$0.isEmpty }
        try Output.write("[")
        for (number, part) in parts.enumerated() {
            if number > 0 { try Output.write(",") }
            try Output.write(part.span)
        }
        try Output.write("]\n")
    }
}

/// The names that a pattern asks for.
private struct NameFilter {
    let pattern: String?

    func matches(_ name: @autoclosure () -> String) -> Bool {
        guard let pattern else { return true }
        let name = name()
        if pattern.contains(where: { "*?[".contains($0) }) { return unsafe fnmatch(pattern, name, 0) == 0 }
        return name.contains(pattern)
    }
}
