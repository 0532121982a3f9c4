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
        /// When the store last answered; nil when it never did.
        public var checked: Timestamp?
        /// When it was last asked in vain; nil when it has answered since.
        public var failed: Timestamp?
        /// What store and vault last had in common; nil when that is nothing.
        public var common: Common?

        /// Whether the store had the version of that manifest when it last answered.
        public func isInStore(_ manifest: String) -> Bool { common?.tag != nil && common?.manifest == manifest }
    }

    /// A version that both had.
    public struct Common: Sendable {
        /// The store's name for it; nil where the store has nothing any more, or is another one than it was.
        public let tag: String?
        /// The hash of its manifest, as `VaultVersion.manifest` has it.
        public let manifest: String
        /// The file, if it is there.
        let base: OpenedFile?

        /// The same where the store is not known to have it.
        var withoutTag: Common { Common(tag: nil, manifest: manifest, base: base) }
    }

    private let folder: FilePath?
    private let url: String

    /// What is known of a store.
    ///
    /// - Parameters:
    ///   - parent: The folder with those of all vaults, which need not exist; nil where nothing is remembered.
    ///   - vault: The vault.
    ///   - url: The store. Of another one nothing but the version that it had in common with the vault counts.
    public init(in parent: FilePath?, vault: FilePath, url: String) {
        let place = KnownVaults.place(of: vault).bytes
        let hash = BLAKE2b.hash(place.span, personalization: "vault/v1 remote").prefix(16)
        folder = parent?.appending(Hexadecimal.encode(hash))
        self.url = url
    }

    private var file: FilePath? { folder?.appending("state") }
    private static let baseName = "base.age"

    /// What is known; nil when it is nothing.
    public func load() -> Memory? {
        guard let file, DurableFile.status(of: file) != nil else { return nil }
        // In a folder that cannot be written nobody else writes.
        return (try? VaultLock.hold(file, patience: Self.patience) { read() }) ?? read()
    }

    /// Remembers it. A folder that cannot be written is no failure.
    func save(_ memory: Memory) { update { $0 = memory } }

    /// Remembers that the store could not be reached now, until it answers. A folder that cannot be written is no failure.
    public func noteFailure() { update { $0.failed = .now } }

    private func read() -> Memory? {
        guard let folder, let file, let text = try? SmallFile.read(file) else { return nil }
        return Self.parse(
            String(decoding: text, as: UTF8.self), url, OpenedFile(reading: folder.appending(Self.baseName)))
    }

    private func update(_ body: (inout Memory) -> Void) {
        guard let folder, let file else { return }
        try? DurableFile.createFolder(folder)
        try? VaultLock.hold(file, patience: Self.patience) {
            var memory = read() ?? Memory()
            let before = memory.common
            body(&memory)
            let text = text(memory)
            DurableFile.removeRemains(of: file)
            let copy = folder.appending(Self.baseName)
            DurableFile.removeRemains(of: copy)
            if before?.base == nil || before?.manifest != memory.common?.manifest {
                try memory.common?.base?.keep(as: copy)
            }
            try DurableFile.write(file, adopting: true) { (descriptor) throws(VaultError) in
                try DurableFile.write(Array(text.utf8).span, to: descriptor, at: file)
            }
        }
    }

    /// How long others who do the same are waited for, in seconds.
    private static let patience = 2

    // MARK: - Text

    private func text(_ memory: Memory) -> String {
        // A tag is the store's word.
        let tag = memory.common?.tag.flatMap { $0.utf8.contains(UInt8(ascii: "\n")) ? nil : $0 }
        let lines = [
            ("url", url), ("checked", memory.checked?.description), ("failed", memory.failed?.description),
            ("tag", tag), ("manifest", memory.common?.manifest),
        ]
        return Self.heading + "\n" + lines.compactMap { name, value in value.map { "\(name) \($0)\n" } }.joined()
    }

    private static let heading = "vault/v1 remote"

    private static func parse(_ text: String, _ url: String, _ base: OpenedFile?) -> Memory? {
        var lines = TextLines(text)
        guard lines.take(heading), let found = lines.value("url") else { return nil }
        func valueIfThere(_ word: String) -> Substring? {
            var ahead = lines
            guard let value = ahead.value(word) else { return nil }
            lines = ahead
            return value
        }
        let (checked, failed) = (valueIfThere("checked"), valueIfThere("failed"))
        let (tag, manifest) = (valueIfThere("tag"), valueIfThere("manifest"))
        guard lines.isAtEnd else { return nil }
        let common = manifest.map { Common(tag: tag.map { String($0) }, manifest: String($0), base: base) }
        guard found.utf8.elementsEqual(url.utf8) else { return Memory(common: common?.withoutTag) }
        return Memory(
            checked: checked.flatMap { Timestamp($0) }, failed: failed.flatMap { Timestamp($0) }, common: common)
    }
}
