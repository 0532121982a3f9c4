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

    private var arena = SecretBuffer(capacity: 4096)
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
            add(.base64, number) { Self.appendBase64(secret, alignment, .standardUnpadded, &$0) }
            add(.base64url, number) { Self.appendBase64(secret, alignment, .urlUnpadded, &$0) }
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
        _ secret: Span<UInt8>, _ alignment: Int, _ variant: Base64.Variant, _ output: inout SecretBuffer
    ) {
        let shifted = SecretBytes(count: alignment + secret.count) { shifted in
            for index in secret.indices { shifted[alignment + index] = secret[index] }
        }
        let encoded = shifted.withBytes { Base64.encodeSecret($0, variant) }
        // The first characters share bits with what stands in front, and the last one with what follows.
        let first = [0, 2, 3][alignment]
        let last = (alignment + secret.count) % 3 == 0 ? encoded.count : encoded.count - 1
        encoded.withBytes { output.append($0.extracting(first..<last)) }
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
