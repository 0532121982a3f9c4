/// Base64 (RFC 4648, §4) of what is no secret, as a part of an encrypted vault: several times as fast as decoding in
/// constant time, of which a large vault would consist for the most part.
enum EtcdBase64 {
    /// The values of the characters, 0xff for all that are none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xff, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, character) in alphabet.utf8.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// What `text` stands for, or nil when it is not the canonical encoding of anything.
    static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        if text.isEmpty { return [] }
        let sign = UInt8(ascii: "=")
        let padding = text[text.count - 1] != sign ? 0 : text[text.count - 2] != sign ? 1 : 2
        // The last group is read as if zeros stood there instead of padding, whose bits must be zero as well.
        let count = text.count / 4 * 3 - padding
        var isValid = true
        var bytes = unsafe [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3) { output, outputCount in
            unsafe text.withUnsafeBufferPointer { input in
                unsafe values.withUnsafeBufferPointer { values in
                    var invalid: UInt32 = 0
                    var target = 0
                    let last = input.count - 4
                    for source in stride(from: 0, to: last, by: 4) {
                        let a = unsafe UInt32(values[Int(input[source])])
                        let b = unsafe UInt32(values[Int(input[source + 1])])
                        let c = unsafe UInt32(values[Int(input[source + 2])])
                        let d = unsafe UInt32(values[Int(input[source + 3])])
                        invalid |= a | b | c | d
                        let group = a << 18 | b << 12 | c << 6 | d
                        unsafe output[target] = UInt8(truncatingIfNeeded: group >> 16)
                        unsafe output[target + 1] = UInt8(truncatingIfNeeded: group >> 8)
                        unsafe output[target + 2] = UInt8(truncatingIfNeeded: group)
                        target += 3
                    }
                    var group: UInt32 = 0
                    for offset in 0..<4 {
                        let value = unsafe offset < 4 - padding ? UInt32(values[Int(input[last + offset])]) : 0
                        invalid |= value
                        group = group << 6 | value & 0x3f
                    }
                    for offset in 0..<3 {
                        unsafe output[target + offset] = UInt8(truncatingIfNeeded: group >> (16 - 8 * offset))
                    }
                    isValid = invalid < 64 && group & (1 << (8 * padding) - 1) == 0
                }
            }
            outputCount = text.count / 4 * 3
        }
        guard isValid else { return nil }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
