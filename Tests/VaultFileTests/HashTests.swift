import Testing

@testable import VaultFile

@Suite struct HashTests {
    private let bytes: [UInt8] = Array("abc".utf8)

    /// BLAKE2b-256 of the same bytes, each time with another personalisation; computed with Python's hashlib.
    @Test func whatIsHashedIsPartOfTheHash() {
        #expect("\(Hash.block(bytes.span))" == "JlkgxUbLCUaRKXvrTK1v3iyiQRYS4/k50uP4pxR9deA=")
        #expect("\(Hash.index(bytes.span))" == "vR5dERIvBXbsnrOEGhXU3fFzHcXcnOGq4iBFDIDOj9M=")
        #expect("\(Hash.roster("abc"))" == "QDuLmgZ8SLSZF3robG0UJyQTtfSHbwyaJtJPCIpzD58=")
        #expect("\(Hash.manifest("abc"))" == "Ogxcoj+Iy8NN9xRv7E4e63+Sk1ZY3FtLfpDwF0nAD/I=")
    }

    @Test func aHashIsReadAsItIsWritten() {
        let hash = Hash.block(bytes.span)
        #expect(Hash("\(hash)") == hash)
    }

    @Test(arguments: [
        "", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", " AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-A=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=====",
    ])
    func whatIsNotCanonicalBase64Of32BytesIsNoHash(_ text: String) { #expect(Hash(text) == nil) }

    @Test func aByteThatIsNotASCIIStandsForNothing() {
        // Two bytes each, in the place of two characters.
        for character in ["é", "ÿ", "¯", "\u{80}"] {
            #expect(Hash(character + String(repeating: "A", count: 41) + "=") == nil)
        }
        #expect(Hash("//" + String(repeating: "A", count: 41) + "=") != nil)
    }

    @Test func hashesAreOrderedByTheirBytes() {
        // In base64 it is the other way round.
        let low = Hash(bytes: [0x68] + [UInt8](repeating: 0, count: 31))
        let high = Hash(bytes: [0xd0] + [UInt8](repeating: 0, count: 31))
        #expect("\(low)".first == "a" && "\(high)".first == "0")
        #expect(low < high)
        #expect(!(high < low) && !(low < low))
    }
}
