internal import Glibc
internal import Sodium
public import SystemPackage
public import VaultFile

/// What this machine knows of a vault's store from the last time: a folder for each vault, in which `state` says what
/// store and vault last had in common, and `base.age` is that version.
///
/// All of it can be lost: then more is read than would have been needed, and a merge knows of no version before.
public struct RemoteState: Sendable {
    /// What is known.
    public struct Memory: Sendable {
        /// When the store last answered.
        public var checked: Timestamp
        /// What store and vault last had in common; nil when that is nothing.
        public var common: Common?
    }

    /// A version that both had.
    public struct Common: Sendable {
        /// The store's name for it.
        public let tag: String
        /// The hash of its manifest, as `VaultVersion.manifest` has it.
        public let manifest: String
        /// The file, if it is there.
        let base: OpenedFile?
    }

    private let folder: FilePath?
    private let url: String

    /// What is known of a store.
    ///
    /// - Parameters:
    ///   - parent: The folder with those of all vaults, which need not exist; nil where nothing is remembered.
    ///   - vault: The vault.
    ///   - url: The store. What is known of another one is void.
    public init(in parent: FilePath?, vault: FilePath, url: String) {
        let place = KnownVaults.place(of: vault).bytes
        let hash = BLAKE2b.hash(place.span, personalization: "vault/v1 remote").prefix(16)
        let name = hash.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        folder = parent?.appending(name)
        self.url = url
    }

    private var file: FilePath? { folder?.appending("state") }
    private static let baseName = "base.age"

    /// What is known; nil when it is nothing.
    public func load() -> Memory? {
        guard let folder, let file, DurableFile.status(of: file) != nil else { return nil }
        func read() -> Memory? {
            guard let text = try? SmallFile.read(file) else { return nil }
            return Self.parse(
                String(decoding: text, as: UTF8.self), url, OpenedFile(reading: folder.appending(Self.baseName)))
        }
        // In a folder that cannot be written nobody else writes.
        return (try? VaultLock.hold(file, patience: Self.patience) { read() }) ?? read()
    }

    /// Remembers it. A folder that cannot be written is no failure.
    func save(_ memory: Memory) {
        guard let folder, let file else { return }
        var text = "vault/v1 remote\nurl \(url)\nchecked \(memory.checked)\n"
        // A tag is the store's word.
        if let common = memory.common, !common.tag.utf8.contains(UInt8(ascii: "\n")) {
            text += "tag \(common.tag)\nmanifest \(common.manifest)\n"
        }
        try? DurableFile.createFolder(folder)
        try? VaultLock.hold(file, patience: Self.patience) {
            DurableFile.removeRemains(of: file)
            try memory.common?.base?.keep(as: folder.appending(Self.baseName))
            try DurableFile.write(file, adopting: true) { (descriptor) throws(VaultError) in
                try DurableFile.write(Array(text.utf8).span, to: descriptor, at: file)
            }
        }
    }

    /// How long others who do the same are waited for, in seconds.
    private static let patience = 2

    private static func parse(_ text: String, _ url: String, _ base: OpenedFile?) -> Memory? {
        var lines = TextLines(text)
        guard lines.take("vault/v1 remote"), lines.value("url")?.utf8.elementsEqual(url.utf8) ?? false,
            let checked = lines.value("checked").flatMap({ Timestamp($0) })
        else { return nil }
        if lines.isAtEnd { return Memory(checked: checked, common: nil) }
        guard let tag = lines.value("tag"), let manifest = lines.value("manifest"), lines.isAtEnd else { return nil }
        return Memory(checked: checked, common: Common(tag: String(tag), manifest: String(manifest), base: base))
    }
}
