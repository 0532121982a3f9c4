/// Base64 (RFC 4648, §4) of what is no secret, as a part of an encrypted vault: several times as fast as decoding in
/// constant time, of which a large vault would consist for the most part.
enum EtcdBase64 {
    /// The value of each character at each of the four places of a group, already where it belongs in the 24 bits; all
    /// bits for what is no character of the alphabet.
    private static let places: [UInt32] = {
        var places = [UInt32](repeating: .max, count: 4 * 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, character) in alphabet.utf8.enumerated() {
            for place in 0..<4 { places[place * 256 + Int(character)] = UInt32(value) << (18 - 6 * place) }
        }
        return places
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
        var bytes = unsafe [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3 + 1) { output, outputCount in
            unsafe text.withUnsafeBytes { input in
                unsafe places.withUnsafeBufferPointer { places in
                    var invalid: UInt32 = 0
                    var target = 0
                    let last = input.count - 4
                    let groups = UnsafeMutableRawBufferPointer(output)
                    for source in stride(from: 0, to: last, by: 4) {
                        let a = unsafe places[Int(input[source])]
                        let b = unsafe places[256 + Int(input[source + 1])]
                        let c = unsafe places[512 + Int(input[source + 2])]
                        let d = unsafe places[768 + Int(input[source + 3])]
                        let group = a | b | c | d
                        invalid |= group
                        // Four bytes at once, of which the next group overwrites the last.
                        unsafe groups.storeBytes(of: (group << 8).bigEndian, toByteOffset: target, as: UInt32.self)
                        target += 3
                    }
                    var group: UInt32 = 0
                    for place in 0..<4 - padding { unsafe group |= places[256 * place + Int(input[last + place])] }
                    invalid |= group
                    unsafe groups.storeBytes(of: (group << 8).bigEndian, toByteOffset: target, as: UInt32.self)
                    isValid = invalid >> 24 == 0 && group & (1 << (8 * padding) - 1) == 0
                }
            }
            outputCount = text.count / 4 * 3
        }
        guard isValid else { return nil }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
