@testable import Age
import Sodium
import Synchronization
import TestSupport
import Testing

@Suite struct HeaderTests: ~Copyable {
    let identity = X25519Identity()
    let fileKey = FileKey()

    // MARK: Form

    @Test func `A header is written as the specification has it`() throws {
        let stanzas = [
            Stanza(type: "a", arguments: [], body: []),
            Stanza(type: "b", arguments: [Array("one".utf8), Array("two".utf8)], body: pattern(47)),
            // A body that fills its lines is followed by an empty one.
            Stanza(type: "c", arguments: [Array("!~".utf8)], body: [UInt8](repeating: 0, count: 48)),
        ]
        let header = Header(stanzas: stanzas, fileKey: fileKey)
        let text = String(decoding: header.bytes, as: UTF8.self)
        let body = String(decoding: Base64.encode(pattern(47).span, .standardUnpadded), as: UTF8.self)
        let expected = """
            age-encryption.org/v1
            -> a

            -> b one two
            \(body)
            -> c !~
            \(String(repeating: "A", count: 64))

            ---
            """
        #expect(text.hasPrefix(expected + " "))
        let key = HKDFSHA256.deriveKey(from: fileKey.bytes, salt: [UInt8]().span, info: Array("header".utf8).span)
        let mac = key.withBytes { HMACSHA256.authenticationCode(for: Array(expected.utf8).span, key: $0) }
        #expect(
            text == expected + " " + String(decoding: Base64.encode(mac.span, .standardUnpadded), as: UTF8.self) + "\n")
        #expect(header.byteCount == header.bytes.count)
    }

    @Test func `What was written is read, and the payload begins behind it`() throws {
        for size in [0, 1, 47, 48, 49, 95, 96, 97, 1000] {
            let stanzas = [Stanza(type: "some/type", arguments: [Array("x".utf8)], body: pattern(size))]
            let header = Header(stanzas: stanzas, fileKey: fileKey)
            let read = try Header(readingFrom: header.bytes + pattern(100))
            #expect(read.stanzas == stanzas)
            #expect(read.byteCount == header.bytes.count)
        }
    }

    @Test(arguments: [
        "", "\n", "age-encryption.org/v1", "age-encryption.org/v1\n", "age-encryption.org/v2\n-> a\n\n--- MAC\n",
        " age-encryption.org/v1\n-> a\n\n--- MAC\n", "age-encryption.org/v1 \n-> a\n\n--- MAC\n",
        "AGE-ENCRYPTION.ORG/v1\n-> a\n\n--- MAC\n", "age-encryption.org/v1\r\n-> a\r\n\r\n--- MAC\r\n",
        "VERSION\n-> a\n\n--- MAC\r\n",
        // No stanza, or something that is none.
        "VERSION\n--- MAC\n", "VERSION\n\n-> a\n\n--- MAC\n", "VERSION\n->a\n\n--- MAC\n", "VERSION\n> a\n\n--- MAC\n",
        "VERSION\na\n\n--- MAC\n", "VERSION\n - > a\n\n--- MAC\n", "VERSION\n-> a\n\n\n--- MAC\n",
        // Arguments that are empty or not visible ASCII.
        "VERSION\n-> \n\n--- MAC\n", "VERSION\n->  a\n\n--- MAC\n", "VERSION\n-> a \n\n--- MAC\n",
        "VERSION\n-> a  b\n\n--- MAC\n", "VERSION\n-> a\tb\n\n--- MAC\n", "VERSION\n-> ä\n\n--- MAC\n",
        "VERSION\n-> a\u{7f}\n\n--- MAC\n", "VERSION\n-> a\0\n\n--- MAC\n", "VERSION\n-> a\r\n\n--- MAC\n",
        // Bodies that are missing, not canonical base64, or not in lines of 64 columns.
        "VERSION\n-> a\n--- MAC\n", "VERSION\n-> a\nFULL\n--- MAC\n", "VERSION\n-> a\nFULLAAAA\n\n--- MAC\n",
        "VERSION\n-> a\nAAAA\nAAAA\n--- MAC\n", "VERSION\n-> a\nAA==\n--- MAC\n", "VERSION\n-> a\nAB\n--- MAC\n",
        "VERSION\n-> a\nA\n--- MAC\n", "VERSION\n-> a\nAA-_\n--- MAC\n", "VERSION\n-> a\n AAAA\n--- MAC\n",
        "VERSION\n-> a\nAAAA \n--- MAC\n", "VERSION\n-> a\nAAAA\r\n--- MAC\n",
        // MACs that are missing, of another size, not canonical, or with something around them.
        "VERSION\n-> a\n\n---\n", "VERSION\n-> a\n\n--- \n", "VERSION\n-> a\n\n---MAC\n", "VERSION\n-> a\n\n---  MAC\n",
        "VERSION\n-> a\n\n--- MAC \n", "VERSION\n-> a\n\n--- MAC", "VERSION\n-> a\n\n--- MAC=\n",
        "VERSION\n-> a\n\n--- AAAA\n", "VERSION\n-> a\n\n--- MACAAAA\n", "VERSION\n-> a\n\n-- MAC\n",
        "VERSION\n-> a\n\n---- MAC\n", "VERSION\n-> a\n\n", "VERSION\n-> a\n",
        "VERSION\n-> a\n\n--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n",
    ])
    func `What is not strictly a header is refused`(template: String) {
        #expect(ending(template) == .header)
    }

    @Test func `The template of the refusals is read when nothing is wrong with it`() {
        #expect(ending("VERSION\n-> a\n\n--- MAC\n") == .success)
        #expect(ending("VERSION\n-> a\nFULL\n\n--- MAC\n") == .success)
        #expect(ending("VERSION\n-> a b\nFULL\nAAAA\n-> c\n\n--- MAC\nbehind it") == .success)
    }

    @Test func `Nothing of a header may be missing`() {
        let bytes = Header(stanzas: [identity.recipient.wrap(fileKey)], fileKey: fileKey).bytes
        for count in 0..<bytes.count {
            let cut = Array(bytes.prefix(count))
            #expect(outcome { () throws(AgeError) in _ = try Header(readingFrom: cut) } == .header, "\(count) bytes")
        }
    }

    // MARK: Limits

    @Test func `As many as 1,024 stanzas are taken`() throws {
        let others = [Stanza](repeating: Stanza(type: "a", arguments: [], body: []), count: 1023)
        let header = Header(stanzas: others + [identity.recipient.wrap(fileKey)], fileKey: fileKey)
        #expect(try Header(readingFrom: header.bytes).unwrap(with: [identity]).stanza == 1023)
        let more = Header(stanzas: others + others.prefix(2), fileKey: fileKey).bytes
        #expect(outcome { () throws(AgeError) in _ = try Header(readingFrom: more) } == .header)
    }

    @Test func `A header of 1 MiB is taken, and nothing longer`() throws {
        func bytes(_ size: Int) -> [UInt8] {
            let stanza = identity.recipient.wrap(fileKey)
            let short = Stanza(type: "a", arguments: [Array("b".utf8)], body: [])
            let rest = size - Header(stanzas: [short, stanza], fileKey: fileKey).bytes.count
            let long = Stanza(type: "a", arguments: [[UInt8](repeating: 0x62, count: 1 + rest)], body: [])
            return Header(stanzas: [long, stanza], fileKey: fileKey).bytes
        }
        let longest = bytes(Header.maximumSize)
        #expect(longest.count == 1 << 20)
        #expect(try Header(readingFrom: longest + pattern(1000)).unwrap(with: [identity]).stanza == 1)
        let longer = bytes(Header.maximumSize + 1)
        for behind in [0, 1000] {
            let ending = outcome { () throws(AgeError) in _ = try Header(readingFrom: longer + pattern(behind)) }
            #expect(ending == .header)
        }
    }

    @Test func `A header is read to its end, wherever the steps of reading fall`() throws {
        // Around 1 KiB and 8 KiB, where more is fetched.
        for size in Array(900...1060) + Array(8090...8220) {
            let stanza = Stanza(type: "a", arguments: [[UInt8](repeating: 0x62, count: size - 80)], body: [])
            let bytes = Header(stanzas: [stanza], fileKey: fileKey).bytes
            let header = try Header(readingFrom: bytes + pattern(20_000))
            #expect(header.byteCount == bytes.count)
            #expect(header.stanzas == [stanza])
        }
    }

    @Test func `Of a large file that has no header little is read`() {
        let source = Counting([UInt8](repeating: 0x0a, count: 1 << 22))
        #expect(outcome { () throws(AgeError) in _ = try Header(readingFrom: source) } == .header)
        #expect(source.read.load(ordering: .relaxed) <= 1024)
    }

    // MARK: Unwrapping

    @Test func `Stanzas of unknown types are passed over`() throws {
        let stanzas = [
            Stanza(type: "hrm-grease", arguments: [Array("!".utf8)], body: pattern(100)),
            Stanza(type: "x25519", arguments: [], body: []), identity.recipient.wrap(fileKey),
            Stanza(type: "ssh-rsa", arguments: [Array("abcdef".utf8)], body: pattern(512)),
        ]
        let header = try Header(readingFrom: Header(stanzas: stanzas, fileKey: fileKey).bytes)
        let opened = try header.unwrap(with: [identity])
        #expect(opened.stanza == 2)
        #expect(opened.fileKey.bytes.bytes == fileKey.bytes.bytes)
    }

    @Test func `Without a stanza for any of the identities there is no match`() {
        let header = Header(stanzas: [identity.recipient.wrap(fileKey)], fileKey: fileKey)
        #expect(throws: AgeError.noMatch) { _ = try header.unwrap(with: []) }
        #expect(throws: AgeError.noMatch) { _ = try header.unwrap(with: [X25519Identity(), passphrase("words")]) }
    }

    @Test func `Each of several identities finds its stanza`() throws {
        let identities = (0..<5).map { _ in X25519Identity() }
        let header = Header(stanzas: identities.map { $0.recipient.wrap(fileKey) }, fileKey: fileKey)
        for (index, identity) in identities.enumerated() {
            #expect(try header.unwrap(with: [X25519Identity(), identity]).stanza == index)
        }
        // The identities come in the order that they are given in.
        #expect(try header.unwrap(with: [identities[3], identities[1]]).stanza == 3)
    }

    @Test func `The stanza that the hint names is tried first`() throws {
        let identities = (0..<20).map { _ in X25519Identity() }
        let header = Header(stanzas: identities.map { $0.recipient.wrap(fileKey) }, fileKey: fileKey)
        let recorder = Recorder(identities[13])
        #expect(try header.unwrap(with: [recorder], startingAt: 13).stanza == 13)
        #expect(recorder.tried == [header.stanzas[13]])
    }

    @Test(arguments: [-1, 0, 5, 12, 14, 19, 20, 1000, .max, .min])
    func `A wrong hint costs no more than a try`(hint: Int) throws {
        let identities = (0..<20).map { _ in X25519Identity() }
        let header = Header(stanzas: identities.map { $0.recipient.wrap(fileKey) }, fileKey: fileKey)
        let recorder = Recorder(identities[13])
        let opened = try header.unwrap(with: [recorder], startingAt: hint)
        #expect(opened.stanza == 13)
        #expect(opened.fileKey.bytes.bytes == fileKey.bytes.bytes)
        let others = (0...13).filter { $0 != hint }
        let expected = (header.stanzas.indices.contains(hint) ? [hint] : []) + others
        #expect(recorder.tried == expected.map { header.stanzas[$0] })
    }

    @Test func `A passphrase stanza beside others is refused before anything is computed`() throws {
        let scrypt = Stanza(
            type: "scrypt", arguments: [Base64.encode(pattern(16).span, .standardUnpadded), Array("20".utf8)],
            body: pattern(32))
        let mine = identity.recipient.wrap(fileKey)
        for stanzas in [[scrypt, mine], [mine, scrypt], [scrypt, scrypt]] {
            let header = Header(stanzas: stanzas, fileKey: fileKey)
            let recorder = Recorder(identity)
            #expect(outcome { () throws(AgeError) in _ = try header.unwrap(with: [recorder]) } == .header)
            #expect(recorder.tried == [])
        }
    }

    @Test func `Every bit of a header counts`() throws {
        let bytes = Header(stanzas: [identity.recipient.wrap(fileKey)], fileKey: fileKey).bytes
        var endings: [Outcome?: Int] = [:]
        for bit in 0..<bytes.count * 8 {
            var changed = bytes
            changed[bit / 8] ^= 1 << (bit % 8)
            let ending = outcome { () throws(AgeError) in
                _ = try Header(readingFrom: changed).unwrap(with: [identity])
            }
            #expect(ending != .success && ending != nil, "bit \(bit)")
            endings[ending, default: 0] += 1
        }
        // A changed MAC that is still base64 is told from a changed stanza.
        #expect(endings[.headerMAC, default: 0] > 40)
        #expect(endings[.noMatch, default: 0] > 40)
    }

    @Test func `A header whose MAC is another file's is told from one that is not for us`() throws {
        let stanza = identity.recipient.wrap(fileKey)
        let header = try Header(readingFrom: Header(stanzas: [stanza], fileKey: FileKey()).bytes)
        #expect(throws: AgeError.headerMAC) { _ = try header.unwrap(with: [identity]) }
    }

    /// How reading ends of what `template` stands for.
    private func ending(_ template: String) -> Outcome? {
        let text = template.replacing("VERSION", with: "age-encryption.org/v1")
            .replacing("MAC", with: String(repeating: "A", count: 43))
            .replacing("FULL", with: String(repeating: "A", count: 64))
        return outcome { () throws(AgeError) in _ = try Header(readingFrom: Array(text.utf8)) }
    }
}

/// An identity that notes what it is asked to open.
private final class Recorder: Identity {
    private let identity: X25519Identity
    private let stanzas = Mutex<[Stanza]>([])

    init(_ identity: X25519Identity) { self.identity = identity }

    var tried: [Stanza] { stanzas.withLock { $0 } }

    func unwrap(_ stanza: Stanza) throws(AgeError) -> FileKey? {
        stanzas.withLock { $0.append(stanza) }
        return try identity.unwrap(stanza)
    }
}

/// Bytes that count how many of them are read.
private final class Counting: ByteSource {
    private let bytes: [UInt8]
    let read = Atomic(0)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var byteCount: Int { bytes.count }

    func read(into output: inout MutableSpan<UInt8>, at offset: Int) throws(AgeError) {
        read.add(output.count, ordering: .relaxed)
        try bytes.read(into: &output, at: offset)
    }
}
