internal import ArgumentParser
internal import Injection
internal import Resources
internal import Sodium
internal import VaultFile

struct HeadersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "headers", abstract: "Print the headers of resources, with their tokens.",
        discussion: """
            As lines for 'curl -H @-', as a config for 'curl --config -', or as a flat JSON object. A terminal is shown \
            a mask in place of what is secret unless --reveal.
            """)

    @Argument(help: "The resources.", completion: .custom { _, _, _ in ResourceNames.complete() })
    var names: [String] = []

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("Take the resource that this URL lies inside, and no other.", valueName: "url"))
    var url: String?

    @Option(help: "Output format.")
    var format = HeaderFormat.lines

    @Flag(help: "Print secrets even on a terminal.")
    var reveal = false

    @Flag(help: "Print them even when a token is expired.")
    var allowExpired = false

    @OptionGroup var options: AccessOptions

    func validate() throws {
        if names.isEmpty, url == nil { throw ValidationError("Name a resource, or give a URL with --for.") }
    }

    func run() throws {
        let names = try names.map { try RecordName.parse($0, isOneOfMany: true) }
        let url = try url.map { try ResourceURL($0) }
        let session = try Session(options.access)
        var trail = Trail("headers", options.access)
        var reader = try session.vault.open()
        var chosen = names
        if let url {
            let match = try ResourceMatch(url, among: names, in: &reader)
            trail.asked = (match.present.isEmpty ? match.covering : match.present).map(\.description)
            chosen = [
                try trail.checking {
                    guard let name = try match.only() else { throw match.missing }
                    return name
                }
            ]
        }
        // All, so that one that is not there is no reason to say that others were refused.
        for name in chosen where try !reader.hasRecord(named: name) { throw ResourceNames.missing(name, in: reader) }
        trail.asked = chosen.map(\.description)
        var output = SecretBuffer()
        var written: Set<String> = []
        var secret: [String] = []
        if format == .json { output.append("{") }
        for name in chosen {
            let record = try Session.record(named: name, in: &reader)
            if record.resource.headers.contains(where: \.value.isSecret) { secret.append(name.description) }
            try trail.checking {
                try Expiry.check(record.resource, allowsExpired: allowExpired)
                for header in record.resource.headers {
                    guard written.insert(header.name.lowercased()).inserted else {
                        throw Failure(.usage, "two of these resources have a header \(header.name)")
                    }
                    if format == .json, written.count > 1 { output.append(",") }
                    record.withToken { token in
                        format.append(header, of: record.resource, token: token, isMasked: isMasked, to: &output)
                    }
                }
            }
        }
        if format == .json { output.append("}\n") }
        if !isMasked { trail.append(.ok, of: secret) }
        try Output.flush(&output)
        if isMasked, !secret.isEmpty { Output.noteMask(unless: options.access.quiet) }
        session.finish()
    }

    /// Whether what is secret is shown as a mask.
    private var isMasked: Bool { Output.isTerminal && !reveal }
}
