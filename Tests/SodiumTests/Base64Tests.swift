import Sodium
import TestSupport
import Testing

@Suite struct Base64Tests {
    static let variants: [Base64.Variant] = [.standard, .standardUnpadded, .urlUnpadded]

    /// RFC 4648, section 10.
    static let vectors = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]

    @Test(arguments: vectors, variants)
    func `The vectors of RFC 4648 are encoded and decoded`(vector: (String, String), variant: Base64.Variant) {
        let bytes = Array(vector.0.utf8)
        let text = Array(vector.1.utf8).filter { variant.isPadded || $0 != UInt8(ascii: "=") }
        #expect(Base64.encode(bytes.span, variant) == text)
        #expect(Base64.encodeSecret(bytes.span, variant).bytes == text)
        #expect(Base64.encodedCount(bytes.count, variant) == text.count)
        #expect(Base64.decode(text, variant) == bytes)
        #expect(Base64.decodeSecret(text.span, variant)?.bytes == bytes)
    }

    @Test(arguments: variants) func `Every character stands for its six bits`(variant: Base64.Variant) {
        // RFC 4648, tables 1 and 2: 48 bytes that make the whole alphabet, in its order.
        let bytes = stride(from: 0, to: 64, by: 4).flatMap { value -> [UInt8] in
            let bits = (0..<4).reduce(0) { $0 << 6 | (value + $1) }
            return [UInt8(bits >> 16), UInt8(bits >> 8 & 0xff), UInt8(bits & 0xff)]
        }
        let last = variant.isURL ? "-_" : "+/"
        let text = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\(last)".utf8)
        #expect(Base64.encode(bytes.span, variant) == text)
        #expect(Base64.decode(text, variant) == bytes)
    }

    @Test(arguments: variants) func `No byte but the 64 characters stands for anything`(variant: Base64.Variant) {
        let last = variant.isURL ? "-_" : "+/"
        let alphabet = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\(last)".utf8)
        // Bytes above 0x7f, too: libsodium 1.0.18 takes them for characters.
        for byte in UInt8.min...UInt8.max where !alphabet.contains(byte) {
            for place in 0..<8 {
                var text = Array("AAAAAAAA".utf8)
                text[place] = byte
                // In the last place this is a padded text.
                if byte == UInt8(ascii: "=") && place == 7 && variant.isPadded { continue }
                #expect(Base64.decode(text, variant) == nil, "byte \(byte) at \(place)")
                #expect(Base64.decodeSecret(text.span, variant)?.bytes == nil, "byte \(byte) at \(place)")
            }
        }
    }

    @Test(arguments: variants) func `What was encoded is decoded, whatever its size`(variant: Base64.Variant) {
        for size in 0...200 {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 250) }
            let text = Base64.encode(bytes.span, variant)
            #expect(text.count == Base64.encodedCount(size, variant))
            #expect(Base64.decode(text, variant) == bytes)
            #expect(Base64.decodeSecret(text.span, variant)?.bytes == bytes)
        }
    }

    @Test(arguments: [
        // Bits that stand for nothing must be zero.
        "Zh==", "Zm9=", "Zm9vYh==", "/+==",
        // White space.
        " Zm9v", "Zm9v ", "Zm 9v", "Zm9v\n", "\nZm9v", "Zm9v\r\n", "Zm9\tv", "Zg =", "Zg= =",
        // Padding that is missing, too much, or in the wrong place.
        "Zg", "Zg=", "Zm8", "Zg===", "Zm8==", "Zm9v=", "Zm9v====", "=", "====", "=Zg=", "Z===", "Zg==Zg==", "Zg=a",
        // Characters of the other alphabet, or of none.
        "Zm9-", "Zm9_", "Zm9.", "Zm9\0", "Zm9ö", "!m9v",
        // One character alone stands for nothing.
        "Z", "Zm9vZ",
    ])
    func `What is not canonical and padded is refused`(text: String) {
        #expect(Base64.decode(Array(text.utf8), .standard) == nil)
        #expect(Base64.decodeSecret(Array(text.utf8).span, .standard)?.bytes == nil)
    }

    @Test(arguments: [
        "Zh", "Zm9", "Zm9vYh", " Zm9v", "Zm9v ", "Zm 9v", "Zm9v\n", "\nZm9v", "Zg==", "Zg=", "Zm8=", "=", "Z", "Zm9vZ",
        "Zm9-", "Zm9_", "Zm9\0", "!m9v",
    ])
    func `What is not canonical and unpadded is refused`(text: String) {
        #expect(Base64.decode(Array(text.utf8), .standardUnpadded) == nil)
        #expect(Base64.decodeSecret(Array(text.utf8).span, .standardUnpadded)?.bytes == nil)
    }

    @Test(arguments: ["Zm9+", "Zm9/", "Zh", "Zg==", "Zg=", "Zm9v\n"])
    func `What is not canonical in the unpadded alphabet of URLs is refused`(text: String) {
        #expect(Base64.decode(Array(text.utf8), .urlUnpadded) == nil)
    }
}

extension Base64.Variant {
    fileprivate var isPadded: Bool { self == .standard }
    fileprivate var isURL: Bool { self == .urlUnpadded }
}
