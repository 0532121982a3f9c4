/// An id that a reader trusts, and the roster version below which the reader refuses: `vault1…` or `vault1…:N`.
public struct Pin: Hashable, Sendable, CustomStringConvertible {
    /// The vault.
    public let id: VaultID
    /// 1, or the version behind the colon.
    public let minimumRosterVersion: Int

    /// A pin on `id`.
    public init(id: VaultID, minimumRosterVersion: Int = 1) {
        self.id = id
        self.minimumRosterVersion = minimumRosterVersion
    }

    /// The pin that `text` stands for, or nil when it stands for none.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let id = VaultID(parts[0]) else { return nil }
        var version = 1
        if parts.count == 2 {
            guard let number = Number.parse(parts[1]) else { return nil }
            version = number
        }
        self.init(id: id, minimumRosterVersion: version)
    }

    /// `vault1…` or `vault1…:N`.
    public var description: String { minimumRosterVersion == 1 ? "\(id)" : "\(id):\(minimumRosterVersion)" }
}
