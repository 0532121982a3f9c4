import Sodium
import Testing

@testable import VaultFile

@Suite struct ManifestTests {
    private let low = Hash(bytes: [UInt8](repeating: 1, count: 32))
    private let high = Hash(bytes: [UInt8](repeating: 2, count: 32))
    private let draft = Draft()

    private func manifest(generation: Int = 42, _ previous: Hash...) -> Manifest {
        Manifest(
            id: draft.id, roster: high, generation: generation, previous: previous, index: low,
            written: "2026-11-23T20:00:00Z")
    }

    @Test func isWrittenAsTheFormatShows() {
        #expect(
            manifest(low).text == """
                vault/v1 manifest
                vault \(draft.id)
                roster \(high)
                generation 42
                previous \(low)
                index \(low)
                written 2026-11-23T20:00:00Z

                """)
    }

    @Test func isReadAsItIsWritten() {
        for manifest in [manifest(), manifest(low), manifest(low, high), manifest(generation: (1 << 53) - 1, high)] {
            #expect(Manifest(text: manifest.text) == manifest)
        }
    }

    @Test func itsPredecessorsAreInOrderAndOnceEach() {
        #expect(manifest().text.contains("\nprevious -\n"))
        #expect(manifest(high, low).text.contains("\nprevious \(low) \(high)\n"))
        #expect(manifest(low, low).text.contains("\nprevious \(low)\n"))
    }

    @Test func hasOneSpelling() throws {
        let text = manifest(low, high).text
        func refused(_ old: String, _ new: String) throws -> Bool {
            Manifest(text: try text.replacing(first: old, with: new)) == nil
        }
        #expect(Manifest(text: "") == nil)
        #expect(Manifest(text: String(text.dropLast())) == nil)
        #expect(Manifest(text: text + "\n") == nil)
        #expect(Manifest(text: text + "x") == nil)
        for line in ["vault/v1 manifest\n", "generation 42\n", "written 2026-11-23T20:00:00Z\n"] {
            #expect(try refused(line, ""))
            #expect(try refused(line, line + line))
            #expect(try refused(line, " " + line))
        }
        #expect(try refused("manifest\n", "manifest\r\n"))
        #expect(try refused("vault/v1", "vault/v2"))
        for generation in ["0", "042", "-1", "+1", "4 2", "4.2", "9007199254740992", "", " 42", "42 "] {
            #expect(try refused("42", generation), "\(generation)")
        }
        let both = "\(low) \(high)"
        for previous in [
            "\(high) \(low)", "\(low) \(low)", "\(low)  \(high)", "\(low) \(high) \(draft.state.manifest)", "", "- -",
            "\(low) -", "--", "\(low) ", " \(low)", "\(low),\(high)",
        ] {
            #expect(try refused(both, previous), "\(previous)")
        }
    }

    /// Shown and never compared: so the form alone counts.
    @Test(arguments: [
        "2026-11-23T20:00:00", "2026-11-23T20:00:00z", "2026-11-23t20:00:00Z", "2026-11-23 20:00:00Z",
        "2026-11-23T20:00:00.5Z", "2026-11-23T20:00:00+00:00", "26-11-23T20:00:00Z", "2026-11-23", "",
        "2026-11-23T20:00:0\u{661}Z", "2026-11-23T20:00:0aZ",
    ])
    func whenItWasWrittenHasOneForm(_ written: String) {
        let manifest = Manifest(
            id: draft.id, roster: high, generation: 1, previous: [], index: low, written: written)
        #expect(Manifest(text: manifest.text) == nil)
    }
}

@Suite struct NumberTests {
    @Test func isDecimalFromOneToTheMaximum() {
        #expect(Number.maximum == 9_007_199_254_740_991)
        for (text, value) in [("1", 1), ("10", 10), ("9007199254740991", Number.maximum)] {
            #expect(Number.parse(text) == value)
        }
        for text in [
            "", "0", "00", "01", "-1", "+1", " 1", "1 ", "1.", "1e3", "0x1", "1_000", "9007199254740992",
            "18446744073709551617", "99999999999999999999999999", "١", "１", "a",
        ] {
            #expect(Number.parse(text) == nil, "\(text)")
        }
    }
}
