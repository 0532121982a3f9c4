internal import CLinux
internal import Glibc

/// The one loop in which everything happens that a relay does.
@safe
final class RelayLoop {
    private enum Child {
        /// In our process group.
        case direct(pid_t)
        /// With a terminal to itself.
        case inSession(SessionBox)
    }

    /// Holds the leader, which cannot be copied.
    private final class SessionBox {
        let leader: SessionLeader
        init(_ leader: consuming SessionLeader) { self.leader = leader }
    }

    /// Filters and system calls get cheaper with more at once, to the point where it leaves the processor's cache.
    private static let bufferSize = 1 << 17

    private let signals: Signals
    private let child: Child
    /// The other end of a terminal that the child has to itself: held open, or what was typed would be lost with the
    /// last program that has it open.
    private let replica: Int32
    private let streams: [RelayedStream]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferSize, alignment: 4096)
    /// The terminals whose size ours have, by stream.
    private let terminals: [(real: Int32, stream: RelayedStream)]
    private var userTerminal = UserTerminal()
    private var keys = PendingKeys()
    /// What was typed while the child ran, and is for whoever reads the terminal next.
    private var unread: [UInt8] = []
    private var ending: Ending?
    /// The last signal that was sent on.
    private var lastSignal: Int32 = 0

    // MARK: - Starting

    /// Starts a child that has the whole terminal.
    init(
        _ spawn: Spawn, onTerminal standard: StandardDescriptor, filter: any OutputFilter, forget: () -> Void
    ) throws(Relay.Failure) {
        do throws(SystemError) {
            signals = try Signals(reading: [SIGWINCH, SIGCONT, SIGTSTP])
        } catch {
            throw Relay.Failure(error)
        }
        let terminal: PseudoTerminal
        do throws(SystemError) {
            terminal = try PseudoTerminal(like: standard.number, processesOutput: true)
        } catch {
            signals.before.install()
            throw Relay.Failure(error)
        }
        do throws(Relay.Failure) {
            child = .inSession(
                SessionBox(try SessionLeader(spawn, on: terminal, mask: signals.before, forget: forget)))
        } catch {
            signals.before.install()
            throw error
        }
        let (leader, replica) = terminal.take()
        self.replica = replica
        let stream = RelayedStream(standard, isShared: true, source: leader, filter: filter)
        streams = [stream]
        terminals = [(standard.number, stream)]
    }

    /// Starts a child in our process group and session.
    init(
        _ spawn: Spawn, outputs: [StandardDescriptor],
        filter: (_ descriptor: Int32, _ kind: Relay.StreamKind) -> any OutputFilter
    ) throws(Relay.Failure) {
        do throws(SystemError) {
            signals = try Signals(reading: [SIGWINCH, SIGCONT, SIGTSTP])
        } catch {
            throw Relay.Failure(error)
        }
        let isShared = outputs.count == 2 && outputs[0].isSameFile(as: outputs[1])
        var streams: [RelayedStream] = []
        var childEnds: [Int32] = []
        defer { for end in childEnds { close(end) } }
        do throws(SystemError) {
            for output in isShared ? [outputs[0]] : outputs {
                let (ours, childs) = try Self.ends(for: output)
                childEnds.append(childs)
                streams.append(
                    RelayedStream(
                        output, isShared: isShared, source: ours,
                        filter: filter(output.number, output.isTerminal ? .terminal : .pipe)))
            }
        } catch {
            for stream in streams { stream.abandon() }
            signals.before.install()
            throw Relay.Failure(error)
        }
        var descriptors: [(ours: Int32, standard: Int32)] = []
        for (index, output) in outputs.enumerated() {
            descriptors.append((childEnds[isShared ? 0 : index], output.number))
        }
        let (id, number) = spawn.start(descriptors: descriptors, mask: signals.before, group: .ours)
        guard number == 0 else {
            for stream in streams { stream.abandon() }
            signals.before.install()
            throw .launch(.notRunnable(spawn.name, errno: number))
        }
        child = .direct(id)
        replica = -1
        self.streams = streams
        terminals = zip(outputs, streams).filter { $0.0.isTerminal }.map { ($0.0.number, $0.1) }
        // Only the child reads it: where it stops to, whoever writes there is to notice.
        let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        if fcntl(0, F_GETFD) & FD_CLOEXEC == 0, isatty(0) == 0 { dup2(null, 0) }
        close(null)
    }

    /// A pipe, or a terminal for a terminal.
    private static func ends(for output: StandardDescriptor) throws(SystemError) -> (ours: Int32, childs: Int32) {
        if output.isTerminal {
            let terminal = try PseudoTerminal(like: output.number, processesOutput: false)
            let (leader, replica) = terminal.take()
            return (leader, replica)
        }
        var pipe: [Int32] = [0, 0]
        guard unsafe clinux_pipe(&pipe) == 0 else { throw SystemError("making a pipe") }
        _ = fcntl(pipe[0], F_SETFL, O_NONBLOCK)
        _ = clinux_set_pipe_size(pipe[1], OutputSink.pipeSize)
        return (pipe[0], pipe[1])
    }

    deinit {
        if replica >= 0 { close(replica) }
        unsafe buffer.deallocate()
    }

    // MARK: - Running

    func run() -> Relay.Outcome {
        if case .inSession = child { userTerminal.makeRaw() }
        while true {
            if ending != nil {
                for stream in streams { unsafe stream.drainRest(buffer) }
                // Who ends this process does not want it to wait for somebody who does not read.
                if ending == .signaled(lastSignal) {
                    for stream in streams where !stream.isFinished { stream.abandon() }
                }
                if streams.allSatisfy(\.isFinished) { break }
            }
            waitAndHandle()
        }
        userTerminal.restore(returning: unread)
        if case .inSession(let session) = child { session.leader.finish() }
        return Relay.Outcome(ending: ending ?? .exited(0), writeError: streams.compactMap(\.writeError).first)
    }

    /// One round: waits until something is possible, and does it.
    private func waitAndHandle() {
        var leaderEvents: Int32 = -1
        if ending == nil, case .inSession(let session) = child { leaderEvents = session.leader.events }
        var polled = [
            pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: leaderEvents, events: Int16(POLLIN), revents: 0),
            pollfd(fd: userTerminal.isRaw && keys.hasRoom && ending == nil ? 0 : -1, events: Int16(POLLIN), revents: 0),
        ]
        let first = polled.count
        for stream in streams {
            // Between the relay and a terminal of its own, bytes go both ways.
            let events = (stream.isReading ? POLLIN : 0) | (keys.isEmpty ? 0 : POLLOUT)
            polled.append(pollfd(fd: events == 0 ? -1 : stream.source, events: Int16(events), revents: 0))
            polled.append(stream.polledSink)
        }
        guard unsafe poll(&polled, nfds_t(polled.count), -1) > 0 else { return }
        for (index, stream) in streams.enumerated() {
            let (source, sink) = (polled[first + 2 * index], polled[first + 2 * index + 1])
            if source.revents & Int16(POLLOUT) != 0 { keys.write(to: stream.source) }
            if sink.revents != 0 { stream.sinkIsReady(sink.revents) }
            if source.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0, stream.isReading { unsafe stream.relay(buffer) }
        }
        if polled[2].revents != 0 {
            keys.read(from: 0)
            if let source = streams.first?.source { keys.write(to: source) }
        }
        if polled[0].revents != 0 { handleSignals() }
        if polled[1].revents != 0 { handleLeader() }
    }

    private func end(_ ending: Ending) {
        self.ending = ending
        for stream in streams { stream.childEnded() }
    }

    // MARK: - Signals

    private func handleSignals() {
        while let signal = signals.next() {
            switch signal.number {
            case SIGCHLD: reap()
            case SIGWINCH: resize()
            case SIGCONT:
                resize()
                if case .inSession(let session) = child, ending == nil { resume(session.leader) }
            default: forward(signal)
            }
        }
    }

    private func forward(_ signal: Signals.Received) {
        guard ending == nil else {
            // The child would have died of it while it waited for its output to be read.
            if signal.number != SIGTSTP { ending = .signaled(signal.number) }
            for stream in streams { stream.abandon() }
            return
        }
        switch child {
        // The terminal has sent it to the child as well.
        case .direct(let id):
            guard !signal.isFromKernel else { return }
            kill(id, signal.number)
            lastSignal = signal.number
        case .inSession(let session): kill(-session.leader.command, signal.number)
        }
    }

    /// Takes note of the child's end; as the first process of a container, buries all who have no other parent left.
    private func reap() {
        var direct: pid_t = -1
        if case .direct(let id) = child { direct = id }
        var status: Int32 = 0
        while ending == nil || getpid() == 1 {
            let id: pid_t
            if getpid() == 1 {
                id = unsafe reapAny(&status)
            } else {
                guard direct > 0 else { return }
                id = unsafe waitpid(direct, &status, WNOHANG | WUNTRACED)
            }
            // Nothing else would bring this process back here.
            if id < 0, errno == EINTR { continue }
            guard id > 0 else { return }
            if status & 0xff == 0x7f {
                stopAlike(status >> 8 & 0xff)
                continue
            }
            if id == direct, ending == nil { end(Ending(waitStatus: status)) }
        }
    }

    /// The leader is left to those who ask for it by its number.
    private func reapAny(_ status: UnsafeMutablePointer<Int32>) -> pid_t {
        let id = clinux_ended_child()
        if case .inSession(let session) = child, id == session.leader.id { return 0 }
        return id > 0 ? unsafe waitpid(id, status, WNOHANG) : 0
    }

    private func resize() {
        for (real, stream) in terminals { WindowSize.copy(from: real, to: stream.source) }
        // The real terminal told the child, too, but before its own had the new size.
        if case .direct(let id) = child, ending == nil, !terminals.isEmpty { kill(id, SIGWINCH) }
    }

    // MARK: - Job control

    private func handleLeader() {
        guard case .inSession(let session) = child else { return }
        switch session.leader.next() {
        case .ended(let ending):
            unread = PseudoTerminal.unread(at: streams[0].source) + keys.bytes
            end(ending)
        case .stopped(let signal):
            for stream in streams { unsafe stream.drain(buffer) }
            // It wants the terminal that it can have.
            let wantsTerminal = signal == SIGTTIN || signal == SIGTTOU
            if !wantsTerminal || !userTerminal.isForeground { stop(signal) }
            resume(session.leader)
        case .started, .notStarted: break
        }
    }

    /// Stops as the command has stopped, and not before: what it does with the terminal for that, it must do while the
    /// terminal is its own, and whoever started us takes it back once we have stopped.
    private func stopAlike(_ signal: Int32) {
        guard [SIGTSTP, SIGTTIN, SIGTTOU].contains(signal) else { return }
        for stream in streams { unsafe stream.drain(buffer) }
        kill(getpid(), signal)
        SignalSet([signal]).unblock().install()
    }

    /// Stops as the command has stopped, until somebody goes on with this process.
    private func stop(_ signal: Int32) {
        userTerminal.restore()
        if signal == SIGSTOP {
            kill(getpid(), SIGSTOP)
        } else {
            // All of our process group, as the terminal would have done it. Where nobody could go on with the group, the
            // system takes no notice, and so the command goes on, too.
            kill(0, signal)
            SignalSet([signal]).unblock().install()
        }
        // What follows is done now.
        SignalSet([SIGCONT]).discard()
        resize()
    }

    /// Goes on after a stop, or with or without the terminal.
    private func resume(_ leader: borrowing SessionLeader) {
        let isForeground = userTerminal.isForeground
        if isForeground { userTerminal.makeRaw() } else { userTerminal.restore() }
        leader.resume(inForeground: isForeground)
    }
}

/// What was typed, and the child's terminal has not taken yet.
struct PendingKeys {
    private static let limit = 4096
    private(set) var bytes: [UInt8] = []

    var isEmpty: Bool { bytes.isEmpty }
    /// Keys that nobody reads stay where they are; none come any more from a terminal that was hung up.
    var hasRoom: Bool { bytes.count < Self.limit && !isHungUp }
    private var isHungUp = false

    mutating func read(from terminal: Int32) {
        var part = [UInt8](repeating: 0, count: Self.limit - bytes.count)
        let count = unsafe Glibc.read(terminal, &part, part.count)
        if count > 0 { bytes += part[..<count] } else { isHungUp = count == 0 || errno == EIO }
    }

    mutating func write(to terminal: Int32) {
        let count = unsafe Glibc.write(terminal, bytes, bytes.count)
        if count > 0 { bytes.removeFirst(count) }
    }
}
