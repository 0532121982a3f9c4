package import Glibc
internal import Age
internal import Sodium
package import SystemPackage

/// Replacing a file so that, whatever happens, the old or the new one is there and whole.
package enum DurableFile {
    /// How the new file is made.
    package enum Making {
        /// With a name beside the old one. What is left of a writer that is killed is for who holds the lock to remove.
        case named
        /// Without a name until it is whole and checked, so that a writer that is killed leaves nothing behind. Where the
        /// file system has no such files, signals that would end the program wait instead; and what is left all the same
        /// is removed by the next one that writes the file like this.
        case unnamed
        /// Of a file without a name in the same folder, which becomes the new one itself: nobody else can write into it. It
        /// is like ``named`` where the file has a name, or cannot get one.
        case of(FilePath)
    }

    /// Writes a new file and puts it in the place of `path`.
    ///
    /// A failure before the new file is in place leaves the old one untouched and nothing else behind, unless it comes
    /// when the new file is moved there: then the old one has its second name already. A call that a signal interrupted
    /// is made again.
    ///
    /// - Parameters:
    ///   - path: Must not be a symbolic link.
    ///   - backup: Where the old file stays, if there is one.
    ///   - mode: The permissions of the new file.
    ///   - adopting: Whether the file belongs to the owner of its folder when root writes it.
    ///   - replacing: False refuses a file that is there already, without a moment in which it could come.
    ///   - making: How the new file is made.
    ///   - write: Writes the content, unless it is there already: see ``copy(_:to:at:)``.
    ///   - check: Gets a path that leads to the new file before it is put in place.
    /// - Throws: ``VaultError``, or what `write` or `check` throws.
    package static func write(
        _ path: FilePath, backup: FilePath? = nil, mode: FilePermissions = [.ownerReadWrite], adopting: Bool = false,
        replacing: Bool = true, making: Making = .named,
        _ write: (FileDescriptor) throws(VaultError) -> Void,
        check: (FilePath) throws(VaultError) -> Void = { _ in }
    ) throws(VaultError) {
        var temporary = sibling(of: path)
        var signals = HeldSignals()
        defer { signals.release() }
        do throws(VaultError) {
            var nameless: FileDescriptor?
            if case .unnamed = making {
                if replacing || status(of: path) == nil { removeAbandoned(of: path) }
                nameless = openUnnamed(in: path.folder)
                if let nameless {
                    // For when it gets a name.
                    _ = uninterrupted { flock(nameless.rawValue, LOCK_EX | LOCK_NB) }
                } else {
                    signals.hold()
                }
            }
            let descriptor = try attempt(replacing ? .writing : .creating, path) {
                try nameless ?? openNamed(&temporary, of: path, making)
            }
            // To the end: what tells others that this file is not abandoned. Nothing can be lost by closing it, since all
            // of it is on the disk by then.
            defer { try? descriptor.close() }
            if adopting { giveAway(descriptor.rawValue, likeFirstOf: [path.folder]) }
            try write(descriptor)
            try attempt(.writing, path) {
                // A mask can have taken more away than it should.
                try done(fchmod(descriptor.rawValue, mode.rawValue))
                try sync(descriptor)
            }
            if nameless != nil { signals.hold() }
            try check(nameless == nil ? temporary : way(to: descriptor))
            if let backup { try keep(path, as: backup) }
            if replacing {
                if nameless != nil {
                    try attempt(.writing, path) { try link(following: way(to: descriptor), as: temporary) }
                }
                try attempt(.replacing, path) { try move(temporary, to: path) }
            } else {
                // A link, unlike a rename, fails when the name is taken.
                do {
                    if nameless != nil {
                        try link(following: way(to: descriptor), as: path)
                    } else {
                        try link(temporary, as: path)
                    }
                } catch Errno.fileExists {
                    throw VaultError.exists(path.string)
                } catch {
                    try attempt(.creating, path) { throw error }
                }
                if nameless == nil { remove(temporary) }
            }
        } catch {
            remove(temporary)
            throw error
        }
        do throws(VaultError) {
            try sync(folder: path.folder)
        } catch {
            guard case .system(_, _, let number) = error else { throw error }
            throw .durabilityUnknown(path: path.string, errno: number)
        }
    }

    /// The file itself where `path` is a symbolic link.
    package static func target(of path: FilePath) -> FilePath {
        realPath(path) ?? path
    }

    /// The file itself where `path` is a symbolic link: that is what a write replaces, so that the link stays.
    ///
    /// - Throws: ``VaultError/system(operation:path:errno:)`` where the system cannot say what it is, rather than that
    ///   there is none.
    package static func target(of path: FilePath, for operation: VaultError.Operation) throws(VaultError) -> FilePath {
        if let real = realPath(path) { return real }
        // What cannot be followed cannot be read, and whoever writes to a path has read what is there before.
        if [ENOENT, ENOTDIR, EACCES, ELOOP].contains(errno) { return path }
        throw .system(operation: operation, path: path.string, errno: errno)
    }

    /// The path without links, as the system gives it: its bytes need not be text. Nil, with the reason in `errno`, where
    /// it leads to nothing.
    static func realPath(_ path: FilePath) -> FilePath? {
        // Not as what the closure returns: the type of that would have to be made when the program runs.
        var found: UnsafeMutablePointer<CChar>?
        _ = uninterrupted {
            unsafe path.withPlatformString { unsafe found = unsafe realpath($0, nil) }
            return unsafe found == nil ? -1 : 0
        }
        guard let real = unsafe found else { return nil }
        defer { unsafe free(real) }
        return unsafe FilePath(platformString: real)
    }

    /// Whether nothing is at a path, or nothing that this user can get to; not where the system could not say.
    package static func isOutOfReach(_ path: FilePath) -> Bool {
        uninterrupted { unsafe path.withPlatformString { unsafe access($0, F_OK) } } != 0
            && [ENOENT, ENOTDIR, EACCES].contains(errno)
    }

    /// What the system says of a file; nil, with the reason in `errno`, when it says nothing.
    package static func status(of path: FilePath) -> stat? {
        var status = stat()
        return uninterrupted({ unsafe path.withPlatformString { unsafe stat($0, &status) } }) == 0 ? status : nil
    }

    /// Whether the group can write a file, or put something into a folder. The group with the number of its only member,
    /// as many systems have one for each user, is nobody else.
    package static func isWritableByGroup(_ status: stat) -> Bool {
        let isOwnGroup = status.st_gid == getegid() && status.st_gid == status.st_uid
        return status.st_mode & S_IWGRP != 0 && !isOwnGroup
    }

    /// Gives what root has just made to whom the first of `models` that is there belongs to, so that root's work does
    /// not lock the owner out.
    package static func giveAway(_ descriptor: Int32, likeFirstOf models: [FilePath]) {
        guard geteuid() == 0 else { return }
        for model in models {
            guard let status = status(of: model) else { continue }
            giveAway(descriptor, like: status)
            return
        }
    }

    /// Gives what root has just made to whom something with this status belongs to.
    package static func giveAway(_ descriptor: Int32, like model: stat) {
        if geteuid() == 0, model.st_uid != 0 { _ = fchown(descriptor, model.st_uid, model.st_gid) }
    }

    /// Writes all of `bytes`.
    package static func write(_ bytes: Span<UInt8>, to descriptor: FileDescriptor, at path: FilePath) throws(VaultError)
    {
        let total = bytes.count
        try attempt(.writing, path) {
            try unsafe bytes.withUnsafeBytes { buffer in
                var written = 0
                while written < total {
                    written += try unsafe descriptor.write(UnsafeRawBufferPointer(rebasing: buffer[written...]))
                }
            }
        }
    }

    /// Writes all of another file, unless it is that file.
    package static func copy(_ source: FilePath, to descriptor: FileDescriptor, at path: FilePath) throws(VaultError) {
        let file: FileSource
        do throws(FileSource.Failure) { file = try FileSource(opening: source) } catch {
            throw .system(operation: .reading, path: source.string, errno: error.errno)
        }
        var output = stat()
        if let input = status(of: source), unsafe fstat(descriptor.rawValue, &output) == 0,
            (input.st_dev, input.st_ino) == (output.st_dev, output.st_ino)
        {
            return
        }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        for start in stride(from: 0, to: file.byteCount, by: buffer.count) {
            let count = min(buffer.count, file.byteCount - start)
            if count < buffer.count { buffer.removeLast(buffer.count - count) }
            var bytes = buffer.mutableSpan
            try VaultError.mapping(source) { () throws(AgeError) in try file.read(into: &bytes, at: start) }
            try write(buffer.span, to: descriptor, at: path)
        }
    }

    /// Removes what a writer that was killed left in the folder of `path`. Only for who holds the lock.
    package static func removeRemains(of path: FilePath) { for file in remains(of: path) { remove(file) } }

    /// Removes what a writer that was killed left in the folder of `path`, and leaves alone what one that is at work
    /// holds there. For who holds no lock.
    private static func removeAbandoned(of path: FilePath) {
        for file in remains(of: path) {
            guard
                let descriptor = try? FileDescriptor.open(
                    file, .readOnly, options: [.closeOnExec, .noFollow, .nonBlocking])
            else { continue }
            if flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 { remove(file) }
            try? descriptor.close()
        }
    }

    /// What a writer that was killed left in the folder of `path`; and what one that is at work has there.
    package static func remains(of path: FilePath) -> [FilePath] {
        guard let name = path.lastComponent?.bytes,
            let folder = unsafe path.folder.withPlatformString({ unsafe opendir($0) })
        else { return [] }
        defer { unsafe closedir(folder) }
        var remains: [FilePath] = []
        let prefix = temporaryPrefix(name)
        while let entry = unsafe readdir(folder) {
            let entryName = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe Array(bytes.prefix { $0 != 0 })
            }
            let suffix = temporarySuffix.utf8
            guard entryName.starts(with: prefix), entryName.suffix(suffix.count).elementsEqual(suffix) else { continue }
            // Of this file alone: those of `vault` would begin like those of `vault.age`, whose lock is another one.
            let random = entryName.dropFirst(prefix.count).dropLast(suffix.count)
            if random.count == temporaryDigits, random.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) {
                remains.append(FilePath(bytes: path.folder.bytes + [UInt8(ascii: "/")] + entryName))
            }
        }
        return remains
    }

    /// Makes `folder` and those above it that are missing, with mode 0700.
    package static func createFolder(_ folder: FilePath) throws(VaultError) {
        // Of a path that is only a name: the working folder.
        if folder.isEmpty { return }
        if let status = status(of: folder) {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw .system(operation: .creatingFolder, path: folder.string, errno: ENOTDIR)
            }
            return
        }
        let parent = folder.removingLastComponent()
        if parent != folder { try createFolder(parent) }
        if uninterrupted({ unsafe folder.withPlatformString { unsafe mkdir($0, 0o700) } }) != 0 {
            if errno == EEXIST { return }
            throw .system(operation: .creatingFolder, path: folder.string, errno: errno)
        }
        guard geteuid() == 0 else { return }
        // Neither a link nor something of somebody else that came in its place.
        let descriptor = unsafe folder.withPlatformString {
            unsafe open($0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var status = stat()
        if unsafe fstat(descriptor, &status) == 0, status.st_uid == 0, status.st_mode & 0o777 == 0o700 {
            giveAway(descriptor, likeFirstOf: [folder.folder])
        }
    }

    private static let temporarySuffix = ".tmp"

    /// How many hexadecimal digits stand in the name of a temporary file.
    private static let temporaryDigits = 16

    /// What a temporary file for the one called `name` begins with.
    private static func temporaryPrefix(_ name: [UInt8]) -> [UInt8] {
        [UInt8(ascii: ".")] + name + [UInt8(ascii: ".")]
    }

    private static func sibling(of path: FilePath) -> FilePath {
        // Nothing that a system without random bytes could end the program for, when half is done: that nobody else has
        // the name is seen when the file is made.
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let number = UInt64(time.tv_sec) << 30 + UInt64(time.tv_nsec) ^ UInt64(getpid()) << 44
        let digits = String(number, radix: 16)
        let padding = String(repeating: "0", count: temporaryDigits - digits.utf8.count)
        let name = temporaryPrefix(path.lastComponent?.bytes ?? []) + (padding + digits + temporarySuffix).utf8
        return FilePath(bytes: path.folder.bytes + [UInt8(ascii: "/")] + name)
    }

    /// A new file called `name` beside `path`, or the one that it is to be made of, held so that ``removeAbandoned(of:)``
    /// leaves it alone. It gets another name where somebody took it for abandoned in the moment before that, and is about
    /// to remove it.
    private static func openNamed(
        _ name: inout FilePath, of path: FilePath, _ making: Making
    ) throws -> FileDescriptor {
        for _ in 1...10 {
            var isThere = false
            if case .of(let source) = making {
                isThere = isUnnamed(source) && (try? link(following: source, as: name)) != nil
            }
            do {
                let descriptor = try FileDescriptor.open(
                    name, .readWrite,
                    options: isThere ? [.noFollow, .closeOnExec] : [.create, .exclusiveCreate, .closeOnExec],
                    permissions: [.ownerReadWrite])
                let isHeld =
                    uninterrupted { flock(descriptor.rawValue, LOCK_EX | LOCK_NB) } == 0 || errno != EWOULDBLOCK
                var status = stat()
                if isHeld, unsafe fstat(descriptor.rawValue, &status) == 0, status.st_nlink > 0 { return descriptor }
                try? descriptor.close()
                remove(name)
            } catch Errno.fileExists {
            } catch Errno.noSuchFileOrDirectory where isThere {}
            name = sibling(of: path)
        }
        throw Errno.resourceTemporarilyUnavailable
    }

    /// A file without a name in `folder`; nil where there is no such thing, or no way to name it later.
    private static func openUnnamed(in folder: FilePath) -> FileDescriptor? {
        // O_TMPFILE, which Swift does not see.
        let flags = 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC
        let number = uninterrupted { unsafe folder.withPlatformString { unsafe open($0, flags, 0o600) } }
        guard number >= 0 else { return nil }
        let descriptor = FileDescriptor(rawValue: number)
        if status(of: way(to: descriptor)) != nil { return descriptor }
        try? descriptor.close()
        return nil
    }

    /// Whether a file has no name, so that only what has it open can write into it.
    private static func isUnnamed(_ file: FilePath) -> Bool {
        guard let status = status(of: file) else { return false }
        return status.st_nlink == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Gives a file another name.
    private static func link(_ file: FilePath, as name: FilePath) throws { try link(file, as: name, flags: 0) }

    /// Gives what a link leads to another name, or its first.
    private static func link(following link: FilePath, as name: FilePath) throws {
        try self.link(link, as: name, flags: AT_SYMLINK_FOLLOW)
    }

    private static func link(_ file: FilePath, as name: FilePath, flags: Int32) throws {
        try done(
            unsafe file.withPlatformString { file in
                unsafe name.withPlatformString { name in unsafe linkat(AT_FDCWD, file, AT_FDCWD, name, flags) }
            })
    }

    /// A link to an open file, whether that has a name or not.
    private static func way(to descriptor: FileDescriptor) -> FilePath {
        FilePath("/proc/self/fd/\(descriptor.rawValue)")
    }

    private static func keep(_ path: FilePath, as backup: FilePath) throws(VaultError) {
        let temporary = sibling(of: path)
        do {
            try link(path, as: temporary)
        } catch Errno.noSuchFileOrDirectory {
            return
        } catch {
            try attempt(.keeping, path) { throw error }
        }
        do throws(VaultError) {
            try attempt(.keepingAs, backup) { try move(temporary, to: backup) }
            // rename does nothing when both are names of one file already.
            remove(temporary)
        } catch {
            remove(temporary)
            throw error
        }
    }

    private static func sync(folder: FilePath) throws(VaultError) {
        try attempt(.writing, folder) {
            let descriptor = try FileDescriptor.open(folder, .readOnly, options: [.closeOnExec])
            defer { try? descriptor.close() }
            try sync(descriptor)
        }
    }

    private static func sync(_ descriptor: FileDescriptor) throws { try done(fsync(descriptor.rawValue)) }

    private static func move(_ from: FilePath, to: FilePath) throws {
        try done(
            unsafe from.withPlatformString { from in
                unsafe to.withPlatformString { to in unsafe Glibc.rename(from, to) }
            })
    }

    private static func remove(_ path: FilePath) {
        _ = uninterrupted { unsafe path.withPlatformString { unsafe unlink($0) } }
    }

    /// Makes a call of the system, again where a signal interrupted it.
    ///
    /// - Throws: `Errno` when the call failed.
    private static func done(_ call: @autoclosure () -> Int32) throws {
        if uninterrupted(call) != 0 { throw Errno(rawValue: errno) }
    }

    /// Runs `body` and says what was being done when the system refused.
    static func attempt<R>(
        _ operation: VaultError.Operation, _ path: FilePath, _ body: () throws -> R
    ) throws(VaultError) -> R {
        do {
            return try body()
        } catch {
            throw .system(operation: operation, path: path.string, errno: (error as? Errno)?.rawValue ?? EIO)
        }
    }
}
