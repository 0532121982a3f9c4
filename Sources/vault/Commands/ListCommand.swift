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
        var reader = try session.vault.open()
        if json { try printJSON(&reader) } else { try printTable(&reader) }
        session.finish()
    }

    private func printTable(_ reader: inout VaultReader) throws {
        let parts = try reader.mapBlocks { block, records in
            try ResourceTable.Part(block, records) { name in
                matches(String(decoding: name.publicCopy, as: UTF8.self))
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

    private func printJSON(_ reader: inout VaultReader) throws {
        var output = SecretBuffer(capacity: 80 << 10)
        var isFirst = true
        output.append("[")
        try reader.forEachRecord { line in
            let resource = try RecordView(line).resource
            guard matches(resource.name.description) else { return }
            if !isFirst { output.append(",") }
            isFirst = false
            try ResourceJSON.append(resource, token: nil, to: &output)
            try Output.flush(&output, atLeast: 60_000)
        }
        output.append("]\n")
        try Output.flush(&output)
    }

    private func matches(_ name: @autoclosure () -> String) -> Bool {
        guard let pattern else { return true }
        let name = name()
        if pattern.contains(where: { "*?[".contains($0) }) { return unsafe fnmatch(pattern, name, 0) == 0 }
        return name.contains(pattern)
    }
}
