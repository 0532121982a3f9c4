internal import CLinux
internal import Glibc

/// The process between this one and a command that has a terminal to itself.
///
/// A command that led its session would be alone in it, and Ctrl-Z would be ignored: nobody would be there to go on with
/// it. So a fork of this process leads the session, starts the command as its foreground job, says what becomes of it,
/// and does the part of job control that only somebody in that session may do. All signals are held back in it.
struct SessionLeader: ~Copyable {
    /// What becomes of the command.
    enum Event {
        case started(pid_t)
        case notStarted(errno: Int32)
        case stopped(signal: Int32)
        case ended(Ending)
    }

    /// An event on its way through the pipe.
    private struct Message {
        enum Kind: Int32 { case started, notStarted, changed }
        var kind: Int32
        var value: Int32
    }

    private static let continueInForeground = SIGUSR1
    private static let continueInBackground = SIGUSR2

    let id: pid_t
    /// Where events are read.
    let events: Int32
    /// The process group of the command.
    let command: pid_t

    /// Starts the command on the replica of a pseudo-terminal; `forget` is called in the fork, once the command runs.
    init(
        _ spawn: Spawn, on terminal: borrowing PseudoTerminal, mask: SignalSet, forget: () -> Void
    ) throws(Relay.Failure) {
        var pipe: [Int32] = [0, 0]
        guard unsafe clinux_pipe(&pipe) == 0 else { throw Relay.Failure(SystemError("making a pipe")) }
        let id = clinux_fork()
        if id == 0 { Self.lead(spawn, on: terminal.replica, mask: mask, events: pipe[1], forget: forget) }
        let error = SystemError("starting a process")
        close(pipe[1])
        guard id > 0 else {
            close(pipe[0])
            throw Relay.Failure(error)
        }
        let event = Self.read(pipe[0])
        guard case .started(let command) = event else {
            _ = Self.wait(id)
            close(pipe[0])
            guard case .notStarted(let number) = event else { throw .system("starting a process", errno: ECHILD) }
            throw .launch(.notRunnable(spawn.name, errno: number))
        }
        self.id = id
        self.command = command
        events = pipe[0]
    }

    /// The next event, which is waited for.
    func next() -> Event {
        Self.read(events) ?? .ended(Self.wait(id))
    }

    /// Goes on with a command that has stopped, or tells it that it has the terminal now, or has it no longer.
    func resume(inForeground: Bool) {
        kill(id, inForeground ? Self.continueInForeground : Self.continueInBackground)
    }

    /// Waits for the end of the leader, which is near once the command has ended.
    func finish() { _ = Self.wait(id) }

    private static func wait(_ id: pid_t) -> Ending {
        var status: Int32 = 0
        while unsafe waitpid(id, &status, 0) < 0 && errno == EINTR {}
        return Ending(waitStatus: status)
    }

    /// Nil when the leader is gone.
    private static func read(_ descriptor: Int32) -> Event? {
        var message = Message(kind: 0, value: 0)
        let size = MemoryLayout<Message>.size
        while case let count = unsafe Glibc.read(descriptor, &message, size), count != size {
            guard count < 0, errno == EINTR else { return nil }
        }
        switch Message.Kind(rawValue: message.kind) {
        case .started: return .started(message.value)
        case .notStarted: return .notStarted(errno: message.value)
        default:
            // As WIFSTOPPED and WSTOPSIG have it.
            let isStop = message.value & 0xff == 0x7f
            return isStop
                ? .stopped(signal: message.value >> 8 & 0xff) : .ended(Ending(waitStatus: message.value))
        }
    }

    // MARK: - In the fork

    /// All that the fork does. It never returns, so that nothing of its parent is cleaned up twice.
    private static func lead(
        _ spawn: Spawn, on replica: Int32, mask: SignalSet, events: Int32, forget: () -> Void
    ) -> Never {
        func report(_ kind: Message.Kind, _ value: Int32) {
            var message = Message(kind: kind.rawValue, value: value)
            _ = unsafe write(events, &message, MemoryLayout<Message>.size)
        }
        SignalSet.full.block()
        setsid()
        guard clinux_set_controlling_terminal(replica) == 0 else {
            report(.notStarted, errno)
            _exit(1)
        }
        for standard in Int32(0)...2 { dup2(replica, standard) }
        let (command, number) = spawn.start(descriptors: [], mask: mask, group: .foreground(terminal: 0))
        guard number == 0 else {
            report(.notStarted, number)
            _exit(1)
        }
        // What the command closes is closed: nobody shall wait for the end of something that is only open here.
        if events > 3 { _ = clinux_close_range(3, UInt32(events) - 1) }
        _ = clinux_close_range(UInt32(events) + 1, .max)
        for standard in Int32(1)...2 { close(standard) }
        report(.started, command)
        forget()
        follow(command) { report(.changed, $0) }
    }

    private static func follow(_ command: pid_t, report: (Int32) -> Void) -> Never {
        // Somebody who had the terminal may have died without giving it back.
        var waitsForTerminal = false
        let awaited = SignalSet([SIGCHLD, SIGHUP, continueInForeground, continueInBackground])
        while true {
            switch awaited.wait() {
            case SIGCHLD:
                var status: Int32 = 0
                while unsafe waitpid(command, &status, WNOHANG | WUNTRACED) == command {
                    guard status & 0xff != 0x7f else {
                        waitsForTerminal = [SIGTTIN, SIGTTOU].contains(status >> 8 & 0xff)
                        report(status)
                        continue
                    }
                    // The end of a session is a hang-up for what is in the foreground: not for what the command leaves
                    // running behind it.
                    tcsetpgrp(0, getpgrp())
                    report(status)
                    _exit(0)
                }
            case SIGHUP:
                // The relay is gone, and with it the terminal.
                kill(-command, SIGHUP)
                kill(-command, SIGCONT)
            case continueInForeground:
                // A shell among the commands may have given the terminal to a job of its own.
                if waitsForTerminal || tcgetpgrp(0) == getpgrp() { tcsetpgrp(0, command) }
                kill(-command, SIGCONT)
            case continueInBackground:
                // There it stops when it reads, as it would without the relay.
                tcsetpgrp(0, getpgrp())
                kill(-command, SIGCONT)
            default: continue
            }
        }
    }
}
