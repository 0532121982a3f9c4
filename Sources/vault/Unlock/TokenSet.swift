internal import Resources
internal import Sodium
internal import VaultFile

/// Resources with their tokens.
struct TokenSet: ~Copyable {
    let resources: [Resource]
    /// All tokens, one behind the other, in one guarded region.
    private let values: SecretBuffer
    private let ranges: [Range<Int>]

    init(_ names: [RecordName], _ session: Session) throws {
        var reader = try session.vault.open()
        try self.init(names, in: &reader)
    }

    init(_ names: [RecordName], in reader: inout VaultReader) throws {
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
}
