internal import CLinux
internal import Glibc

/// A program that runs as a child, its output passing through filters on the way to ours.
///
/// For a process with a single thread. The child finds what it would find without the relay: a terminal where there is
/// one, a pipe in place of every other output, its input, its signals, and no descriptor that it would not have.
public struct Relay: ~Copyable {
    /// What a stream of the child is.
    public enum StreamKind: Sendable { case terminal, pipe }

    /// Why there is no child.
    public enum Failure: Error {
        /// The program cannot be run.
        case launch(Launch.Failure)
        /// What was being done, and the system's number for what went wrong.
        case system(String, errno: Int32)

        init(_ error: SystemError) { self = .system(error.operation, errno: error.number) }
    }

    /// What became of the child.
    public struct Outcome: Sendable {
        /// What this process, too, is to end with.
        public let ending: Ending
        /// The system's number for why not all output could be written; nil too when nobody wanted to read it.
        public let writeError: Int32?
    }

    private let loop: RelayLoop

    /// Starts a program. Once it runs, neither its arguments nor its environment are needed any more.
    ///
    /// - Parameters:
    ///   - program: The file, as ``Launch/find(_:searchPath:)`` gives it, ending in a zero byte.
    ///   - arguments: The argument vector, each ending in a zero byte; the first is the name the program sees.
    ///   - environment: The variables as `NAME=value`, each ending in a zero byte.
    ///   - filter: Makes the filter of a stream. When standard output and standard error are one file or terminal, they
    ///     are one stream, and it is called for descriptor 1 only.
    ///   - forget: Called in a fork of this process that lives as long as the child, if there is one, when it needs
    ///     nothing of this process's memory any more. Nothing in it is ever released: secrets are to be overwritten.
    /// - Returns: What runs now, to be relayed at once.
    /// - Throws: ``Failure``; then nothing runs, and signals are as they were.
    @unsafe
    public static func start(
        program: UnsafePointer<CChar>, arguments: [UnsafePointer<CChar>], environment: [UnsafePointer<CChar>],
        filter: (_ descriptor: Int32, _ kind: StreamKind) -> any OutputFilter, forget: () -> Void
    ) throws(Failure) -> Relay {
        let spawn = unsafe Spawn(program: program, arguments: arguments, environment: environment)
        var standard: [StandardDescriptor] = []
        for number in Int32(0)...2 {
            if let descriptor = try StandardDescriptor(number) { standard.append(descriptor) }
        }
        let loop =
            UserTerminal.isWhole(standard)
            ? try RelayLoop(spawn, onTerminal: standard[1], filter: filter(1, .terminal), forget: forget)
            : try RelayLoop(spawn, outputs: standard.filter { $0.number > 0 && $0.isWritable }, filter: filter)
        return Relay(loop: loop)
    }

    /// Relays until the child has ended. Signals stay held back: ``Ending/finish()`` is what follows.
    public consuming func run() -> Outcome { loop.run() }
}
