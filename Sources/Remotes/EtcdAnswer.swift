internal import Sodium
internal import VaultFile

/// An answer of etcd's gateway (`rpc.proto`, in the JSON of proto3: numbers of 64 bits are strings, bytes are base64, and
/// what is zero or empty is left out).
struct EtcdAnswer {
    /// A key with its value.
    struct Pair {
        var key: JSONString?
        /// The revision at which it was changed last.
        var revision = 0
        /// Where the value stands in the answer, in base64; nil for an empty one.
        var value: JSONString?

        /// The value, decoded; nil when it is no canonical base64.
        func decodedValue(_ bytes: Span<UInt8>) -> [UInt8]? { EtcdAnswer.decode(value, bytes) }

        /// The key, decoded.
        func decodedKey(_ bytes: Span<UInt8>) -> [UInt8]? { EtcdAnswer.decode(key, bytes) }
    }

    /// The revision of the whole store.
    private(set) var revision = 0
    /// What was found, of a range that was asked for by itself or in a transaction.
    private(set) var pairs: [Pair] = []
    /// Whether all comparisons of a transaction were true.
    private(set) var succeeded = false
    /// The token of a user.
    private(set) var token: JSONString?

    /// Reads an answer.
    init(_ bytes: Span<UInt8>) throws(StoreError) {
        do throws(JSONError) {
            var cursor = JSONCursor()
            cursor.skipWhitespace(bytes)
            try read(bytes, &cursor)
            try cursor.readEnd(bytes)
        } catch {
            throw Self.malformed
        }
        guard revision > 0 else { throw Self.malformed }
    }

    /// What answers like this is no etcd.
    static let malformed = StoreError.malformed("the store's answer is none of etcd's")

    private mutating func read(_ bytes: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONError) {
        try cursor.readObject(bytes) { (name, cursor) throws(JSONError) in
            if name.equals("header", in: bytes) {
                try readHeader(bytes, &cursor)
            } else if name.equals("kvs", in: bytes) {
                try cursor.readArray(bytes) { (cursor) throws(JSONError) in try readPair(bytes, &cursor) }
            } else if name.equals("succeeded", in: bytes) {
                succeeded = cursor.take("true", bytes)
                if !succeeded { try cursor.readValue(bytes) }
            } else if name.equals("token", in: bytes) {
                token = try cursor.readString(bytes)
            } else if name.equals("responses", in: bytes) {
                try cursor.readArray(bytes) { (cursor) throws(JSONError) in try readResponse(bytes, &cursor) }
            } else {
                try cursor.readValue(bytes)
            }
        }
    }

    /// One response of a transaction. Only a range says something that is not known already.
    private mutating func readResponse(_ bytes: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONError) {
        try cursor.readObject(bytes) { (name, cursor) throws(JSONError) in
            guard name.equals("response_range", in: bytes) else {
                try cursor.readValue(bytes)
                return
            }
            try cursor.readObject(bytes) { (name, cursor) throws(JSONError) in
                guard name.equals("kvs", in: bytes) else {
                    try cursor.readValue(bytes)
                    return
                }
                try cursor.readArray(bytes) { (cursor) throws(JSONError) in try readPair(bytes, &cursor) }
            }
        }
    }

    private mutating func readHeader(_ bytes: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONError) {
        try cursor.readObject(bytes) { (name, cursor) throws(JSONError) in
            if name.equals("revision", in: bytes) {
                revision = try EtcdNumber.readText(bytes, &cursor)
            } else {
                try cursor.readValue(bytes)
            }
        }
    }

    private mutating func readPair(_ bytes: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONError) {
        var pair = Pair()
        let start = cursor.position
        try cursor.readObject(bytes) { (name, cursor) throws(JSONError) in
            if name.equals("key", in: bytes) {
                pair.key = try cursor.readString(bytes)
            } else if name.equals("mod_revision", in: bytes) {
                pair.revision = try EtcdNumber.readText(bytes, &cursor)
            } else if name.equals("value", in: bytes) {
                pair.value = try cursor.readString(bytes)
            } else {
                try cursor.readValue(bytes)
            }
        }
        guard pair.key != nil, pair.revision > 0 else { throw JSONError("a pair without a revision", at: start) }
        pairs.append(pair)
    }

    private static func decode(_ string: JSONString?, _ bytes: Span<UInt8>) -> [UInt8]? {
        guard let string else { return [] }
        guard !string.hasEscapes else { return EtcdBase64.decode(Array(string.text(in: bytes).utf8).span) }
        return EtcdBase64.decode(bytes.extracting(string.range))
    }
}

/// What an error of etcd's gateway means. Its texts are etcd's own (`rpctypes/error.go`), and are never shown.
enum EtcdFailure {
    /// The user's token is not known any more.
    case token
    case store(StoreError)

    /// - Parameters:
    ///   - status: The HTTP status, other than 200.
    ///   - bytes: The body.
    init(status: Int, _ bytes: Span<UInt8>) {
        var code: Int?
        var text = ""
        var cursor = JSONCursor()
        // What is no JSON, as of a server in between, has its status.
        try? cursor.readObject(bytes) { (name, cursor) throws(JSONError) in
            if name.equals("code", in: bytes) {
                code = try EtcdNumber.read(bytes, &cursor)
            } else if name.equals("error", in: bytes) || name.equals("message", in: bytes) {
                text = try cursor.readString(bytes).text(in: bytes)
            } else {
                try cursor.readValue(bytes)
            }
        }
        func says(_ words: String) -> Bool { code != nil && text.contains(words) }
        if says("auth token") || says("revision of auth store is old") || says("auth: revision in header is old") {
            self = .token
            return
        }
        self = .store(Self.error(status: status, code: code, says: says))
    }

    private static func error(status: Int, code: Int?, says: (String) -> Bool) -> StoreError {
        if says("user name is empty") {
            return .notAllowed("the store asks for a user; it is given with --user")
        }
        if says("authentication failed") {
            return .notAllowed("the store does not know the user, or the password is wrong")
        }
        if says("authentication is not enabled") {
            return .setting("the store knows no users; leave out --user")
        }
        if says("compacted") || says("future revision") { return .vanished }
        if says("too large") || says("too many operations") {
            return .tooLarge(
                "the store takes no requests of that size (see etcd's --max-request-bytes and --max-txn-ops)")
        }
        if says("space exceeded") { return .unreachable("the store is full: etcd's quota of space is used up") }
        if says("no leader") || says("request timed out") || says("leader changed") {
            return .unreachable("the store has no majority of its members at the moment")
        }
        switch (code, status) {
        case (7?, _), (nil, 401), (nil, 403): return .notAllowed("the store does not allow it to this user")
        case (nil, 404), (nil, 405), (nil, 300..<400):
            return .malformed("there is no gateway of etcd's version 3 at the store's host and port")
        case (3?, _): return .malformed("the store refuses the request")
        default: return .unreachable("the store answers that something went wrong (status \(status))")
        }
    }
}
