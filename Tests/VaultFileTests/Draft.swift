import Age
import Sodium

@testable import VaultFile

/// A vault put together part by part, any of which may be wrong; what comes after a part is made over it.
struct Draft {
    var owner = X25519Identity()
    var nonce = [UInt8](repeating: 7, count: 16)
    var version = 1
    var generation = 1
    var previous: [Hash] = []
    var written = "2026-11-23T20:00:00Z"
    /// The members behind the owner.
    var others: [Member] = []
    /// The records of each block.
    var blocks: [[String]] = []
    /// Who signs the manifest, where that is not the owner.
    var writer: X25519Identity?

    var root: VerificationKey { SigningKey(of: owner).verificationKey }
    var id: VaultID { VaultID(root: root, nonce: nonce) }

    var members: [Member] {
        [Member(role: .owner, recipient: owner.recipient, key: root, label: "owner")] + others
    }

    var roster: Signed {
        var text = "vault/v1 roster\nvault \(id)\nnonce \(Hash.encodeBase64(nonce))\nroot \(root)\nversion \(version)\n"
        for member in members {
            text += "member \(member.role) \(member.recipient) \(member.key.map { "\($0)" } ?? "-") \(member.label)\n"
        }
        return SigningKey(of: owner).sign(text)
    }

    var index: BlockIndex {
        BlockIndex(
            entries: blocks.compactMap { records in
                guard let name = records.first.flatMap({ RecordName($0.dropFirst(9).prefix { $0 != "\"" }) }) else {
                    return nil
                }
                return .init(first: name, hash: Hash.block(Self.block(records).span))
            })
    }

    var manifest: Signed {
        let manifest = Manifest(
            id: id, roster: Hash.roster(roster.text), generation: generation, previous: previous,
            index: Hash.index(index.line.span), written: written)
        return SigningKey(of: writer ?? owner).sign(manifest.text)
    }

    /// What the age file holds.
    var plaintext: [UInt8] {
        blocks.flatMap(Self.block) + Tail(index: index, roster: roster, manifest: manifest).bytes
    }

    var file: [UInt8] { file(of: plaintext) }

    /// `plaintext` encrypted to the members, which everybody can do who knows them.
    func file(of plaintext: [UInt8]) -> [UInt8] { AgeFile.encrypt(plaintext.span, to: members.map(\.recipient)) }

    /// What to remember of this version.
    var state: Ratchet.State { state(stanza: 0) }

    func state(stanza: Int) -> Ratchet.State {
        Ratchet.State(
            rosterVersion: version, roster: Hash.roster(roster.text), generation: generation,
            manifest: Hash.manifest(manifest.text), stanza: stanza)
    }

    static func block(_ records: [String]) -> [UInt8] {
        let lines = Array(records.joined(separator: "\n").utf8)
        return lines + [UInt8](repeating: UInt8(ascii: " "), count: max(Block.size - 1 - lines.count, 0))
            + [UInt8(ascii: "\n")]
    }
}

extension Member {
    /// A member with the recipient and, unless a reader, the key of `identity`.
    init(_ role: Role, _ identity: X25519Identity, label: String? = nil) {
        self.init(
            role: role, recipient: identity.recipient,
            key: role == .reader ? nil : SigningKey(of: identity).verificationKey, label: label ?? role.rawValue)
    }
}
