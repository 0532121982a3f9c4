public import Age

/// What a member may do.
public enum Role: String, Sendable {
    /// Everything, and alone the changing of the roster. There is exactly one.
    case owner
    /// Read, and change records.
    case writer
    /// Read.
    case reader
}

/// Somebody who can open the vault.
public struct Member: Hashable, Sendable {
    /// What the member may do.
    public let role: Role
    /// What the vault is encrypted to.
    public let recipient: X25519Recipient
    /// What the member's manifests are verified with; readers may have none.
    public let key: VerificationKey?
    /// A name for people, unique in the roster.
    public let label: String

    /// A member; ``Vault/updateMembers(_:)`` checks whether it makes sense among others.
    public init(role: Role, recipient: X25519Recipient, key: VerificationKey?, label: String) {
        self.role = role
        self.recipient = recipient
        self.key = key
        self.label = label
    }

    /// Whether `text` can be a label.
    public static func isLabel(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 64, first.isAlphanumeric else { return false }
        return text.utf8.allSatisfy { $0.isAlphanumeric || [46, 95, 45].contains($0) }
    }
}

/// Who may open the vault and who may write it, as the owner signed it.
struct Roster: Sendable, Equatable {
    /// The vault's id, which root and nonce prove.
    let id: VaultID
    let nonce: [UInt8]
    /// The key of the owner.
    let root: VerificationKey
    /// 1 at first, one more with each change.
    let version: Int
    /// In the order of the file's stanzas.
    let members: [Member]

    /// 16 bytes.
    static let nonceSize = 16
    /// 1,024 members, as many as a header has stanzas.
    static let maximumCount = Header.maximumStanzas

    /// A roster of these members, or nil when they break a rule: one owner, with the root's key; keys where they are
    /// needed; nothing twice; labels that are labels; at most 1,024.
    init?(nonce: [UInt8], root: VerificationKey, version: Int, members: [Member]) {
        let keys = members.compactMap(\.key)
        guard nonce.count == Self.nonceSize, (1...Number.maximum).contains(version),
            members.count <= Self.maximumCount,
            members.filter({ $0.role == .owner }).map(\.key) == [root],
            members.allSatisfy({ $0.role == .reader || $0.key != nil }),
            members.allSatisfy({ Member.isLabel($0.label) }),
            members.map(\.recipient).areUnique,
            keys.areUnique,
            members.map(\.label).areUnique
        else { return nil }
        id = VaultID(root: root, nonce: nonce)
        self.nonce = nonce
        self.root = root
        self.version = version
        self.members = members
    }

    /// The roster that `text` is, or nil when it is none.
    init?(text: String) {
        var lines = TextLines(text)
        guard lines.take("vault/v1 roster"),
            let id = lines.value("vault").flatMap({ VaultID($0) }),
            let nonce = lines.value("nonce").flatMap({ Hash.decodeBase64($0) }),
            let root = lines.value("root").flatMap({ VerificationKey($0) }),
            let version = lines.value("version").flatMap({ Number.parse($0) })
        else { return nil }
        var members: [Member] = []
        while !lines.isAtEnd {
            guard let line = lines.value("member"), let member = Member(line) else { return nil }
            members.append(member)
        }
        self.init(nonce: nonce, root: root, version: version, members: members)
        guard self.id == id else { return nil }
    }

    var text: String {
        """
        vault/v1 roster
        vault \(id)
        nonce \(Hash.encodeBase64(nonce))
        root \(root)
        version \(version)

        """
            + members.map { "member \($0.role.rawValue) \($0.recipient) \($0.key?.description ?? "-") \($0.label)\n" }
            .joined()
    }

    /// Whether the key's owner may sign manifests.
    func mayWrite(_ key: VerificationKey) -> Bool { members.contains { $0.key == key && $0.role != .reader } }
}

extension Member {
    /// The member of a roster's line, behind the word `member`.
    fileprivate init?(_ line: Substring) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 4, let role = Role(rawValue: String(words[0])),
            let recipient = X25519Recipient(unchecked: String(words[1]))
        else { return nil }
        var key: VerificationKey?
        if words[2] != "-" {
            guard let parsed = VerificationKey(words[2]) else { return nil }
            key = parsed
        }
        self.init(role: role, recipient: recipient, key: key, label: String(words[3]))
    }
}

extension UInt8 {
    var isAlphanumeric: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }
}
