import Sodium
import Testing

@testable import Remotes

@Suite("Remotes: base64") struct EtcdBase64Tests {
    @Test("What is encoded comes back", arguments: 0..<70) func roundTrip(count: Int) {
        let bytes = Random.bytes(count)
        #expect(EtcdBase64.decode(Base64.encode(bytes.span).span) == bytes)
    }

    @Test("Nothing but the canonical form is taken, as in constant time") func strictness() {
        let characters = Array("AQZaz09+/=-_ \n\u{7f}".utf8) + [0, 0x80, 0xff]
        for count in 0...4 {
            var indices = [Int](repeating: 0, count: count)
            repeat {
                for prefix in ["", "AQZa"] {
                    let text = Array(prefix.utf8) + indices.map { characters[$0] }
                    let (fast, slow) = (EtcdBase64.decode(text.span), Base64.decode(text))
                    if fast != slow { Issue.record("\(text): \(String(describing: fast))") }
                }
            } while Self.advance(&indices, characters.count)
        }
    }

    /// Counts on; false at the end.
    private static func advance(_ indices: inout [Int], _ base: Int) -> Bool {
        for place in indices.indices {
            indices[place] += 1
            if indices[place] < base { return true }
            indices[place] = 0
        }
        return false
    }
}
