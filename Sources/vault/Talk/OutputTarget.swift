internal import Glibc
internal import SystemPackage
internal import VaultFile

/// Where the option -o sends what has tokens in it.
enum OutputTarget {
    /// Standard output.
    case standard
    /// A descriptor that was inherited, as `/dev/fd/N` names one.
    case descriptor(Int32)
    /// A terminal, a named pipe or another device that takes bytes.
    case stream(String, stat)
    /// A file, which is replaced as a whole where there is one.
    case file(FilePath, existing: stat?)

    /// Where the option's value leads, of which nothing is touched yet.
    ///
    /// - Throws: ``Failure`` where tokens must not go, or cannot.
    init(_ path: String?) throws {
        guard let path, path != "-" else {
            self = .standard
            return
        }
        guard !path.isEmpty else { throw Failure(.usage, "the path of -o is empty") }
        if let number = Self.descriptor(path) {
            guard fcntl(number, F_GETFD) >= 0 else { throw Self.refuse(path, EBADF) }
            self = number == STDOUT_FILENO ? .standard : .descriptor(number)
            return
        }
        let file = FilePath(path)
        var status = stat()
        guard uninterrupted({ unsafe lstat(path, &status) }) == 0 else {
            guard errno == ENOENT, !path.hasSuffix("/") else {
                throw Self.refuse(path, errno == ENOENT ? EISDIR : errno)
            }
            try Self.checkFolder(of: file, path, "creating")
            self = .file(file, existing: nil)
            return
        }
        try Self.refuseForeign(status, in: file.folder, path)
        var target = file
        if status.st_mode & S_IFMT == S_IFLNK {
            guard let behind = DurableFile.status(of: file) else {
                throw Failure(
                    .exists, "\(path) is a symbolic link to a file that is not there",
                    hint: "make that file, or remove the link")
            }
            target = try DurableFile.target(of: file, for: .replacing)
            status = behind
            try Self.refuseForeign(status, in: target.folder, path)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            try Self.refuseReadable(status, path)
            try Self.checkFolder(of: target, path, "replacing")
            self = .file(target, existing: status)
        case S_IFIFO:
            try Self.refuseReadable(status, path)
            try Self.refuseForeign(status, in: nil, path)
            self = .stream(path, status)
        case S_IFCHR: self = .stream(path, status)
        case S_IFDIR: throw Self.refuse(path, EISDIR)
        default: throw Failure(.exists, "\(path) is neither a file nor a pipe")
        }
    }

    /// Whether it is a file that is made or replaced.
    var isFile: Bool { if case .file = self { true } else { false } }

    /// Refuses a file that is what is read as well, which has this status.
    func refuse(_ status: stat) throws {
        guard case .file(let path, let existing?) = self, status.st_dev == existing.st_dev,
            status.st_ino == existing.st_ino
        else { return }
        throw Failure(.usage, "\(path) is the template itself", hint: "give another file with -o")
    }

    /// Makes standard output of what is no file, so that all output is one. A named pipe is waited for.
    func openStream() throws {
        switch self {
        case .standard, .file: return
        case .descriptor(let number): dup2(number, STDOUT_FILENO)
        case .stream(let path, let checked):
            var number: Int32
            repeat { number = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY) } while number < 0 && errno == EINTR
            guard number >= 0 else { throw Self.refuse(path, errno) }
            var status = stat()
            guard unsafe fstat(number, &status) == 0, status.st_dev == checked.st_dev, status.st_ino == checked.st_ino
            else { throw Failure(.notAllowed, "\(path) is no longer what it was when it was looked at") }
            dup2(number, STDOUT_FILENO)
            close(number)
        }
    }

    private static func refuse(_ path: String, _ number: Int32, _ operation: String = "creating") -> Failure {
        Failure(.exists, "\(operation) \(path): \(Failure.text(number))")
    }

    /// The descriptor that a path stands for.
    private static func descriptor(_ path: String) -> Int32? {
        switch path {
        case "/dev/stdin": return STDIN_FILENO
        case "/dev/stdout": return STDOUT_FILENO
        case "/dev/stderr": return STDERR_FILENO
        default:
            let prefix = ["/dev/fd/", "/proc/self/fd/"].first { path.hasPrefix($0) }
            return prefix.flatMap { Int32(path.dropFirst($0.count)) }
        }
    }

    /// A file is replaced by another one, which takes the right to write its folder.
    private static func checkFolder(of file: FilePath, _ path: String, _ operation: String) throws {
        guard unsafe file.folder.withPlatformString({ unsafe access($0, W_OK) }) == 0 else {
            throw refuse(path, errno, operation)
        }
    }

    /// Whoever may read the file now would miss it, or was never meant to.
    private static func refuseReadable(_ status: stat, _ path: String) throws {
        guard status.st_mode & 0o044 != 0 else { return }
        throw Failure(.notAllowed, "\(path) can be read by others", hint: "chmod 600 \(path)")
    }

    /// What stands ready where somebody else can put things may be a trap: a link that leads elsewhere, or a file whose
    /// owner waits for what root will leave in it. In a folder that nobody else can write, a file of somebody else's is
    /// one that is meant for them.
    private static func refuseForeign(_ status: stat, in folder: FilePath?, _ path: String) throws {
        func isOurs(_ status: stat) -> Bool { status.st_uid == geteuid() || status.st_uid == 0 }
        if isOurs(status) { return }
        if let folder = folder.flatMap(DurableFile.status(of:)), folder.st_mode & 0o022 == 0,
            isOurs(folder) || folder.st_uid == status.st_uid
        {
            return
        }
        throw Failure(
            .notAllowed, "\(path) belongs to somebody else, who could have put it there",
            hint: "give a file in a folder that only you can write, or run this as its owner")
    }
}
