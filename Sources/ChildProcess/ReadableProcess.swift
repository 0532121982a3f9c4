internal import CLinux
internal import Glibc

/// A child whose output this process reads. Its input is empty or a file, so that it cannot take ours.
public struct ReadableProcess: ~Copyable {
    private let id: pid_t
    /// What this process did about the end of children.
    private let handler: (@convention(c) (Int32) -> Void)?

    /// Where its standard output is read.
    public let output: Int32

    private init(id: pid_t, handler: (@convention(c) (Int32) -> Void)?, output: Int32) {
        self.id = id
        self.handler = handler
        self.output = output
    }

    /// Starts `program` with `arguments`, the first of which is the name it sees. Its standard error is ours.
    ///
    /// - Throws: ``Launch/Failure``.
    public static func start(
        _ program: String, arguments: [String], environment: borrowing Environment
    ) throws(Launch.Failure) -> ReadableProcess {
        try start(program, arguments: arguments.map { Array($0.utf8) }, environment: environment)
    }

    /// The same with arguments that need not be text.
    ///
    /// - Parameters:
    ///   - program: The file.
    ///   - arguments: The argument vector, without zero bytes.
    ///   - environment: The variables.
    ///   - input: The path of what it reads as its standard input.
    ///   - isSilent: Whether what it writes to its standard error is dropped.
    /// - Returns: The child.
    /// - Throws: ``Launch/Failure``.
    public static func start(
        _ program: String, arguments: [[UInt8]], environment: borrowing Environment, input: String = "/dev/null",
        isSilent: Bool = false
    ) throws(Launch.Failure) -> ReadableProcess {
        var pipe: [Int32] = [0, 0]
        guard unsafe clinux_pipe(&pipe) == 0 else { throw .notRunnable(program, errno: errno) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
        if isSilent { unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) }
        var argv = unsafe arguments.map { argument in
            unsafe UnsafeMutablePointer<CChar>?(strdup(argument.map { CChar(bitPattern: $0) } + [0]))
        }
        defer { unsafe argv.forEach { unsafe free($0) } }
        unsafe argv.append(nil)
        var envp = unsafe environment.variables.map {
            unsafe UnsafeMutablePointer<CChar>?(UnsafeMutablePointer(mutating: $0))
        }
        unsafe envp.append(nil)
        var id: pid_t = 0
        // Where our parent ignores it, the system would forget how the child ended.
        let handler = signal(SIGCHLD, SIG_DFL)
        let status = unsafe posix_spawn(&id, program, &actions, nil, argv, envp)
        close(pipe[1])
        guard status == 0 else {
            close(pipe[0])
            _ = signal(SIGCHLD, handler)
            throw .notRunnable(program, errno: status)
        }
        return ReadableProcess(id: id, handler: handler, output: pipe[0])
    }

    /// Ends it at once, and waits for that.
    public consuming func kill() {
        Glibc.kill(id, SIGKILL)
        _ = wait()
    }

    /// Waits for its end.
    ///
    /// - Returns: Its exit code, or 128 and the number of the signal that ended it; 255 when that is not known.
    public consuming func wait() -> Int32 {
        close(output)
        var status: Int32 = 0
        var ended: pid_t
        repeat { ended = unsafe waitpid(id, &status, 0) } while ended < 0 && errno == EINTR
        _ = signal(SIGCHLD, handler)
        guard ended == id else { return 255 }
        let signal = status & 0x7f
        return signal == 0 ? status >> 8 & 0xff : 128 + signal
    }
}
