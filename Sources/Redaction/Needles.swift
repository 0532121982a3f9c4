internal import CLinux
internal import Sodium

/// What to look for so that a secret is found: the secret itself, and every form that programs commonly write it in.
public struct Needles: ~Copyable {
    /// A form of a secret.
    public enum Form: String, Sendable {
        /// As it is.
        case raw
        /// Base64 in the standard alphabet.
        case base64
        /// Base64 in the alphabet for URLs.
        case base64url
        /// Hexadecimal digits.
        case hex
        /// Percent-encoded.
        case percent
        /// With the escapes of JSON.
        case json
        /// Quoted for a shell.
        case shell
    }

    /// The fewest bytes that are looked for.
    public static let minimumSize = 8

    private struct Needle {
        let range: Range<Int>
        let secret: Int
        let form: Form
    }

    private var arena = SecretBuffer()
    private var needles: [Needle] = []

    /// No needles.
    public init() {}

    /// Adds all forms of a secret.
    ///
    /// - Parameters:
    ///   - secret: At least ``minimumSize`` bytes; fewer are not looked for.
    ///   - number: What a finding gives back.
    public mutating func add(_ secret: Span<UInt8>, number: Int) {
        guard secret.count >= Self.minimumSize else { return }
        add(.raw, number) { $0.append(secret) }
        for alignment in 0..<3 {
            add(.base64, number) { Self.appendBase64(secret, alignment, isURL: false, &$0) }
            add(.base64url, number) { Self.appendBase64(secret, alignment, isURL: true, &$0) }
        }
        for digits: StaticString in ["0123456789abcdef", "0123456789ABCDEF"] {
            add(.hex, number) { output in
                for index in secret.indices { Self.appendHex(secret[index], digits, &output) }
            }
            add(.percent, number) { output in
                for index in secret.indices {
                    if Self.isUnreserved(secret[index]) {
                        output.append(secret.extracting(index..<index + 1))
                    } else {
                        output.append("%")
                        Self.appendHex(secret[index], digits, &output)
                    }
                }
            }
        }
        add(.json, number) { output in
            for index in secret.indices {
                if secret[index] == UInt8(ascii: "\"") || secret[index] == UInt8(ascii: "\\") { output.append("\\") }
                output.append(secret.extracting(index..<index + 1))
            }
        }
        add(.shell, number) { output in
            for index in secret.indices {
                if secret[index] == UInt8(ascii: "'") { output.append("'\\'") }
                output.append(secret.extracting(index..<index + 1))
            }
        }
    }

    /// The first form of a secret that stands in `bytes`.
    ///
    /// - Returns: The number that the secret was added with, and the form; nil when there is none.
    public borrowing func first(in bytes: Span<UInt8>) -> (number: Int, form: Form)? {
        arena.withBytes { arena in
            for needle in needles where Self.contains(bytes, arena.extracting(needle.range)) {
                return (needle.secret, needle.form)
            }
            return nil
        }
    }

    /// Adds one form, unless it is one that is there already.
    private mutating func add(_ form: Form, _ number: Int, _ write: (inout SecretBuffer) -> Void) {
        let start = arena.count
        write(&arena)
        let range = start..<arena.count
        let isNew = arena.withBytes { bytes in
            !needles.contains { needle in
                needle.secret == number && needle.range.count == range.count
                    && Self.contains(bytes.extracting(needle.range), bytes.extracting(range))
            }
        }
        if isNew, range.count >= Self.minimumSize {
            needles.append(Needle(range: range, secret: number, form: form))
        }
    }

    /// The characters that the secret alone determines when `alignment` bytes (modulo 3) stand in front of it.
    private static func appendBase64(
        _ secret: Span<UInt8>, _ alignment: Int, isURL: Bool, _ output: inout SecretBuffer
    ) {
        // A character is six bits. The first one that has none of its bits from in front begins at this bit of the
        // secret; what is left over at the end belongs to a character that shares bits with what follows.
        let start = [0, 4, 2][alignment]
        let characters = (secret.count * 8 - start) / 6
        output.withSpace(characters) { space in
            for index in 0..<characters {
                let bit = start + index * 6
                let high = UInt16(secret[bit / 8])
                let low = bit / 8 + 1 < secret.count ? UInt16(secret[bit / 8 + 1]) : 0
                let value = UInt8(truncatingIfNeeded: (high << 8 | low) >> UInt16(10 - bit % 8)) & 63
                space[index] = base64Character(value, isURL: isURL)
            }
            return characters
        }
    }

    private static func base64Character(_ value: UInt8, isURL: Bool) -> UInt8 {
        switch value {
        case ..<26: value + UInt8(ascii: "A")
        case ..<52: value - 26 + UInt8(ascii: "a")
        case ..<62: value - 52 + UInt8(ascii: "0")
        case 62: UInt8(ascii: isURL ? "-" : "+")
        default: UInt8(ascii: isURL ? "_" : "/")
        }
    }

    private static func appendHex(_ byte: UInt8, _ digits: StaticString, _ output: inout SecretBuffer) {
        output.withSpace(2) { space in
            space[0] = unsafe digits.utf8Start[Int(byte >> 4)]
            space[1] = unsafe digits.utf8Start[Int(byte & 15)]
            return 2
        }
    }

    /// RFC 3986, 2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || [0x2d, 0x2e, 0x5f, 0x7e].contains(byte)
    }

    private static func contains(_ bytes: Span<UInt8>, _ needle: Span<UInt8>) -> Bool {
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe needle.withUnsafeBytes { needle in
                guard let haystack = bytes.baseAddress, let start = needle.baseAddress else { return false }
                return unsafe clinux_contains(haystack, bytes.count, start, needle.count) != 0
            }
        }
    }
}
