public import VaultFile
internal import Age
internal import Sodium

/// Identities that came from one place, and what was said beside them.
public struct IdentityOrigin: Sendable, CustomStringConvertible {
    /// The place, for messages: the path of a file, or the name of a variable.
    public var name: String
    /// Whether they are with the agent.
    public private(set) var isHeld = false
    /// The hash of the file where that is encrypted, so that the same file is known again without its passphrase.
    public var fileHash: [UInt8]?
    /// The pin that stood behind a key.
    public var pin: Pin?
    /// The vaults that comments named.
    public var vaultIDs: [VaultID] = []
    /// In their order.
    public var identities: [any MemberIdentity] = []

    /// The place as a message calls it: what the agent holds came from there in another process.
    public var description: String { isHeld ? "the agent, which has it from \(name)" : name }

    /// A place without identities.
    public init(name: String, fileHash: [UInt8]? = nil) {
        self.name = name
        self.fileHash = fileHash
    }

    /// What ``fileHash`` is of a file of these bytes.
    public static func hash(_ file: Span<UInt8>) -> [UInt8] {
        BLAKE2b.hash(file, personalization: "vault/v1 idfile")
    }
}

extension IdentityOrigin {
    /// The same, as an agent holds it.
    func held() -> IdentityOrigin {
        var held = self
        held.isHeld = true
        return held
    }

    /// Appends everything but the identities.
    func append(to message: inout MessageWriter) {
        message.append(name)
        let hash = fileHash ?? []
        message.append(hash.span)
        message.append(pin?.description ?? "")
        message.append(vaultIDs.count)
        for id in vaultIDs { message.append(id.description) }
    }

    /// Reads everything but the identities.
    init?(from message: inout MessageReader) {
        guard let name = message.text(), let hash = message.publicBytes(), let pin = message.text(),
            let count = message.count()
        else { return nil }
        self.init(name: name, fileHash: hash.isEmpty ? nil : hash)
        if !pin.isEmpty {
            guard let pin = Pin(pin) else { return nil }
            self.pin = pin
        }
        for _ in 0..<count {
            guard let id = message.text().flatMap({ VaultID($0) }) else { return nil }
            vaultIDs.append(id)
        }
    }
}
