import Age
import Sodium

@testable import UnlockAgent

extension FuzzTarget {
    /// What clients say to an agent: messages, each behind two bytes with its size.
    static let agent = FuzzTarget(name: "agent", maximumSize: 8192) { bytes in
        let secret = Known.identity.encoded().withBytes { $0.publicCopy }
        var held = HeldIdentities()
        var hold = MessageWriter(.hold)
        hold.append(60)
        hold.append(1)
        IdentityOrigin(name: "place").append(to: &hold)
        hold.append(1)
        hold.append(secret.span)
        _ = try answer(hold.withBytes { $0.publicCopy }, by: &held)
        // Who asks and knows the key already can have it back.
        let isKnown = bytes.firstRange(of: secret.suffix(40)) != nil
        var rest = bytes[...]
        while rest.count >= 2, let high = rest.popFirst(), let low = rest.popFirst() {
            let message = Array(rest.prefix(Int(high) << 8 | Int(low)))
            rest = rest.dropFirst(message.count)
            if message.isEmpty { continue }
            guard let reply = try answer(message, by: &held) else { continue }
            try FuzzTests.hold(isKnown || reply.firstRange(of: secret.suffix(40)) == nil, "the agent gives a key away")
        }
        try origin(bytes)
    }

    /// The reply to a message, and what it says.
    private static func answer(_ message: [UInt8], by held: inout HeldIdentities) throws -> [UInt8]? {
        guard let answer = held.answer(MessageReader(SecretBytes(copying: message.span)), now: 1000) else { return nil }
        if case .held(let seconds) = answer.effect { try FuzzTests.hold(seconds > 0, "held for no time") }
        let reply = answer.reply.withBytes { $0.publicCopy }
        var reader = MessageReader(SecretBytes(copying: reply.span))
        try FuzzTests.hold(reader.reply() != nil, "a reply that is none")
        return reply
    }

    /// What both ends read of a place.
    private static func origin(_ bytes: [UInt8]) throws {
        guard !bytes.isEmpty else { return }
        var reader = MessageReader(SecretBytes(copying: bytes.span))
        guard let origin = IdentityOrigin(from: &reader) else { return }
        var message = MessageWriter(.hold)
        origin.append(to: &message)
        // Without the byte that says what kind of a message it is.
        let written = message.withBytes { $0.extracting(droppingFirst: 1).publicCopy }
        var again = MessageReader(SecretBytes(copying: written.span))
        let read = try FuzzTests.held(IdentityOrigin(from: &again), "a place that is not read again")
        try FuzzTests.hold(again.isAtEnd, "a place with something behind it")
        try FuzzTests.hold(
            read.name == origin.name && read.fileHash == origin.fileHash && read.pin == origin.pin
                && read.vaultIDs == origin.vaultIDs, "a place that is another one when written")
    }
}
