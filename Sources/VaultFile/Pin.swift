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
        // By bytes, as everything on the way of exec: Characters take longer to find than an id to be read.
        let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        guard let id = VaultID(text[..<(colon ?? text.endIndex)]) else { return nil }
        var version = 1
        if let colon {
            guard let number = Number.parse(text[text.utf8.index(after: colon)...]) else { return nil }
            version = number
        }
        self.init(id: id, minimumRosterVersion: version)
    }

    /// `vault1…` or `vault1…:N`.
    public var description: String { minimumRosterVersion == 1 ? "\(id)" : "\(id):\(minimumRosterVersion)" }
}
