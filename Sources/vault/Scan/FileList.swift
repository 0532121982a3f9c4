internal import Glibc

/// Files to look into, found by walking through folders. Their paths are bytes that need not be text, one behind the
/// other: there may be very many.
struct FileList {
    struct File {
        /// Where its path begins.
        fileprivate let start: Int
        /// Whether it was named: then it may be a link.
        let isNamed: Bool
    }

    /// Each path ends in a zero byte.
    private var paths: [UInt8] = []
    private(set) var files: [File] = []
    /// What could not be listed.
    private(set) var unread: [Leaks.Unread] = []
    private var folders: [(path: [UInt8], isNamed: Bool)] = []

    /// No files yet.
    init() {}

    /// Adds a file, or a folder for ``walk()``, that was named; links are followed.
    mutating func add(_ path: [UInt8]) throws {
        var status = stat()
        let shown = String(decoding: path, as: UTF8.self)
        guard unsafe stat(Self.terminated(path), &status) == 0 else {
            let number = errno
            guard number == ENOENT || number == ENOTDIR else {
                return unread.append(Leaks.Unread(path: path, reason: Failure.text(number)))
            }
            throw Failure(.missing, "there is no file or folder \(shown)")
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: add(path, isNamed: true)
        case S_IFDIR: folders.append((path, isNamed: true))
        default: throw Failure(.usage, "\(shown) is neither a file nor a folder")
        }
    }

    /// Adds the current folder; paths in it are shown without it.
    mutating func addCurrentFolder() { folders.append(([], isNamed: true)) }

    /// Lists all folders, and those within them.
    mutating func walk() {
        while let folder = folders.popLast() { list(folder.path, isNamed: folder.isNamed) }
    }

    private mutating func list(_ path: [UInt8], isNamed: Bool) {
        let opened = Self.terminated(path.isEmpty ? [UInt8(ascii: ".")] : path)
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (isNamed ? 0 : O_NOFOLLOW)
        let descriptor = unsafe Glibc.open(opened, flags)
        guard descriptor >= 0, let folder = unsafe fdopendir(descriptor) else {
            let number = errno
            if descriptor >= 0 { close(descriptor) }
            // It is gone, or has become something else.
            if isNamed || ![ENOENT, ENOTDIR, ELOOP].contains(number) { addUnread(path, number) }
            return
        }
        defer { unsafe closedir(folder) }
        var prefix = path
        if let last = prefix.last, last != UInt8(ascii: "/") { prefix.append(UInt8(ascii: "/")) }
        while true {
            errno = 0
            guard let entry = unsafe readdir(folder) else {
                if errno != 0 { addUnread(path, errno) }
                return
            }
            let type = unsafe Int(entry.pointee.d_type)
            unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                let size = unsafe strlen(UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
                let name = unsafe UnsafeRawBufferPointer(start: name, count: size)
                if unsafe name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) { return }
                switch type == DT_UNKNOWN ? unsafe Self.type(of: name, in: descriptor) : type {
                case DT_REG: unsafe add(prefix, name)
                case DT_DIR: folders.append((unsafe prefix + name, isNamed: false))
                default: break
                }
            }
        }
    }

    private mutating func add(_ path: [UInt8], isNamed: Bool) {
        files.append(File(start: paths.count, isNamed: isNamed))
        paths += path
        paths.append(0)
    }

    private mutating func add(_ folder: [UInt8], _ name: UnsafeRawBufferPointer) {
        files.append(File(start: paths.count, isNamed: false))
        paths += folder
        unsafe paths.append(contentsOf: name)
        paths.append(0)
    }

    private mutating func addUnread(_ path: [UInt8], _ number: Int32) {
        let shown = path.isEmpty ? [UInt8(ascii: ".")] : path
        unread.append(Leaks.Unread(path: shown, reason: Failure.text(number)))
    }

    /// For file systems that do not say it while they list. The name ends in a zero byte.
    private static func type(of name: UnsafeRawBufferPointer, in folder: Int32) -> Int {
        var status = stat()
        guard let name = unsafe name.baseAddress?.assumingMemoryBound(to: CChar.self),
            unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
        else { return DT_UNKNOWN }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return DT_REG
        case S_IFDIR: return DT_DIR
        default: return DT_UNKNOWN
        }
    }

    /// The path of a file.
    func path(of file: File) -> [UInt8] { Array(paths[file.start...].prefix { $0 != 0 }) }

    /// Opens a file for reading; nothing is waited for, should it have become a pipe.
    ///
    /// - Returns: The descriptor, or -1 as `open` does.
    func open(_ file: File) -> Int32 {
        let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (file.isNamed ? 0 : O_NOFOLLOW)
        return unsafe withPath(of: file) { unsafe Glibc.open($0, flags) }
    }

    /// The size of all files in bytes, as far as it can be had.
    var totalSize: Int {
        files.reduce(0) { sum, file in
            var status = stat()
            return unsafe withPath(of: file) { unsafe stat($0, &status) } == 0 ? sum + Int(status.st_size) : sum
        }
    }

    private func withPath<R>(of file: File, _ body: (UnsafePointer<CChar>) -> R) -> R {
        unsafe paths.withUnsafeBytes { paths in
            guard let start = paths.baseAddress else { fatalError("a file without a path") }
            return unsafe body((start + file.start).assumingMemoryBound(to: CChar.self))
        }
    }

    private static func terminated(_ path: [UInt8]) -> [CChar] { path.map { CChar(bitPattern: $0) } + [0] }
}
