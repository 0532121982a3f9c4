internal import Sodium
public import VaultFile

/// What a list shows of a record, taken from its bytes without making strings of them: there may be 100,000.
public struct RecordSummary: Sendable {
    /// Where in the record the name stands.
    public let name: Range<Int>
    /// Where in the record the first URL stands.
    public let url: Range<Int>
    /// How many URLs there are.
    public let urlCount: Int
    /// When the token was stored.
    public let added: Timestamp?
    /// When the token ends.
    public let expires: Timestamp?

    /// Reads as much of a record as is shown, and checks that the rest is JSON.
    ///
    /// - Throws: ``ResourceError/malformedRecord(name:_:)``.
    public init(_ record: Span<UInt8>) throws(ResourceError) {
        var name = 0..<0
        var url = 0..<0
        var urlCount = 0
        var added: Timestamp?
        var expires: Timestamp?
        do throws(JSONError) {
            var cursor = JSONCursor()
            try cursor.readObject(record) { (key, cursor) throws(JSONError) in
                if key.equals("name", in: record) {
                    name = try cursor.readString(record).range
                } else if key.equals("urls", in: record) {
                    try cursor.readArray(record) { (cursor) throws(JSONError) in
                        let text = try cursor.readString(record)
                        if urlCount == 0 { url = text.range }
                        urlCount += 1
                    }
                } else if key.equals("token", in: record) {
                    try cursor.readObject(record) { (key, cursor) throws(JSONError) in
                        if key.equals("added", in: record) {
                            added = try Self.moment(record, &cursor)
                        } else if key.equals("expires", in: record) {
                            expires = try Self.moment(record, &cursor)
                        } else {
                            try cursor.readValue(record)
                        }
                    }
                } else {
                    try cursor.readValue(record)
                }
            }
            guard cursor.position == record.count else {
                throw JSONError("something behind the object", at: cursor.position)
            }
            // It is shown as it stands.
            for index in url where !(0x21...0x7e).contains(record[index]) {
                throw JSONError("a URL that is not visible ASCII", at: index)
            }
        } catch {
            throw .malformedRecord(
                name: record.extracting(name).text,
                "it is not the JSON of a record at byte \(error.offset + 1): \(error.reason)")
        }
        self.name = name
        self.url = url
        self.urlCount = urlCount
        self.added = added
        self.expires = expires
    }

    private static func moment(_ record: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONError) -> Timestamp? {
        if try cursor.readNull(record) { return nil }
        let start = cursor.position
        let text = try cursor.readString(record)
        guard let moment = Timestamp(record.extracting(text.range)) else {
            throw JSONError("a time that is none", at: start)
        }
        return moment
    }
}
