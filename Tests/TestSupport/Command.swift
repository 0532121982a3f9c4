internal import Foundation
internal import Glibc

/// A real program, run to its end: without a shell, without a terminal, in a session of its own, and with no descriptor
/// but the standard three.
public enum Command {
    /// What a program left behind.
    public struct Output: Sendable {
        /// The exit code; -1 when a signal ended the program.
        public let status: Int32
        /// The signal that ended the program, or nil when it ended by itself.
        public let signal: Int32?
        /// All bytes of standard output.
        public let stdout: [UInt8]
        /// All bytes of standard error.
        public let stderr: [UInt8]

        /// Standard output as text.
        public var text: String { String(decoding: stdout, as: UTF8.self) }
        /// Standard error as text.
        public var errorText: String { String(decoding: stderr, as: UTF8.self) }
    }

    /// Why there is no output.
    public enum Failure: Error {
        /// The program could not be started; the number is the system's.
        case notStarted(program: String, errno: Int32)
        /// The program, or something that holds its pipes, did not end in time, and was killed. The text is what it had
        /// written to standard error.
        case timedOut(program: String, arguments: [String], after: Duration, stderr: String)
        /// A system call went wrong, which has nothing to do with the program.
        case system(call: String, errno: Int32)
    }

    /// Runs a program and waits until it has ended and both of its outputs are closed.
    ///
    /// - Parameters:
    ///   - executable: A path, or a name that is looked up in this process's `PATH`.
    ///   - arguments: What follows the program's name.
    ///   - input: Standard input, which is closed behind its last byte. A program need not read it.
    ///   - environment: All of the program's environment; nil stands for this process's.
    ///   - timeout: How long it may take; after that its process group is killed.
    ///   - killTime: When to kill the process with `SIGKILL`, counted from its start; one that has ended by then is left
    ///     alone. What it had written is read all the same.
    /// - Returns: What it left behind, whatever the exit code.
    /// - Throws: ``Failure``.
    public static func run(
        _ executable: String, _ arguments: [String] = [], input: [UInt8] = [], environment: [String: String]? = nil,
        timeout: Duration = .seconds(30), killedAfter killTime: Duration? = nil
    ) throws -> Output {
        let deadline = ContinuousClock.now + timeout
        var child = try Child(executable, arguments, environment ?? ProcessInfo.processInfo.environment)
        var killMoment = killTime.map { ContinuousClock.now + $0 }
        /// Whether a kill is still to come; kills when its moment is there.
        func awaitsKill() -> Bool {
            guard let moment = killMoment else { return false }
            if moment > .now { return true }
            // It is not reaped yet, so that the number is still its own.
            kill(child.id, SIGKILL)
            killMoment = nil
            return false
        }
        var written = 0
        var stdout: [UInt8] = []
        var stderr: [UInt8] = []
        func timedOut() -> Failure {
            .timedOut(
                program: executable, arguments: arguments, after: timeout,
                stderr: String(decoding: stderr, as: UTF8.self))
        }

        // One loop for all three pipes, so that none of them can fill up while another one is waited for.
        while true {
            if written == input.count { child.input = nil }
            var polled = [
                pollfd(fd: child.input?.number ?? -1, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: child.output?.number ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: child.error?.number ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            if polled.allSatisfy({ $0.fd < 0 }) { break }
            let left = deadline - .now
            guard left > .zero else { throw timedOut() }
            // poll knows milliseconds only, which is too coarse for a moment in the life of a short program.
            let isKilledSoon = awaitsKill()
            let ready = poll(
                &polled, nfds_t(polled.count),
                isKilledSoon ? 0 : Int32(clamping: Int((left / .milliseconds(1)).rounded(.up))))
            if ready == 0, isKilledSoon { usleep(50) }
            if ready < 0 && errno != EINTR { throw Failure.system(call: "poll", errno: errno) }
            if ready <= 0 { continue }
            if polled[0].revents != 0 {
                let count = try write(input[written...], to: polled[0].fd)
                if let count { written += count } else { written = input.count }
            }
            if polled[1].revents != 0, try !read(polled[1].fd, into: &stdout) { child.output = nil }
            if polled[2].revents != 0, try !read(polled[2].fd, into: &stderr) { child.error = nil }
        }

        // A program may close its pipes long before it ends.
        while try !child.hasEnded() {
            guard ContinuousClock.now < deadline else { throw timedOut() }
            usleep(awaitsKill() ? 50 : 500)
        }
        let signal = child.status & 0x7f
        return Output(
            status: signal == 0 ? child.status >> 8 & 0xff : -1, signal: signal == 0 ? nil : signal, stdout: stdout,
            stderr: stderr)
    }

    /// Reads what is there; false at the end.
    private static func read(_ descriptor: Int32, into bytes: inout [UInt8]) throws -> Bool {
        let part = try [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
            let result = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            guard result >= 0 else { throw Failure.system(call: "read", errno: errno) }
            count = result
        }
        bytes += part
        return !part.isEmpty
    }

    /// Writes what fits, and says how much that was; nil when nobody reads any more.
    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws -> Int? {
        // A write to a pipe without a reader raises SIGPIPE in this thread; it is held back, and taken off again.
        var broken = sigset_t()
        var before = sigset_t()
        sigemptyset(&broken)
        sigaddset(&broken, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &broken, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count >= 0 { return count }
        switch errno {
        case EAGAIN, EINTR: return 0
        case EPIPE:
            var now = timespec()
            sigtimedwait(&broken, nil, &now)
            return nil
        default: throw Failure.system(call: "write", errno: errno)
        }
    }
}

/// An open descriptor, closed when the value ends.
private struct Descriptor: ~Copyable {
    let number: Int32

    deinit { close(number) }
}

/// Both ends of a pipe.
private struct Pipe: ~Copyable {
    let readEnd: Descriptor
    let writeEnd: Descriptor

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Command.Failure.system(call: "pipe", errno: errno) }
        readEnd = Descriptor(number: ends[0])
        writeEnd = Descriptor(number: ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    consuming func takeReadEnd() -> Descriptor { readEnd }
    consuming func takeWriteEnd() -> Descriptor { writeEnd }
}

/// Held while pipes are made and a program starts: a pipe is hidden from other children only once it is marked.
private let startingLock = NSLock()

/// A process that was started here: when the value ends it is killed if it still runs, and reaped in any case.
private struct Child: ~Copyable {
    let id: pid_t
    /// Our ends, until they are closed.
    var input: Descriptor?
    var output: Descriptor?
    var error: Descriptor?
    /// As `waitpid` has it, once the process has ended.
    private(set) var status: Int32 = 0
    private var isReaped = false

    init(_ executable: String, _ arguments: [String], _ environment: [String: String]) throws {
        startingLock.lock()
        defer { startingLock.unlock() }
        let input = try Pipe()
        let output = try Pipe()
        let error = try Pipe()
        _ = fcntl(input.writeEnd.number, F_SETFL, O_NONBLOCK)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // POSIX_SPAWN_SETSID, which Swift's Glibc hides: the terminal of whoever runs the tests is never asked, and what
        // the program starts can be killed with it.
        let setsid: Int32 = 0x80
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | setsid))

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.readEnd.number, 0)
        posix_spawn_file_actions_adddup2(&actions, output.writeEnd.number, 1)
        posix_spawn_file_actions_adddup2(&actions, error.writeEnd.number, 2)
        // Others in this process may hold descriptors that are meant for children of theirs.
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let number = Int32(name), number > 2 { posix_spawn_file_actions_addclose(&actions, number) }
        }

        var argumentList = ([executable] + arguments).map { strdup($0) } + [nil]
        var environmentList = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for string in argumentList + environmentList { free(string) } }
        var id: pid_t = 0
        let result = posix_spawnp(&id, executable, &actions, &attributes, &argumentList, &environmentList)
        guard result == 0 else { throw Command.Failure.notStarted(program: executable, errno: result) }
        self.id = id
        self.input = input.takeWriteEnd()
        self.output = output.takeReadEnd()
        self.error = error.takeReadEnd()
    }

    /// Whether the process has ended; it is then reaped.
    mutating func hasEnded() throws -> Bool {
        let result = waitpid(id, &status, WNOHANG)
        guard result >= 0 else { throw Command.Failure.system(call: "waitpid", errno: errno) }
        isReaped = result == id
        return isReaped
    }

    deinit {
        if isReaped { return }
        kill(-id, SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 && errno == EINTR {}
    }
}
