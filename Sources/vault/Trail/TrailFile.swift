internal import Glibc
internal import SystemPackage
internal import VaultFile

/// Where the trail lies: a file that is only ever appended to, and the one before it.
///
/// All lines of a command are one write to a descriptor that appends, so that writers in parallel neither mix nor wait.
struct TrailFile {
    /// Why nothing can be appended.
    struct Problem: Error {
        /// What it is, and of which file.
        let text: String
        fileprivate let errno: Int32
    }

    /// How large the file grows, in bytes, before the next one is begun.
    static let maximumSize = 4 << 20

    private let folder: String
    private var path: String { folder + "/log.jsonl" }
    private var earlierPath: String { folder + "/log.1.jsonl" }

    /// The trail in that folder.
    init(folder: String) { self.folder = folder }

    /// The trail of this user; nil where there is no place for one.
    init?() {
        guard let folder = Places.state() else { return nil }
        self.init(folder: folder)
    }

    /// Appends lines, each of which ends in a newline. The folder is one that opening a vault has made.
    func append(_ lines: [UInt8]) throws(Problem) {
        let (descriptor, status) = try open(creating: true)
        defer { close(descriptor) }
        let size = Int(status.st_size)
        if size == 0 { DurableFile.giveAway(descriptor, likeFirstOf: [FilePath(folder)]) }
        let newline = UInt8(ascii: "\n")
        // What a full disk cut off does not spoil the line that follows.
        var last = newline
        if size > 0 { _ = unsafe pread(descriptor, &last, 1, off_t(size - 1)) }
        let text = last == newline ? lines : [newline] + lines
        let written = unsafe write(descriptor, text, text.count)
        guard written == text.count else { throw problem(written < 0 ? errno : ENOSPC) }
        if size > Self.maximumSize { rotate(descriptor, status) }
    }

    /// Why lines could not be appended now, found out without changing anything; nil when they could.
    func problem() -> Problem? {
        do throws(Problem) {
            close(try open(creating: false).descriptor)
            return nil
        } catch {
            guard error.errno == ENOENT else { return error }
        }
        // It would be made.
        return Places.isWritable(folder) ? nil : problem(errno)
    }

    /// The entries of both files, the oldest first.
    ///
    /// - Returns: The entries, and how many lines are none.
    /// - Throws: ``VaultError/system(operation:path:errno:)`` for a file that cannot be read.
    func entries() throws(VaultError) -> (entries: [TrailEntry], strayLines: Int) {
        // A file that is rotated meanwhile comes up twice in this order, and is missed in the other.
        let current = try Self.content(of: path)
        let earlier = try Self.content(of: earlierPath)
        let texts = earlier.starts(with: current) ? [earlier] : [earlier, current]
        var entries: [TrailEntry] = []
        var strayLines = 0
        for text in texts {
            for line in text.split(separator: UInt8(ascii: "\n")) {
                if let entry = TrailEntry(line.span) { entries.append(entry) } else { strayLines += 1 }
            }
        }
        return (entries, strayLines)
    }

    private static func content(of path: String) throws(VaultError) -> [UInt8] {
        // More than it may have by far, even if it could not be rotated for a long time.
        try SmallFile.read(FilePath(path), maximumSize: 16 * maximumSize) ?? []
    }

    private func open(creating: Bool) throws(Problem) -> (descriptor: Int32, status: stat) {
        let flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | (creating ? O_CREAT : 0)
        let descriptor = unsafe Glibc.open(path, flags, 0o600)
        guard descriptor >= 0 else { throw problem(errno) }
        var status = stat()
        // One with another name may be a file of somebody else, who lets root write into it.
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink <= 1 else {
            close(descriptor)
            throw problem(EINVAL)
        }
        return (descriptor, status)
    }

    private func problem(_ number: Int32) -> Problem {
        let isOther = [EINVAL, ELOOP, EISDIR, ENXIO].contains(number)
        return Problem(
            text: "\(path): \(isOther ? "it is not a regular file of one name" : Failure.text(number))", errno: number)
    }

    /// Makes the open file the earlier one, unless somebody else is doing that or has done it.
    private func rotate(_ descriptor: Int32, _ opened: stat) {
        // Closing the descriptor gives the lock back.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return }
        var current = stat()
        guard unsafe lstat(path, &current) == 0, current.st_dev == opened.st_dev, current.st_ino == opened.st_ino else {
            return
        }
        _ = unsafe rename(path, earlierPath)
    }
}
