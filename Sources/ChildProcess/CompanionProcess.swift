internal import Glibc

/// A child with our standard output and error, and nothing to read, beside which this process goes on.
public struct CompanionProcess: ~Copyable {
    private let id: pid_t
    private var ending: Ending?

    /// Starts `program`.
    ///
    /// - Parameters:
    ///   - program: The file, as ``Launch/find(_:searchPath:)`` gives it, ending in a zero byte.
    ///   - arguments: The argument vector, each ending in a zero byte; the first is the name the program sees.
    ///   - environment: The variables.
    /// - Throws: ``Launch/Failure``.
    @unsafe
    public init(
        _ program: [CChar], arguments: [UnsafePointer<CChar>], environment: borrowing Environment
    ) throws(Launch.Failure) {
        // Where our parent ignores it, the system would forget how the child ended.
        _ = signal(SIGCHLD, SIG_DFL)
        let variables = unsafe environment.variables
        let started = unsafe program.withUnsafeBufferPointer { program in
            guard let path = program.baseAddress else { return (id: pid_t(0), errno: ENOENT) }
            let null = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
            defer { close(null) }
            let spawn = unsafe Spawn(program: path, arguments: arguments, environment: variables)
            return spawn.start(descriptors: [(ours: null, standard: 0)], mask: SignalSet([]), group: .ours)
        }
        guard started.errno == 0 else {
            let name = String(decoding: program.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw .notRunnable(name, errno: started.errno)
        }
        id = started.id
    }

    /// How it ended; nil as long as it runs.
    public mutating func poll() -> Ending? {
        if let ending { return ending }
        var status: Int32 = 0
        let ended = unsafe waitpid(id, &status, WNOHANG)
        if ended == id { ending = Ending(waitStatus: status) }
        if ended < 0, errno != EINTR { ending = .exited(255) }
        return ending
    }

    /// Asks it to end, and gives it some time for that; then it is ended.
    ///
    /// - Parameter seconds: How long.
    public consuming func end(within seconds: Int) {
        if poll() != nil { return }
        kill(id, SIGTERM)
        for _ in 0..<seconds * 100 {
            usleep(10_000)
            if poll() != nil { return }
        }
        kill(id, SIGKILL)
        _ = waitpid(id, nil, 0)
    }
}
