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
            try Self.checkURL(record, url)
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

    /// Makes sure that the URL, which is shown as it stands, is one that is taken elsewhere. The usual ones are seen without
    /// making a string of them.
    private static func checkURL(_ record: Span<UInt8>, _ url: Range<Int>) throws(JSONError) {
        if url.isEmpty || isUsualURL(record.extracting(url)) { return }
        for index in url where !(0x21...0x7e).contains(record[index]) {
            throw JSONError("a URL that is not visible ASCII", at: index)
        }
        do throws(ResourceError) {
            _ = try ResourceURL(record.extracting(url).text)
        } catch {
            guard case .invalid(let reason, _) = error else { throw JSONError("a malformed URL", at: url.lowerBound) }
            throw JSONError(reason, at: url.lowerBound)
        }
    }

    /// Whether it is https, a host of letters, and a path of plain segments: nothing in it that may be refused.
    private static func isUsualURL(_ url: Span<UInt8>) -> Bool {
        let start = "https://".utf8.count
        guard url.hasPrefix("https://"), url.count - start <= 63 else { return false }
        var isHost = true
        var before = UInt8(ascii: ".")
        for index in start..<url.count {
            let byte = url[index]
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): break
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                if isHost, before == UInt8(ascii: ".") || byte == UInt8(ascii: "-") && index + 1 == url.count {
                    return false
                }
            case UInt8(ascii: "."):
                guard before != UInt8(ascii: "."), before != UInt8(ascii: "-"), before != UInt8(ascii: "/") else {
                    return false
                }
            case UInt8(ascii: "/"):
                if isHost, before == UInt8(ascii: ".") || before == UInt8(ascii: "-") { return false }
                isHost = false
            default: return false
            }
            before = byte
        }
        return before != UInt8(ascii: ".") && before != UInt8(ascii: "-")
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
