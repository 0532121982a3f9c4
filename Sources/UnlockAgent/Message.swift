internal import Sodium

// What client and agent say to each other. One packet is one message: a byte that says which, and fields. A field is a
// number, 8 bytes with the highest first; or bytes, with their count as such a number in front. Who does not understand a
// message closes the connection. What holds keys says its version, since it may be of an older installation: of that only
// the request to lock is understood by all.

/// What a client asks for.
enum Request: UInt8 {
    /// What is held, and until when.
    case status = 1
    /// To hold these identities, and no others, for so many seconds.
    case hold = 2
    /// The file key of the first stanza that is for the identity with that verification key.
    case unwrap = 3
    /// A signature by that identity.
    case sign = 4
    /// To forget everything, and end. The same in all versions.
    case lock = 5
}

/// What the agent answers.
enum Reply: UInt8 {
    /// Done; what was asked for follows.
    case done = 1
    /// None of the stanzas is for that identity.
    case noMatch = 2
    /// A stanza breaks the rules of its type; the reason follows.
    case malformedStanza = 3
    /// It is not done.
    case refused = 4
}

enum Message {
    /// The most bytes of a message: more than a header of 1,024 stanzas takes, or the longest roster.
    static let maximumSize = 384 << 10

    /// What the messages are like; another number with each change of them.
    static let version = 1
}

/// Puts a message together, in guarded memory, since there may be a key in it.
struct MessageWriter: ~Copyable {
    private var buffer = SecretBuffer()

    init(_ request: Request) { put(request.rawValue) }

    init(_ reply: Reply) { put(reply.rawValue) }

    mutating func append(_ number: Int) {
        for shift in stride(from: 56, through: 0, by: -8) { put(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func append(_ bytes: Span<UInt8>) {
        append(bytes.count)
        buffer.append(bytes)
    }

    mutating func append(_ text: String) { append(Array(text.utf8).span) }

    func withBytes<R>(_ body: (Span<UInt8>) -> R) -> R { buffer.withBytes(body) }

    private mutating func put(_ byte: UInt8) {
        buffer.withSpace(1) { space in
            space[0] = byte
            return 1
        }
    }
}

/// Takes a message apart. Nothing is read beyond its end, whatever it says of its fields.
struct MessageReader: ~Copyable {
    private let bytes: SecretBytes
    private var position = 0

    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

    /// Whether everything was read.
    var isAtEnd: Bool { position == bytes.count }

    mutating func request() -> Request? { byte().flatMap(Request.init) }

    mutating func reply() -> Reply? { byte().flatMap(Reply.init) }

    /// A number from 0 on.
    mutating func number() -> Int? {
        guard bytes.count - position >= 8 else { return nil }
        let value = bytes.withBytes { bytes in
            (position..<position + 8).reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) }
        }
        position += 8
        return Int(exactly: value)
    }

    /// A number of things that take at least a byte each, so that there cannot be more of them than bytes.
    mutating func count() -> Int? { number().flatMap { $0 <= bytes.count - position ? $0 : nil } }

    /// Lends the next bytes, which may be a secret.
    mutating func withField<R: ~Copyable>(_ body: (Span<UInt8>) -> R?) -> R? {
        guard let count = count() else { return nil }
        let range = position..<position + count
        position += count
        return bytes.withBytes { body($0.extracting(range)) }
    }

    mutating func publicBytes() -> [UInt8]? { withField { $0.publicCopy } }

    mutating func text() -> String? { withField { $0.text } }

    private mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes.withBytes { $0[position] }
    }
}
