internal import VaultFile

/// Why what a client asks cannot be read, or cannot be answered.
public struct ClientRequestError: Error, Equatable {
    /// What is wrong, in plain words; never a part of the request, which may be a token in a wrong place.
    public let reason: String

    /// A reason, in plain words.
    public init(_ reason: String) { self.reason = reason }
}

/// What the requests of all clients have in common.
public enum ClientRequest {
    /// The most bytes that a request on standard input may have: 64 KiB, of which real ones are a small part.
    public static let maximumSize = 1 << 16

    /// Refuses a request that is larger than ``maximumSize``.
    ///
    /// - Throws: ``ClientRequestError``.
    static func checkSize(_ request: Span<UInt8>) throws(ClientRequestError) {
        guard request.count <= maximumSize else {
            throw ClientRequestError("the request has more than \(maximumSize) bytes")
        }
    }

    /// Reads a request that is one JSON object; `member` gets each name and must read the value.
    ///
    /// - Throws: ``ClientRequestError``.
    static func readObject(
        _ request: Span<UInt8>, _ member: (JSONString, inout JSONCursor) throws(JSONError) -> Void
    ) throws(ClientRequestError) {
        do throws(JSONError) {
            var cursor = JSONCursor()
            cursor.skipWhitespace(request)
            try cursor.readObject(request, member)
            try cursor.readEnd(request)
        } catch {
            throw ClientRequestError(
                "the request is not the JSON that was expected, at byte \(error.offset + 1): \(error.reason)")
        }
    }
}
