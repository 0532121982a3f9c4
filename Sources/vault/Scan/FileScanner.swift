internal import Glibc
internal import Redaction
internal import Synchronization
internal import VaultFile

/// Looks for tokens in files, on all processors. No more than a part of each file is in memory at a time.
struct FileScanner {
    /// How many bytes are read at once.
    static let partSize = 256 << 10

    let matcher: Matcher
    /// Whether a bar is shown on a terminal.
    let showsProgress: Bool

    /// Looks into all files of a list.
    func scan(_ list: FileList) -> Leaks {
        let leaks = Mutex(Leaks())
        let next = Atomic(0)
        let progress = FileProgress(showsProgress ? list : nil)
        let files = list.files
        Threads.run(min(Threads.count, files.count)) { _ in
            var part = [UInt8](repeating: 0, count: Self.partSize)
            while case let number = next.add(1, ordering: .relaxed).oldValue, number < files.count {
                scan(files[number], of: list, &part, leaks, progress)
            }
        }
        progress.end()
        return leaks.withLock { leaks in
            for unread in list.unread { leaks.addUnread(unread.path, unread.reason) }
            return leaks
        }
    }

    private func scan(
        _ file: FileList.File, of list: FileList, _ part: inout [UInt8], _ leaks: borrowing Mutex<Leaks>,
        _ progress: FileProgress
    ) {
        let descriptor = list.open(file)
        guard descriptor >= 0 else {
            let number = errno
            // It is gone, or has become something else.
            if file.isNamed || ![ENOENT, ENOTDIR, ELOOP, ENXIO].contains(number) {
                leaks.withLock { $0.addUnread(list.path(of: file), Failure.text(number)) }
            }
            return
        }
        defer { close(descriptor) }
        var finder = Finder(matcher)
        var findings: [Finder.Finding] = []
        let error = Self.read(descriptor, &part) { bytes in
            findings += finder.process(bytes)
            progress.add(bytes.count)
            return true
        }
        findings += finder.finish()
        if let error, error != EISDIR {
            leaks.withLock { $0.addUnread(list.path(of: file), Failure.text(error)) }
        }
        if findings.isEmpty { return }
        var counter = LineCounter(findings)
        lseek(descriptor, 0, SEEK_SET)
        _ = Self.read(descriptor, &part) { bytes in
            counter.process(bytes)
            return !counter.isDone
        }
        leaks.withLock { $0.add(list.path(of: file), findings, counter) }
    }

    /// Reads to the end, part by part, for as long as `body` wants more.
    ///
    /// - Returns: The system's number for what went wrong, if something did.
    private static func read(
        _ descriptor: Int32, _ part: inout [UInt8], _ body: (Span<UInt8>) -> Bool
    ) -> Int32? {
        while true {
            let count = unsafe part.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0 { return errno }
            if count == 0 || !body(part.span.extracting(first: count)) { return nil }
        }
    }
}

/// How far a search has come, in bytes; shown on a terminal only.
private final class FileProgress: Sendable {
    private let bar: Mutex<ProgressBar>
    private let isShown: Bool
    private let done = Atomic(0)

    /// Of these files; nil shows nothing.
    init(_ list: FileList?) {
        // Without a terminal, no file's size is asked for.
        isShown = list != nil && ProgressBar.isShown
        bar = Mutex(ProgressBar("scanning", total: isShown ? list?.totalSize ?? 0 : 0))
    }

    func add(_ count: Int) {
        guard isShown else { return }
        done.add(count, ordering: .relaxed)
        _ = bar.withLockIfAvailable { $0.update(done.load(ordering: .relaxed)) }
    }

    func end() {
        guard isShown else { return }
        bar.withLock { bar in
            // One thread may have held the bar while the others did all the rest.
            bar.update(done.load(ordering: .relaxed))
            bar.end()
        }
    }
}
