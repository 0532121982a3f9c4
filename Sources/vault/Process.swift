internal import CLinux
internal import ChildProcess
internal import Glibc
internal import Sodium
internal import SystemPackage
internal import VaultFile

/// What the process does to itself before it reads anything.
enum Process {
    /// The name that the program was called by, for its messages; where that is the link of a helper, the name behind it.
    static var name: String { called.program }

    /// The helper whose link the program was called by.
    static var helper: String? { called.helper }

    /// The path by which it is started again from any folder; a link that it was started by stays one.
    static var path: [UInt8] {
        let name = unsafe CommandLine.unsafeArgv[0].map { name in
            unsafe Array(UnsafeRawBufferPointer(start: name, count: strlen(name)))
        }
        let found = try? Launch.find(
            name ?? [], searchPath: Variables.bytes("PATH") ?? Array(Launch.defaultSearchPath.utf8))
        let path = FilePath(bytes: (found ?? []).dropLast().map { UInt8(bitPattern: $0) })
        return found == nil ? DurableFile.target(of: "/proc/self/exe").bytes : KnownVaults.place(of: path).bytes
    }

    /// The command line. Swift's own list of it costs a lock, and types made at run time: as long as checking a signature.
    static let arguments: [String] = {
        var arguments: [String] = []
        arguments.reserveCapacity(Int(CommandLine.argc))
        for index in 0..<Int(CommandLine.argc) {
            guard let argument = unsafe CommandLine.unsafeArgv[index] else { break }
            arguments.append(unsafe String(cString: argument))
        }
        return arguments
    }()

    private static let called: (helper: String?, program: String) = {
        let path = arguments.first ?? ""
        let start = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8.index(after: $0) } ?? path.startIndex
        let name = String(path[start...])
        return name.isEmpty ? (nil, "vault") : HelperLink.parse(name)
    }()

    nonisolated(unsafe) private static var ignoresFileSize = false

    /// Gives signals back as they were, for the program that this one becomes.
    static func restoreSignals() {
        if unsafe !ignoresFileSize { signal(SIGXFSZ, SIG_DFL) }
    }

    /// Ends the program where no error can be thrown.
    private static func end(_ failure: Failure) -> Never {
        failure.end(isExec: arguments.dropFirst().first == ExecCommand.verb)
    }

    /// Keeps the process from being read by others of the user or dumped, and closes a trap: with a standard descriptor
    /// closed, the next file to be opened would get its number, and output would go into it.
    static func harden() {
        _ = clinux_set_dumpable(0)
        // Swift's crash reporter would hand the whole memory to another program.
        for number in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] where clinux_is_handled(number) != 0
        {
            signal(number, SIG_DFL)
        }
        // A limit on the size of files is an error of writing, not the end of the program.
        unsafe ignoresFileSize = clinux_is_ignored(SIGXFSZ) != 0
        signal(SIGXFSZ, SIG_IGN)
        unsafe SecretMemory.exhausted = { bytes in
            end(Failure(.io, "there is not enough memory for \(bytes) bytes of secrets"))
        }
        unsafe Random.unavailable = { end(Failure(.io, "the system gives no random bytes")) }
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
            // For reading only, so that output fails rather than vanishes; not for a child, which finds it closed as
            // it was.
            _ = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        }
    }
}
