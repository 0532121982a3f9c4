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

    /// The file that a command stands for: itself when there is a slash in it, else the first one in `searchPath` that
    /// can be executed.
    ///
    /// - Parameters:
    ///   - command: What was asked for.
    ///   - searchPath: Folders between colons, as in `PATH`; an empty one is the current folder.
    /// - Returns: Its path.
    /// - Throws: ``Failure``.
    public static func find(_ command: String, searchPath: String) throws(Failure) -> String {
        guard !command.isEmpty else { throw .notFound(command) }
        if command.utf8.contains(UInt8(ascii: "/")) {
            guard unsafe access(command, F_OK) == 0 else { throw .notFound(command) }
            return command
        }
        var refused: String?
        // By bytes: with a combining mark behind it, a colon or a slash is another character to Swift, but not to Linux.
        for part in searchPath.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            let folder = Substring(part)
            let candidate = folder.isEmpty ? "./\(command)" : "\(folder)/\(command)"
            var status = stat()
            guard unsafe stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            if unsafe access(candidate, X_OK) == 0 { return candidate }
            refused = refused ?? candidate
        }
        if let refused { throw .notRunnable(refused, errno: EACCES) }
        throw .notFound(command)
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
