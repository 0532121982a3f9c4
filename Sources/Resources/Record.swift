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

    /// Reads a record as it stands in a vault, and checks all of it: nobody knows what its writer has checked.
    ///
    /// - Throws: ``ResourceError/malformedRecord(name:_:)``.
    public init(_ line: Span<UInt8>) throws(ResourceError) {
        (resource, layout) = try RecordLayout.parseStored(line)
        self.line = SecretBytes(copying: line)
    }

    /// A record that was just written, of parts that were checked.
    private init(written line: Span<UInt8>) throws(ResourceError) {
        (resource, layout) = try RecordLayout.parse(line, isStored: true)
        self.line = SecretBytes(copying: line)
    }

    /// The record of a view, with a copy of its line in its one spelling.
    ///
    /// - Throws: ``ResourceError``.
    public init(_ view: RecordView, _ line: Span<UInt8>) throws(ResourceError) {
        var text = SecretBuffer(capacity: line.count + 256)
        view.write(view.resource, line: line, into: &text)
        try self.init(text)
    }

    private init(_ text: borrowing SecretBuffer) throws(ResourceError) {
        self = try text.withBytes { (line) throws(ResourceError) in try Record(written: line) }
    }

    /// A new record.
    ///
    /// - Throws: ``ResourceError``.
    public init(_ resource: Resource, token: borrowing SecretBytes) throws(ResourceError) {
        var text = SecretBuffer(capacity: 512 + token.count * 2)
        RecordLayout.write(resource, into: &text) { (_, text) in
            text.append("\"value\":")
            token.withBytes { text.appendQuoted($0) }
        }
        try self.init(text)
    }

    /// Lends the record's bytes: one line, without its end.
    public borrowing func withBytes<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try line.withBytes(body)
    }

    /// The token, in a region of its own.
    public borrowing func token() -> SecretBytes {
        line.withBytes { layout.tokens[0].value.secret(in: $0) }
    }

    /// Lends the token.
    public borrowing func withToken<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try line.withBytes { (line) throws(E) -> R in try layout.withToken(0, of: line, body) }
    }

    /// A token of the history, by its place in it.
    public borrowing func earlierToken(_ index: Int) -> SecretBytes {
        line.withBytes { layout.tokens[index + 1].value.secret(in: $0) }
    }

    /// The record with another configuration, and the same tokens.
    ///
    /// - Throws: ``ResourceError``.
    public borrowing func edited(_ resource: Resource) throws(ResourceError) -> Record {
        var text = SecretBuffer(capacity: line.count + 1024)
        line.withBytes { layout.write(resource, tokens: Array(layout.tokens.indices), of: $0, into: &text) }
        return try Record(text)
    }

    /// The record with a new token; the current one goes into the history.
    ///
    /// - Parameters:
    ///   - token: The new token.
    ///   - now: When this happens.
    ///   - expires: When the new token ends.
    ///   - limit: How many earlier tokens are kept.
    /// - Returns: The new record.
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
        var text = SecretBuffer(capacity: line.count + token.count * 2 + 1024)
        line.withBytes { line in
            RecordLayout.write(resource, into: &text) { (number, text) in
                if number == 0 {
                    text.append("\"value\":")
                    token.withBytes { text.appendQuoted($0) }
                } else {
                    layout.writeToken(number - 1, of: line, into: &text)
                }
            } others: { text in
                layout.writeUnknown(of: line, into: &text)
            }
        }
        return try Record(text)
    }

    /// `other` in the place of this record, with its history, or with this record's where it has none. In front of that
    /// stands this record's token, unless it is the new one or in the history already: no replacing loses it. A token
    /// that is the same is not newer for coming again. Members of later versions are those of both, and of `other` where
    /// both have one.
    ///
    /// - Throws: ``ResourceError``.
    public borrowing func replaced(by other: borrowing Record) throws(ResourceError) -> Record {
        var resource = other.resource
        resource.created = self.resource.created ?? resource.created
        let isSame = token().isEqual(to: other.token())
        if isSame {
            resource.token.added = self.resource.token.added ?? resource.token.added
            resource.token.expires = resource.token.expires ?? self.resource.token.expires
        }
        let keepsHistory = resource.history.isEmpty
        if keepsHistory { resource.history = self.resource.history }
        let retiresToken =
            !isSame
            && !other.resource.history.indices.contains { index in
                token().isEqual(to: other.earlierToken(index))
            }
        if retiresToken {
            var retired = self.resource.token
            retired.retired = resource.updated ?? .now
            resource.history.insert(retired, at: 0)
        }
        resource.history = Array(resource.history.prefix(Resource.historyLimit))
        var text = SecretBuffer(capacity: line.count + other.line.count + 1024)
        line.withBytes { line in
            other.line.withBytes { otherLine in
                RecordLayout.write(resource, into: &text) { (number, text) in
                    if number == 0 {
                        other.layout.writeToken(0, of: otherLine, into: &text)
                        guard isSame else { return }
                        let given = RecordLayout.names(of: other.layout.tokens[0].unknown, in: otherLine)
                        RecordLayout.write(layout.tokens[0].unknown, of: line, except: given, into: &text)
                        return
                    }
                    let earlier = retiresToken ? number - 1 : number
                    if keepsHistory || earlier == 0 {
                        layout.writeToken(earlier, of: line, into: &text)
                    } else {
                        other.layout.writeToken(earlier, of: otherLine, into: &text)
                    }
                } others: { text in
                    other.layout.writeUnknown(of: otherLine, into: &text)
                    let given = RecordLayout.names(of: other.layout.unknown, in: otherLine)
                    RecordLayout.write(layout.unknown, of: line, except: given, into: &text)
                }
            }
        }
        return try Record(text)
    }

    /// The record with as many of its earlier tokens as can be stored, the oldest dropped; nil when all of them can.
    ///
    /// - Throws: ``ResourceError``.
    public borrowing func fitted() throws(ResourceError) -> Record? {
        guard !fits, !resource.history.isEmpty else { return nil }
        var resource = self.resource
        while true {
            resource.history.removeLast()
            let shorter = try edited(resource)
            if shorter.fits || resource.history.isEmpty { return shorter }
        }
    }

    /// Whether the record is small enough to be stored.
    public var fits: Bool { line.count <= VaultLimits.recordSize }

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
        var order = Array(layout.tokens.indices)
        order.swapAt(0, 1)
        var text = SecretBuffer(capacity: line.count + 1024)
        line.withBytes { layout.write(resource, tokens: order, of: $0, into: &text) }
        return try Record(text)
    }
}
