internal import CSodium

/// Base64 (RFC 4648), in constant time; decoding takes the canonical form only.
public enum Base64 {
    /// An alphabet, and whether `=` pads the end.
    public enum Variant: Int32, Sendable {
        /// §4, padded.
        case standard = 1
        /// §4, without padding.
        case standardUnpadded = 3
        /// §5, without padding.
        case urlUnpadded = 7
    }

    /// `bytes` encoded, for what is no secret.
    public static func encode(_ bytes: Span<UInt8>, _ variant: Variant = .standard) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: encodedCount(bytes.count, variant) + 1)
        var output = text.mutableSpan
        write(bytes, variant, into: &output)
        text.removeLast()
        return text
    }

    /// `bytes` encoded, for a secret.
    public static func encodeSecret(_ bytes: Span<UInt8>, _ variant: Variant = .standard) -> SecretBytes {
        // libsodium ends its text with a zero byte, which has no place in the result.
        let terminated = SecretBytes(count: encodedCount(bytes.count, variant) + 1) { output in
            write(bytes, variant, into: &output)
        }
        return terminated.withBytes { SecretBytes(copying: $0.extracting(droppingLast: 1)) }
    }

    /// What `text` stands for, or nil when it is not the canonical encoding of anything.
    public static func decode(_ text: Span<UInt8>, _ variant: Variant = .standard) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3 + 3)
        var output = bytes.mutableSpan
        guard let count = read(text, variant, into: &output) else { return nil }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// What `text` stands for, or nil when it is not the canonical encoding of anything.
    public static func decode(_ text: [UInt8], _ variant: Variant = .standard) -> [UInt8]? {
        decode(text.span, variant)
    }

    /// What `text` stands for when that is a secret, or nil when it is not the canonical encoding of anything.
    public static func decodeSecret(_ text: Span<UInt8>, _ variant: Variant = .standard) -> SecretBytes? {
        var size: Int?
        let padded = SecretBytes(count: text.count / 4 * 3 + 3) { output in size = read(text, variant, into: &output) }
        guard let size else { return nil }
        return padded.withBytes { SecretBytes(copying: $0.extracting(first: size)) }
    }

    /// The size in bytes of `count` bytes encoded.
    public static func encodedCount(_ count: Int, _ variant: Variant) -> Int {
        sodium_base64_encoded_len(count, variant.rawValue) - 1
    }

    private static func write(_ bytes: Span<UInt8>, _ variant: Variant, into output: inout MutableSpan<UInt8>) {
        let capacity = output.count
        unsafe output.withAddress { output in
            unsafe bytes.withAddress {
                _ = unsafe sodium_bin2base64(
                    UnsafeMutableRawPointer(output).assumingMemoryBound(to: CChar.self), capacity, $0, bytes.count,
                    variant.rawValue)
            }
        }
    }

    private static func read(_ text: Span<UInt8>, _ variant: Variant, into output: inout MutableSpan<UInt8>) -> Int? {
        // libsodium 1.0.18 takes every byte above 0x7f for a character. All are looked at, as the text may be a secret.
        var bits: UInt8 = 0
        for index in text.indices { bits |= text[index] }
        guard bits < 0x80 else { return nil }
        let capacity = output.count
        return unsafe output.withAddress { output in
            unsafe text.withAddress { address in
                let start = unsafe UnsafeRawPointer(address).assumingMemoryBound(to: CChar.self)
                var count = 0
                var end: UnsafePointer<CChar>?
                let status = unsafe sodium_base642bin(
                    output, capacity, start, text.count, nil, &count, &end, variant.rawValue)
                return unsafe status == 0 && end == start + text.count ? count : nil
            }
        }
    }
}
