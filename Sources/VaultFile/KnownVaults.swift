internal import Glibc
public import SystemPackage

/// The vaults that a user trusts, by their place: the file `known_vaults`, one a line, like ssh's `known_hosts`.
public struct KnownVaults: Sendable {
    /// One line: `vault1…[:N] plain|git /path`.
    public struct Entry: Sendable, Equatable {
        /// The vault that is trusted at the path.
        public var pin: Pin
        /// Whether the vault lies in a git work tree, so that its history is git's.
        public var followsGit: Bool
        /// The real path of the folder, and the file's name.
        public var path: FilePath

        /// An entry.
        public init(pin: Pin, followsGit: Bool, path: FilePath) {
            self.pin = pin
            self.followsGit = followsGit
            self.path = path
        }
    }

    private let file: FilePath?

    /// The known vaults of `file`, which need not exist; none where there is no place for such a file.
    public init(file: FilePath?) { self.file = file }

    /// What is known of the vault at `path`.
    public func entry(for path: FilePath) throws(VaultError) -> Entry? {
        let place = Self.place(of: path)
        // What may not be read says nothing: then a pin is needed from elsewhere.
        return try entries(unreadableIsNone: true).first { $0.path == place }
    }

    /// The first path at which a vault is trusted; nil when it is at none.
    public func place(of id: VaultID) throws(VaultError) -> FilePath? {
        try entries(unreadableIsNone: true).first { $0.pin.id == id }?.path
    }

    /// Writes down an entry, in the place of the one with the same path if there is one.
    public func record(_ entry: Entry) throws {
        guard let known = file else { throw VaultError.notAllowed("there is no home folder to write it down in") }
        guard !entry.path.bytes.contains(UInt8(ascii: "\n")) else {
            throw VaultError.notAllowed("a vault whose path has a line break cannot be written down in \(known)")
        }
        guard entry.path.isAbsolute else {
            throw VaultError.notAllowed("a vault is written down by its whole path, which \"\(entry.path)\" is not")
        }
        try DurableFile.createFolder(known.removingLastComponent())
        let file = try DurableFile.target(of: known, for: .writing)
        try VaultLock.hold(file) {
            DurableFile.removeRemains(of: file)
            _ = try entries()
            // Line by line, so that comments stay.
            let newline = UInt8(ascii: "\n")
            var lines = (try SmallFile.read(file) ?? []).split(separator: newline, omittingEmptySubsequences: false)
            if lines.last?.isEmpty ?? false { lines.removeLast() }
            lines.removeAll { Self.entry($0)?.path == entry.path }
            lines.append(Array("\(entry.pin) \(entry.followsGit ? "git" : "plain") ".utf8)[...] + entry.path.bytes)
            let text = lines.joined(separator: [newline]) + [newline]
            try DurableFile.write(file, adopting: true) { (descriptor) throws(VaultError) in
                try DurableFile.write(text.span, to: descriptor, at: file)
            }
        }
    }

    /// The path by which the vault at `path` is known: the real path of its folder, and its name.
    public static func place(of path: FilePath) -> FilePath {
        // By bytes, since the collections behind FilePath's components take longer to set up than the system to answer.
        let slash = UInt8(ascii: "/")
        let bytes = path.bytes
        let nameStart = bytes.lastIndex(of: slash).map { $0 + 1 } ?? 0
        let folder = nameStart == 0 ? "." : FilePath(bytes: bytes[..<nameStart])
        guard nameStart < bytes.count, let real = DurableFile.realPath(folder) else { return path }
        return FilePath(bytes: real.bytes + [slash] + bytes[nameStart...])
    }

    /// Whether the folder of `path`, or one above it, is a git work tree of this user. Somebody else's says nothing: that
    /// would be a way to have older versions accepted.
    public static func isInGitWorkTree(_ path: FilePath) -> Bool {
        var folder = place(of: path).removingLastComponent()
        while !folder.isEmpty {
            if isGitWorkTree(folder) { return true }
            guard folder.removeLastComponent() else { break }
        }
        return false
    }

    private static func isGitWorkTree(_ folder: FilePath) -> Bool {
        // Not through a link, which can be led to something of this user.
        func own(_ path: FilePath) -> stat? {
            var status = stat()
            guard unsafe path.withPlatformString({ unsafe lstat($0, &status) }) == 0, status.st_uid == geteuid() else {
                return nil
            }
            return status
        }
        let git = folder.appending(".git")
        guard let status = own(folder), !isWritableByOthers(status), let type = own(git)?.st_mode else { return false }
        switch type & S_IFMT {
        case S_IFDIR: return own(git.appending("HEAD")) != nil
        // In a linked work tree, or a submodule.
        case S_IFREG:
            guard let text = try? SmallFile.read(git) else { return false }
            return text.starts(with: "gitdir: ".utf8)
        default: return false
        }
    }

    /// Whether somebody else can put something into a folder.
    private static func isWritableByOthers(_ folder: stat) -> Bool {
        folder.st_mode & S_IWOTH != 0 || DurableFile.isWritableByGroup(folder)
    }

    private func entries(unreadableIsNone: Bool = false) throws(VaultError) -> [Entry] {
        guard let file, let bytes = try SmallFile.read(file, unreadableIsNone: unreadableIsNone) else { return [] }
        var entries: [Entry] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            guard let entry = Self.entry(line) else {
                throw .setting(
                    file: file.string, line: index + 1, "a line is \"vault1… plain|git /path\", with the path last")
            }
            guard !entries.contains(where: { $0.path == entry.path }) else {
                throw .setting(file: file.string, line: index + 1, "the path stands on a line before")
            }
            entries.append(entry)
        }
        return entries
    }

    /// By bytes, which need not be text.
    private static func entry(_ line: ArraySlice<UInt8>) -> Entry? {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3, let pin = Pin(String(decoding: words[0], as: UTF8.self)),
            words[2].first == UInt8(ascii: "/"), !words[2].contains(0)
        else { return nil }
        let isGit = words[1].elementsEqual("git".utf8)
        guard isGit || words[1].elementsEqual("plain".utf8) else { return nil }
        return Entry(pin: pin, followsGit: isGit, path: FilePath(bytes: words[2]))
    }
}
