internal import Age
internal import Sodium
internal import VaultFile

/// What an agent holds, and what it does with it.
struct HeldIdentities {
    /// Without their identities, which stand beside them.
    private var origins: [(origin: IdentityOrigin, identities: [Held])] = []

    /// An identity with what is derived from it, since that is asked for much more often than it changes.
    private struct Held {
        let identity: X25519Identity
        let verificationKey: VerificationKey

        init(_ identity: X25519Identity) {
            self.identity = identity
            verificationKey = identity.verificationKey
        }
    }

    /// When they are to be forgotten, in seconds since 1970.
    private var until = 0

    /// What becomes of a request.
    struct Answer: ~Copyable {
        enum Effect {
            case none
            /// There are new identities, to be forgotten after so many seconds.
            case held(seconds: Int)
            case locked
        }

        let reply: MessageWriter
        var effect = Effect.none
    }

    /// Does what a request asks for, which may be anybody's rubbish.
    ///
    /// - Parameters:
    ///   - request: The message.
    ///   - now: The time, in seconds since 1970.
    /// - Returns: The answer; nil when the request makes no sense.
    mutating func answer(_ request: consuming MessageReader, now: Int) -> Answer? {
        var request = request
        guard let kind = request.request() else { return nil }
        switch kind {
        case .status: return request.isAtEnd ? Answer(reply: status()) : nil
        case .hold: return hold(&request, now: now)
        case .unwrap: return unwrap(&request)
        case .sign: return sign(&request)
        case .lock: return request.isAtEnd ? Answer(reply: MessageWriter(.done), effect: .locked) : nil
        }
    }

    private func status() -> MessageWriter {
        var reply = MessageWriter(.done)
        reply.append(Message.version)
        reply.append(until)
        reply.append(origins.count)
        for (origin, identities) in origins {
            origin.append(to: &reply)
            reply.append(identities.count)
            for held in identities {
                reply.append(held.identity.recipient.description)
                reply.append(held.verificationKey.description)
            }
        }
        return reply
    }

    private mutating func hold(_ request: inout MessageReader, now: Int) -> Answer? {
        guard let seconds = request.number(), seconds > 0, let count = request.count() else { return nil }
        var origins: [(IdentityOrigin, [Held])] = []
        for _ in 0..<count {
            guard let origin = IdentityOrigin(from: &request), let identityCount = request.count() else { return nil }
            var identities: [Held] = []
            for _ in 0..<identityCount {
                guard let identity = request.withField({ X25519Identity(parsing: $0) }) else { return nil }
                identities.append(Held(identity))
            }
            origins.append((origin, identities))
        }
        let (until, isEndless) = now.addingReportingOverflow(seconds)
        guard request.isAtEnd, !isEndless else { return nil }
        self.origins = origins
        self.until = until
        var reply = MessageWriter(.done)
        reply.append(SecretMemory.isLocked ? 1 : 0)
        return Answer(reply: reply, effect: .held(seconds: seconds))
    }

    private func unwrap(_ request: inout MessageReader) -> Answer? {
        guard let name = request.text(), let count = request.count(), count <= Header.maximumStanzas else {
            return nil
        }
        var stanzas: [Stanza] = []
        for _ in 0..<count {
            guard let argumentCount = request.count() else { return nil }
            var arguments: [[UInt8]] = []
            for _ in 0..<argumentCount {
                guard let argument = request.publicBytes() else { return nil }
                arguments.append(argument)
            }
            guard let body = request.publicBytes() else { return nil }
            stanzas.append(Stanza(type: X25519Identity.stanzaType, arguments: arguments, body: body))
        }
        guard request.isAtEnd else { return nil }
        guard let identity = identity(name) else { return Answer(reply: MessageWriter(.refused)) }
        do throws(AgeError) {
            guard let found = try identity.unwrap(firstOf: stanzas) else {
                return Answer(reply: MessageWriter(.noMatch))
            }
            var reply = MessageWriter(.done)
            reply.append(found.stanza)
            found.fileKey.withBytes { reply.append($0) }
            return Answer(reply: reply)
        } catch {
            guard case .header(let reason) = error else { return Answer(reply: MessageWriter(.refused)) }
            var reply = MessageWriter(.malformedStanza)
            reply.append(reason)
            return Answer(reply: reply)
        }
    }

    /// Signs a roster or a manifest, and nothing else: a signature is good for nothing but a vault.
    private func sign(_ request: inout MessageReader) -> Answer? {
        guard let name = request.text(), let text = request.text(), request.isAtEnd else { return nil }
        guard let identity = identity(name), VaultText.isWellFormed(text),
            let signature = try? identity.signature(for: text)
        else {
            return Answer(reply: MessageWriter(.refused))
        }
        var reply = MessageWriter(.done)
        reply.append(signature.span)
        return Answer(reply: reply)
    }

    /// The identity that a client names by its verification key: there may be others by now than when it asked.
    private func identity(_ name: String) -> X25519Identity? {
        for (_, identities) in origins {
            for held in identities where held.verificationKey.description == name { return held.identity }
        }
        return nil
    }
}
