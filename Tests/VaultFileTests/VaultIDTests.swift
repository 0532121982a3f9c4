import Age
import Testing

@testable import VaultFile

@Suite struct VaultIDTests {
    private let id = Draft().id

    @Test func isReadAsItIsWritten() {
        #expect("\(id)".hasPrefix("vault1"))
        #expect("\(id)".utf8.count == 64)
        #expect(VaultID("\(id)") == id)
    }

    @Test func isOfTheRootAndTheNonce() {
        let draft = Draft()
        let other = Draft(nonce: [UInt8](repeating: 8, count: 16))
        #expect(Draft(owner: draft.owner).id == draft.id)
        #expect(Draft(owner: draft.owner, nonce: other.nonce).id != draft.id)
        #expect(other.id != draft.id)
    }

    @Test func isRefusedInAnyOtherForm() {
        let text = "\(id)"
        let key = "\(Draft().root)"
        #expect(VaultID("") == nil)
        #expect(VaultID("vault1") == nil)
        #expect(VaultID(text.uppercased()) == nil)
        #expect(VaultID(text.prefix(1).uppercased() + text.dropFirst()) == nil)
        #expect(VaultID(text + "q") == nil)
        #expect(VaultID(text + "\n") == nil)
        #expect(VaultID(" " + text) == nil)
        #expect(VaultID(text.dropLast()) == nil)
        #expect(VaultID(key) == nil)
        #expect(VaultID("vaultkey" + text.dropFirst("vault".count)) == nil)
        #expect(VerificationKey(text) == nil)
    }

    @Test func isRefusedWithAnyOtherCharacter() {
        let text = Array("\(id)".utf8)
        for position in text.indices {
            for character in "qpzry9x8gf2tvdw0s3jn54khce6mua7lb1ioé".utf8 where character != text[position] {
                var changed = text
                changed[position] = character
                #expect(VaultID(String(decoding: changed, as: UTF8.self)) == nil)
            }
        }
    }

    /// BIP 350's Bech32m has another constant in its checksum.
    @Test func isRefusedAsBech32m() {
        // The checksum of the constant's difference: a checksum is linear.
        let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
        var text = Array("\(id)".utf8)
        let difference = 1 ^ 0x2bc8_30a3
        for place in 0..<6 {
            let position = text.count - 6 + place
            guard let value = alphabet.firstIndex(of: text[position]) else { continue }
            text[position] = alphabet[value ^ (difference >> (5 * (5 - place)) & 31)]
        }
        #expect(VaultID(String(decoding: text, as: UTF8.self)) == nil)
    }

    @Test func isRefusedWithPadBits() {
        // 32 bytes are 52 characters with four bits of padding; each other value of these is another checksum.
        for bits in 1..<16 {
            let spelled = "\(id)".dropLast(7)
            let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
            guard let last = "\(id)".utf8.dropLast(6).last, let value = alphabet.firstIndex(of: last) else { continue }
            let start = String(spelled) + String(decoding: [alphabet[value | bits]], as: UTF8.self)
            #expect(VaultID(start + Self.checksum(of: start, prefix: "vault")) == nil)
        }
        // The same with the right bits, so that the checksum above is known to be one.
        let start = "\(id)".dropLast(6)
        #expect(start + Self.checksum(of: String(start), prefix: "vault") == "\(id)")
    }

    /// BIP 173, as it stands there.
    private static func checksum(of text: String, prefix: String) -> String {
        let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
        let digits = text.utf8.dropFirst(prefix.utf8.count + 1).map { Int(alphabet.firstIndex(of: $0) ?? 0) }
        let prefix = prefix.utf8.map(Int.init)
        var state = 1
        for value in prefix.map({ $0 >> 5 }) + [0] + prefix.map({ $0 & 31 }) + digits + [0, 0, 0, 0, 0, 0] {
            let top = state >> 25
            state = (state & 0x1ff_ffff) << 5 ^ value
            for (bit, generator) in [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].enumerated()
            where top >> bit & 1 == 1 { state ^= generator }
        }
        return String(decoding: (0..<6).map { alphabet[(state ^ 1) >> (5 * (5 - $0)) & 31] }, as: UTF8.self)
    }
}

@Suite struct PinTests {
    private let id = Draft().id

    @Test func isAnIDAndAVersion() throws {
        #expect(Pin("\(id)") == Pin(id: id))
        #expect(Pin("\(id)")?.minimumRosterVersion == 1)
        #expect(Pin("\(id):7") == Pin(id: id, minimumRosterVersion: 7))
        #expect(Pin("\(id):9007199254740991")?.minimumRosterVersion == 9_007_199_254_740_991)
        #expect("\(Pin(id: id))" == "\(id)")
        #expect("\(Pin(id: id, minimumRosterVersion: 7))" == "\(id):7")
        #expect(Pin("\(id):1") == Pin(id: id))
    }

    @Test(arguments: [
        ":", ":0", ":01", ":-1", ":+1", ":1.0", ": 1", ":1 ", ":a", ":1:2", "::1", ":9007199254740992",
        ":99999999999999999999", ":١", " :1",
    ])
    func isRefusedWithAnythingElseBehindTheID(_ rest: String) { #expect(Pin("\(id)" + rest) == nil) }

    @Test func needsAnID() {
        #expect(Pin("") == nil)
        #expect(Pin(":1") == nil)
        #expect(Pin("1:\(id)") == nil)
    }

    @Test func refusesARosterBelowItsVersion() throws {
        let draft = Draft(version: 6)
        let place = try VaultPlace(holding: draft)
        for (version, isAccepted) in [(1, true), (5, true), (6, true), (7, false), (9_007_199_254_740_991, false)] {
            // Who accepts what is older than what was seen does not accept what is older than the pin.
            let vault = place.vault {
                $0.pin = Pin(id: draft.id, minimumRosterVersion: version)
                $0.acceptsOlder = true
                $0.followsGit = true
            }
            if isAccepted {
                _ = try vault.open()
            } else {
                #expect(
                    throws: VaultError.belowPin(version: 6, minimum: version).at(place.path)
                ) { _ = try vault.open() }
            }
        }
    }
}
