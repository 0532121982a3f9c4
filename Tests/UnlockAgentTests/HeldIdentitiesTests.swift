import Age
import Sodium
import Testing
import VaultFile

@testable import UnlockAgent

@Suite struct HeldIdentitiesTests {
    private let identity = X25519Identity()
    private let other = X25519Identity()

    /// Keys that hold both identities, from two places.
    private func held() throws -> HeldIdentities {
        var keys = HeldIdentities()
        #expect(try ask(holding([identity], [other]), &keys, now: 1000)?.kind() == .done)
        return keys
    }

    private func holding(_ places: [X25519Identity]..., seconds: Int = 60) throws -> [UInt8] {
        var request = MessageWriter(.hold)
        request.append(seconds)
        request.append(places.count)
        for (number, identities) in places.enumerated() {
            var source = IdentityOrigin(name: "place \(number)", fileHash: [UInt8(number)])
            source.pin = number == 0 ? Pin("\(try id()):7") : nil
            source.vaultIDs = number == 1 ? [try id()] : []
            source.append(to: &request)
            request.append(identities.count)
            for identity in identities { identity.encoded().withBytes { request.append($0) } }
        }
        return request.bytes
    }

    private func id() throws -> VaultID {
        try #require(VaultID(Bech32.encode([UInt8](repeating: 7, count: 32).span, prefix: "vault")))
    }

    private func unwrapping(_ stanzas: [Stanza], by identity: X25519Identity) -> [UInt8] {
        var request = MessageWriter(.unwrap)
        request.append(identity.verificationKey.description)
        request.append(stanzas.count)
        for stanza in stanzas {
            request.append(stanza.arguments.count)
            for argument in stanza.arguments { request.append(argument.span) }
            request.append(stanza.body.span)
        }
        return request.bytes
    }

    private func signing(_ text: String, by identity: X25519Identity) -> [UInt8] {
        var request = MessageWriter(.sign)
        request.append(identity.verificationKey.description)
        request.append(text)
        return request.bytes
    }

    @Test func statusSaysEverythingButTheKeys() throws {
        var keys = try held()
        let reply = try #require(ask(MessageWriter(.status).bytes, &keys, now: 1001))
        #expect(reply.kind() == .done)
        #expect(reply.number() == Message.version)
        #expect(reply.number() == 1060)
        #expect(reply.number() == 2)
        for (number, identity) in [identity, other].enumerated() {
            let source = try #require(reply.source())
            #expect(source.name == "place \(number)" && source.fileHash == [UInt8(number)])
            #expect(source.pin == (number == 0 ? Pin("\(try id()):7") : nil))
            #expect(source.vaultIDs == (number == 1 ? [try id()] : []))
            #expect(reply.number() == 1)
            #expect(reply.text() == identity.recipient.description)
            #expect(reply.text() == identity.verificationKey.description)
        }
        #expect(reply.isAtEnd)
    }

    @Test func aStanzaIsUnwrappedByTheKeyOfThatNumber() throws {
        var keys = try held()
        let fileKey = FileKey()
        let stanzas = [identity.recipient.wrap(fileKey), other.recipient.wrap(fileKey)]
        for (identity, stanza) in [(identity, 0), (other, 1)] {
            let reply = try #require(ask(unwrapping(stanzas, by: identity), &keys, now: 0))
            #expect(reply.kind() == .done)
            #expect(reply.number() == stanza)
            #expect(reply.bytes() == fileKey.withBytes { $0.publicCopy })
        }
        var reply = try #require(ask(unwrapping([stanzas[1]], by: identity), &keys, now: 0))
        #expect(reply.kind() == .noMatch)
        reply = try #require(ask(unwrapping(stanzas, by: X25519Identity()), &keys, now: 0))
        #expect(reply.kind() == .refused)
        let malformed = Stanza(type: "X25519", arguments: [[65]], body: [1])
        reply = try #require(ask(unwrapping([malformed], by: identity), &keys, now: 0))
        #expect(reply.kind() == .malformedStanza)
    }

