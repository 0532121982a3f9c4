public import Sodium
public import VaultFile

/// A resource with its tokens, as one JSON object: the record that the vault keeps.
///
/// The tokens stay where they are in the guarded copy of the record and are lent from there. Members that this version
/// does not know are kept when the record is written again.
public struct Record: ~Copyable {
    /// All that is no secret.
    public let resource: Resource

    private let line: SecretBytes
    private let layout: RecordLayout

    /// Reads a record as it stands in a vault or in a file to import.
    ///
    /// - Throws: ``ResourceError/malformedRecord(name:_:)``.
    public init(_ line: Span<UInt8>) throws(ResourceError) {
        let parsed = try RecordLayout.parse(line)
        resource = parsed.resource
        layout = parsed.layout
        self.line = SecretBytes(copying: line)
    }

    /// A new record.
    public init(_ resource: Resource, token: borrowing SecretBytes) throws(ResourceError) {
        var text = SecretBuffer(capacity: 512 + token.count * 2)
        RecordLayout.write(resource, into: &text) { (_, text) in
            text.append("\"value\":")
            token.withBytes { text.appendQuoted($0) }
        } others: { _ in
        }
        self = try text.withBytes { (line) throws(ResourceError) in try Record(line) }
    }

    /// Lends the record's bytes: one line, without its end.
    public borrowing func withBytes<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try line.withBytes(body)
    }

    /// The token, in a region of its own.
    public borrowing func token() -> SecretBytes {
        line.withBytes { layout.token.value.secret(in: $0) }
    }

    /// A token of the history, by its place in it.
    public borrowing func earlierToken(_ index: Int) -> SecretBytes {
        line.withBytes { layout.history[index].value.secret(in: $0) }
    }

    /// The record with another configuration, and the same tokens.
    public borrowing func edited(_ resource: Resource) throws(ResourceError) -> Record {
        try rewritten(
            resource, tokens: [.current] + resource.history.indices.map { .earlier($0) }, new: SecretBuffer(capacity: 0))
    }

    /// The record with a new token; the current one goes into the history.
    ///
    /// - Parameters:
    ///   - token: The new token.
    ///   - now: When this happens.
    ///   - expires: When the new token ends.
    ///   - limit: How many earlier tokens are kept.
    /// - Throws: ``ResourceError``.
    public borrowing func rotated(
        to token: borrowing SecretBytes, now: Timestamp, expires: Timestamp?, limit: Int = Resource.historyLimit
    ) throws(ResourceError) -> Record {
        var resource = self.resource
        var retired = resource.token
        retired.retired = now
        resource.history = Array(([retired] + resource.history).prefix(limit))
        resource.token = Resource.TokenDates(added: now, expires: expires)
        resource.updated = now
        let sources: [TokenSource] = [.new, .current] + self.resource.history.indices.map { .earlier($0) }
        var quoted = SecretBuffer(capacity: token.count + 2)
        token.withBytes { quoted.appendQuoted($0) }
        return try rewritten(resource, tokens: Array(sources.prefix(1 + resource.history.count)), new: quoted)
    }

    /// The record with the previous token back in its place, and the current one in the history.
    ///
    /// - Throws: ``ResourceError/noEarlierToken``.
    public borrowing func rolledBack(now: Timestamp) throws(ResourceError) -> Record {
        guard var previous = resource.history.first else { throw .noEarlierToken }
        var resource = self.resource
        var retired = resource.token
        retired.retired = now
        previous.retired = nil
        resource.token = previous
        resource.history[0] = retired
        resource.updated = now
        let rest = resource.history.indices.dropFirst().map { TokenSource.earlier($0) }
        return try rewritten(resource, tokens: [.earlier(0), .current] + rest, new: SecretBuffer(capacity: 0))
    }

    private enum TokenSource {
        case new, current
        case earlier(Int)
    }

    /// Writes the record anew: the first of `tokens` is the token, the others are the history; `new` is JSON.
    private borrowing func rewritten(
        _ resource: Resource, tokens: [TokenSource], new: borrowing SecretBuffer
    ) throws(ResourceError) -> Record {
        var text = SecretBuffer(capacity: line.count + 1024)
        line.withBytes { line in
            RecordLayout.write(resource, into: &text) { (number, text) in
                let entry: RecordLayout.Entry
                switch tokens[number] {
                case .new:
                    text.append("\"value\":")
                    new.withBytes { text.append($0) }
                    return
                case .current: entry = layout.token
                case .earlier(let index): entry = layout.history[index]
                }
                text.append("\"value\":\"")
                text.append(line.extracting(entry.value.range))
                text.append("\"")
                for member in entry.unknown {
                    text.append(",")
                    text.append(line.extracting(member))
                }
            } others: { text in
                for member in layout.unknown {
                    text.append(",")
                    text.append(line.extracting(member))
                }
            }
        }
        return try text.withBytes { (line) throws(ResourceError) in try Record(line) }
    }
}
