internal import ArgumentParser
internal import Resources
internal import VaultFile

struct CheckCommand: ParsableCommand {
    enum State: String {
        case ok, expiring, expired, old, unknown

        var passes: Bool { self == .ok || self == .unknown }
    }

    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say whether tokens are expired, about to be, or old.",
        discussion: "A gate for deployments: exit 1 when one of them is. A token without a known end passes.")

    @Argument(
        help: "The resources; all when none is named.", completion: .custom { _, _, _ in ResourceNames.complete() })
    var names: [String] = []

    @Option(
        name: .customLong("min-ttl"),
        help: ArgumentHelp("How long a token must still last, such as 7d.", valueName: "duration"))
    var minTTL: String?

    @Option(
        help: ArgumentHelp(
            "The moment since which a token must have been stored: a date, or RFC 3339.", valueName: "date"))
    var addedSince: String?

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let names = try names.map { try RecordName.parse($0, isOneOfMany: true) }
        let minimum = try minTTL.map { try Expiry.duration($0, option: "--min-ttl") } ?? 0
        let since = try addedSince.map { text in
            guard let moment = Timestamp(text) else {
                throw Failure(.usage, "--added-since is no date", hint: "write 2026-11-24, or 2026-11-24T20:00:00Z")
            }
            return moment
        }
        let session = try Session(options.access)
        var reader = try session.vault.open()
        var checked: [(resource: Resource, state: State)] = []
        if names.isEmpty {
            try reader.forEachRecord { line in
                let resource = try RecordView(line).resource
                checked.append((resource, Self.state(of: resource, minimum: minimum, since: since)))
            }
        } else {
            for name in names {
                let resource = try Session.record(named: name, in: &reader).resource
                checked.append((resource, Self.state(of: resource, minimum: minimum, since: since)))
            }
        }
        if json { try printJSON(checked) } else { try printTable(checked) }
        session.finish()
        if checked.contains(where: { !$0.state.passes }) { throw Failure.no }
    }

    private static func state(of resource: Resource, minimum: Int, since: Timestamp?) -> State {
        let now = Timestamp.now
        if resource.token.isExpired(at: now) { return .expired }
        if let expires = resource.token.expires, expires.seconds - now.seconds < minimum { return .expiring }
        if let since, resource.token.added.map({ $0 < since }) ?? true { return .old }
        return resource.token.expires == nil ? .unknown : .ok
    }

    private func printJSON(_ checked: [(resource: Resource, state: State)]) throws {
        let objects = checked.map { resource, state in
            "{\"name\":\"\(resource.name)\",\"expires\":\(ResourceJSON.optional(resource.token.expires))"
                + ",\"state\":\"\(state.rawValue)\"}"
        }
        try Output.write(ResourceJSON.list(objects) + "\n")
    }

    private func printTable(_ checked: [(resource: Resource, state: State)]) throws {
        if checked.isEmpty { return Messages.note("the vault is empty", unless: options.access.quiet) }
        var table = Table(["NAME", "STATE", "TOKEN AGE", "EXPIRES"])
        for (resource, state) in checked {
            table.append([
                (resource.name.description, .plain), (state.rawValue, state.passes ? .plain : .alarm),
                (DateWords.age(resource.token.added), .plain), DateWords.expiry(resource.token.expires),
            ])
        }
        try table.print()
    }
}