    @Test func onlyRostersAndManifestsAreSigned() throws {
        var keys = try held()
        let manifest = """
            vault/v1 manifest
            vault \(try id())
            roster AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
            generation 1
            previous -
            index AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
            written 2026-11-25T00:00:00Z

            """
        var reply = try #require(ask(signing(manifest, by: other), &keys, now: 0))
        #expect(reply.kind() == .done)
        let signature = try #require(reply.bytes())
        #expect(try signature == other.signature(for: manifest))
        for text in ["", "vault/v1 manifest\n", manifest + "\n", manifest + " ", "ssh login", " " + manifest] {
            reply = try #require(ask(signing(text, by: other), &keys, now: 0))
            #expect(reply.kind() == .refused, "\(text)")
        }
        reply = try #require(ask(signing(manifest, by: X25519Identity()), &keys, now: 0))
        #expect(reply.kind() == .refused)
    }

    @Test func newKeysTakeThePlaceOfTheOld() throws {
        var keys = try held()
        _ = try ask(holding([other], seconds: 5), &keys, now: 2000)
        let reply = try #require(ask(MessageWriter(.status).bytes, &keys, now: 2000))
        #expect(reply.kind() == .done)
        #expect(reply.number() == Message.version)
        #expect(reply.number() == 2005)
        #expect(reply.number() == 1)
    }

    @Test(arguments: [0, -1, Int.max])
    func aTimeThatIsNoneIsRefused(_ seconds: Int) throws {
        var keys = HeldIdentities()
        #expect(try ask(holding([identity], seconds: seconds), &keys, now: 1000) == nil)
    }

    @Test func whatMakesNoSenseChangesNothing() throws {
        var keys = try held()
        let fileKey = FileKey()
        let requests = [
            try holding([identity]), MessageWriter(.status).bytes, MessageWriter(.lock).bytes,
            unwrapping([identity.recipient.wrap(fileKey)], by: identity), signing("text", by: identity),
        ]
        var random = SplitMix(state: 1)
        var understood = 0
        let status = ask(MessageWriter(.status).bytes, &keys)?.whole
        for request in requests {
            // Cut, or longer than it says.
            for count in 0..<request.count { #expect(ask(Array(request[..<count]), &keys) == nil) }
            #expect(ask(request + [0], &keys) == nil)
            for _ in 0..<2000 {
                var changed = request
                for _ in 0...Int.random(in: 0...2, using: &random) {
                    changed[Int.random(in: 0..<changed.count, using: &random)] = .random(in: 0...255, using: &random)
                }
                var copy = keys
                if ask(changed, &copy) != nil {
                    understood += 1
                } else {
                    #expect(ask(MessageWriter(.status).bytes, &copy)?.whole == status)
                }
            }
        }
        #expect(understood > 0)
    }

    @Test func numbersOfFieldsAreLimitedByTheirBytes() {
        var keys = HeldIdentities()
        for number in [Int.max, 1 << 40, -1] {
            var request = MessageWriter(.hold)
            request.append(60)
            request.append(number)
            let bytes = request.bytes
            #expect(ask(bytes, &keys) == nil)
        }
    }
}

/// What is said to keys in `bytes`, and their answer; nil when it makes no sense to them.
private func ask(_ bytes: [UInt8], _ keys: inout HeldIdentities, now: Int = 0) -> Answer? {
    let request = MessageReader(SecretBytes(copying: bytes.span))
    guard let answer = keys.answer(request, now: now) else { return nil }
    return Answer(answer.reply.bytes)
}

/// An answer, taken apart.
private final class Answer {
    /// The whole of it.
    let whole: [UInt8]
    private var message: MessageReader

    init(_ bytes: [UInt8]) {
        whole = bytes
        message = MessageReader(SecretBytes(copying: bytes.span))
    }

    var isAtEnd: Bool { message.isAtEnd }
    func kind() -> Reply? { message.reply() }
    func number() -> Int? { message.number() }
    func text() -> String? { message.text() }
    func bytes() -> [UInt8]? { message.publicBytes() }
    func source() -> IdentityOrigin? { IdentityOrigin(from: &message) }
}

extension MessageWriter {
    /// The message as it arrives.
    fileprivate var bytes: [UInt8] { withBytes { $0.publicCopy } }
}

/// A small generator whose numbers are the same each time.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
