internal import Sodium

/// The name of a record: a letter or digit, then up to 127 letters, digits and `._/-`. Ordered by its bytes.
public struct RecordName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 128 bytes.
    public static let maximumSize = 128

    let bytes: [UInt8]

    /// The name that `text` is, or nil when it cannot be one.
    public init?(_ text: some StringProtocol) {
        self.init(bytes: Array(text.utf8).span)
    }

    init?(bytes: Span<UInt8>) {
        guard Self.isName(bytes) else { return nil }
        self.bytes = bytes.publicCopy
    }

    /// The name as text.
    public var description: String { String(decoding: bytes, as: UTF8.self) }

    /// In the order of the bytes, which is that of the file.
    public static func < (left: RecordName, right: RecordName) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    static func isName(_ bytes: Span<UInt8>) -> Bool {
        guard (1...maximumSize).contains(bytes.count), bytes[0].isAlphanumeric else { return false }
        for index in bytes.indices
        where !(bytes[index].isAlphanumeric || (0x2d...0x2f).contains(bytes[index]) || bytes[index] == 0x5f) {
            return false
        }
        return true
    }

    /// Whether the bytes of `left` come before those of `right`.
    package static func precedes(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
            return left[index] < right[index]
        }
        return left.count < right.count
    }
}
