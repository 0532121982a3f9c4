internal import Glibc

/// How a process ended.
public enum Ending: Equatable, Sendable {
    /// By itself, with that exit code.
    case exited(Int32)
    /// By that signal.
    case signaled(Int32)

    /// - Parameter status: As `waitpid` has it, of a process that ended.
    init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited(status >> 8 & 0xff) : .signaled(signal)
    }

    /// Ends this process the same way: what waits for it sees no difference. The first process of a system or container
    /// cannot die of a signal: its exit code is then 128 and the signal's number.
    public func finish() -> Never {
        switch self {
        case .exited(let code): exit(code)
        case .signaled(let number):
            // The dead process may have left a core file; a second one of this process would tell of secrets.
            var none = rlimit()
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
            _ = signal(number, SIG_DFL)
            kill(getpid(), number)
            SignalSet([number]).unblock()
            exit(128 + number)
        }
    }
}
