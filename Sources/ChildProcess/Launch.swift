internal import Glibc

/// Becoming another program.
public enum Launch {
    /// Why a program could not be started, with the exit codes that `env` and shells give to these.
    public enum Failure: Error, Equatable {
        /// There is no such program (127).
        case notFound(String)
        /// There is a file, but the system cannot run it (126).
        case notRunnable(String, errno: Int32)
    }

    /// Where commands are looked for when `PATH` is not set or empty.
    public static let defaultSearchPath = "/usr/local/bin:/usr/bin:/bin"

    /// The file that a command stands for: itself when there is a slash in it, else the first one in `searchPath` that
    /// can be executed.
    ///
    /// - Parameters:
    ///   - command: What was asked for.
    ///   - searchPath: Folders between colons, as in `PATH`; an empty one is the current folder.
    /// - Returns: Its path.
    /// - Throws: ``Failure``.
    public static func find(_ command: String, searchPath: String) throws(Failure) -> String {
        let path = try find(Array(command.utf8), searchPath: Array(searchPath.utf8))
        return String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The same for names that need not be text.
    ///
    /// - Returns: The path, ending in a zero byte.
    public static func find(_ command: [UInt8], searchPath: [UInt8]) throws(Failure) -> [CChar] {
        let slash = UInt8(ascii: "/")
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
        func terminated(_ bytes: [UInt8]) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
        guard !command.isEmpty else { throw .notFound("") }
        if command.contains(slash) {
            let path = terminated(command)
            if unsafe access(path, F_OK) == 0 { return path }
            let number = errno
            guard number == ENOENT || number == ENOTDIR else { throw .notRunnable(text(command), errno: number) }
            throw .notFound(text(command))
        }
        var refused: [UInt8]?
        for folder in searchPath.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            let candidate = (folder.isEmpty ? [UInt8(ascii: ".")] : Array(folder)) + [slash] + command
            let path = terminated(candidate)
            var status = stat()
            guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            if unsafe access(path, X_OK) == 0 { return path }
            refused = refused ?? candidate
        }
        if let refused { throw .notRunnable(text(refused), errno: EACCES) }
        throw .notFound(text(command))
    }

    /// Replaces this process with `program`. Returns only when that fails. Never tries a shell.
    ///
    /// - Parameters:
    ///   - program: The file, as ``find(_:searchPath:)`` gives it, ending in a zero byte; its name need not be text.
    ///   - arguments: The argument vector, each ending in a zero byte; the first is the name the program sees.
    ///   - environment: The variables as `NAME=value`, each ending in a zero byte.
    /// - Returns: Why it failed.
    @unsafe
    public static func replaceProcess(
        with program: UnsafePointer<CChar>, arguments: [UnsafePointer<CChar>], environment: [UnsafePointer<CChar>]
    ) -> Failure {
        var argv = unsafe arguments.map { unsafe UnsafeMutablePointer<CChar>?(UnsafeMutablePointer(mutating: $0)) }
        unsafe argv.append(nil)
        var envp = unsafe environment.map { unsafe UnsafeMutablePointer<CChar>?(UnsafeMutablePointer(mutating: $0)) }
        unsafe envp.append(nil)
        unsafe execve(program, argv, envp)
        let number = errno
        return unsafe .notRunnable(String(cString: program), errno: number)
    }
}
