internal import Redaction
internal import Resources
internal import Sodium
internal import VaultFile

/// The resources of one launch with their tokens.
struct TokenSet: ~Copyable {
    let resources: [Resource]
    /// All tokens, one behind the other, in one guarded region.
    private let values: SecretBuffer
    private let ranges: [Range<Int>]

    init(_ names: [RecordName], _ session: Session) throws {
        var reader = try session.vault.open()
        var resources: [Resource] = []
        var values = SecretBuffer()
        var ranges: [Range<Int>] = []
        for name in names {
            let record = try Session.record(named: name, in: &reader)
            let start = values.count
            record.withToken { values.append($0) }
            ranges.append(start..<values.count)
            resources.append(record.resource)
        }
        self.resources = resources
        self.values = values
        self.ranges = ranges
    }

    func withToken<R: ~Copyable, E: Error>(_ number: Int, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        let range = ranges[number]
        return try values.withBytes { (bytes) throws(E) -> R in try body(bytes.extracting(range)) }
    }

    /// Refuses a token, or an encoded form of one, among the arguments: everybody on the machine can read those.
    func refuse(in arguments: CommandArguments) throws {
        let isWorthwhile = arguments.indices.contains { index in
            arguments.withArgument(index) { $0.count >= Needles.minimumSize }
        }
        guard isWorthwhile else { return }
        var needles = Needles()
        for number in resources.indices { withToken(number) { needles.add($0, number: number) } }
        for number in arguments.indices {
            guard let found = arguments.withArgument(number, { needles.first(in: $0) }) else { continue }
            let form = found.form == .raw ? "" : ", as \(found.form.rawValue)"
            throw Failure(
                .usage,
                "argument \(number) of the command has the token of \(resources[found.number].name) in it\(form)",
                hint: "everybody can read arguments; use -H @{{headers}}, and rotate this token")
        }
    }
}
