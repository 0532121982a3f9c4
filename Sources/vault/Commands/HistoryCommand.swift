internal import ArgumentParser
internal import Resources
internal import Sodium
internal import VaultFile

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "List the tokens before this one, the latest first.")

    @OptionGroup var name: NameArgument

    @Flag(help: "As JSON.")
    var json = false

    @Flag(help: "Show the tokens as well.")
    var reveal = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let session = try Session(options.access)
        let record = try session.record(named: name.parsed())
        let history = record.resource.history
        var output = SecretBuffer()
        if json {
            output.append("[")
            for (index, dates) in history.enumerated() {
                output.append(
                    text: (index == 0 ? "" : ",") + "{\"added\":\(ResourceJSON.optional(dates.added))"
                        + ",\"expires\":\(ResourceJSON.optional(dates.expires))"
                        + ",\"retired\":\(ResourceJSON.optional(dates.retired))")
                if reveal {
                    output.append(",\"value\":")
                    record.earlierToken(index).withBytes { output.appendQuoted($0) }
                }
                output.append("}")
            }
            output.append("]\n")
        } else if history.isEmpty {
            Messages.note("\(record.resource.name) has had no other token", unless: options.access.quiet)
        } else {
            for (index, dates) in history.enumerated() {
                let added = dates.added?.description ?? "-"
                let retired = dates.retired?.description ?? "-"
                output.append(text: "added \(added)  retired \(retired)")
                if reveal {
                    output.append("  ")
                    record.earlierToken(index).withBytes { output.append($0) }
                }
                output.append("\n")
            }
        }
        if reveal, !history.isEmpty {
            Trail("history", options.access).append(.ok, of: [record.resource.name.description])
        }
        try Output.flush(&output)
        session.finish()
    }
}
