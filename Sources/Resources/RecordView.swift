public import Sodium
public import VaultFile

/// A record that stays where it is: for going through many of them without a guarded region for each.
public struct RecordView {
    /// All that is no secret.
    public private(set) var resource: Resource
    private let layout: RecordLayout

    /// Reads the record of a vault in `line`, which is given again to each method, and checks all of it.
    ///
    /// - Throws: ``ResourceError/malformedRecord(name:_:)``.
    public init(_ line: Span<UInt8>) throws(ResourceError) {
        (resource, layout) = try RecordLayout.parseStored(line)
    }

    /// Reads a record that comes from outside. ``Resource/check(allowsHTTP:)`` and ``checkTokens(in:)`` are the
    /// caller's business.
    ///
    /// - Throws: ``ResourceError/malformedRecord(name:_:)``.
    public init(incoming line: Span<UInt8>) throws(ResourceError) {
        (resource, layout) = try RecordLayout.parse(line)
    }

    /// Fills in the dates of a record that brings none: it is new, and its token as well. Of a history that is longer
    /// than is kept, the oldest tokens go.
    public mutating func complete(now: Timestamp, line: Span<UInt8>) {
        resource.created = resource.created ?? now
        resource.updated = resource.updated ?? now
        resource.token.added = resource.token.added ?? now
        if resource.token.expires == nil {
            resource.token.expires = layout.withToken(0, of: line) { JSONWebToken.expiry(of: $0) }
        }
        resource.history = Array(resource.history.prefix(Resource.historyLimit))
    }

    /// Checks the token and the earlier ones against the record's headers.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)``.
    public func checkTokens(in line: Span<UInt8>) throws(ResourceError) {
        for number in layout.tokens.indices {
            guard layout.tokens[number].value.range.count <= TokenRules.maximumSize else { throw TokenRules.tooLong }
            try layout.withToken(number, of: line) { (token) throws(ResourceError) in
                try TokenRules.check(token, for: resource.headers)
            }
        }
    }

    /// Lends the token (0) and the earlier ones (from 1), the latest first.
    public func forEachToken(in line: Span<UInt8>, _ body: (_ number: Int, _ token: Span<UInt8>) -> Void) {
        for number in layout.tokens.indices { layout.withToken(number, of: line) { body(number, $0) } }
    }

    /// Writes the record in its one spelling, with the same tokens and another configuration.
    public func write(_ resource: Resource, line: Span<UInt8>, into output: inout SecretBuffer) {
        layout.write(resource, tokens: Array(layout.tokens.indices), of: line, into: &output)
    }

    /// Where in the line the characters of the tokens stand, in ascending order: what a terminal is not shown.
    public var secretRanges: [Range<Int>] {
        layout.tokens.map(\.value.range).sorted { $0.lowerBound < $1.lowerBound }
    }
}
