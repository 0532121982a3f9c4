internal import CLinux
internal import Glibc

/// The agent: keeps identities in guarded memory and uses them for the programs of one user, and gives none away.
///
/// One thread, one loop, and no waiting for anybody: a client that sends nothing, or does not read, costs a descriptor
/// for a while.
public struct AgentServer: ~Copyable {
    /// The descriptors that an agent is started with: the socket that it listens at, and the lock that it holds.
    static let listener: Int32 = 3
    static let lock: Int32 = 4

    /// How long a client may say nothing, in seconds; and how long the agent waits for its first identities.
    private static let patience = 10
    /// How often the agent looks whether it can still be found, in seconds.
    private static let round = 60

    /// Where the socket is, and which file that was at the start.
    private let socket: String
    private let socketFile: FileNumber
    private let signals: Int32
    /// Both kinds, so that neither a clock that is set back nor a machine that sleeps gives them a longer life.
    private let alarms: [Alarm]
    private var held = HeldIdentities()
    private var clients: [Client] = []

    private struct Client {
        let descriptor: Int32
        /// When something came from it, or it was let in, in seconds.
        var heard = now

        static var now: Int { seconds(CLOCK_MONOTONIC) }
    }

    /// Serves until a client, a signal, or the time says that it is over.
    ///
    /// - Returns: False when this process was not started as ``AgentClient/start(at:program:arguments:)`` starts one.
    public static func run() -> Bool {
        guard clinux_is_listening(listener) == 1, fcntl(lock, F_GETFD) >= 0,
            let socket = PacketSocket.path(of: listener), setsid() > 0
        else { return false }
        detach()
        guard var server = AgentServer(socket) else { return true }
        server.serve()
        if server.canBeFound { _ = unsafe unlink(socket) }
        return true
    }

    /// Lets go of everything that belongs to who started this process.
    private static func detach() {
        // It would be called by the link that it was started through.
        _ = unsafe clinux_set_name("vault agent")
        _ = clinux_close_range(UInt32(lock) + 1, .max)
        let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        for standard in Int32(0)...2 { dup2(null, standard) }
        close(null)
        _ = unsafe chdir("/")
        // Whoever connects is told by the system who listens: from here on, this process.
        _ = listen(listener, PacketSocket.backlog)
        _ = fcntl(listener, F_SETFL, O_NONBLOCK)
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            limit.rlim_cur = limit.rlim_max
            _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
    }

    private init?(_ socket: String) {
        var ending = sigset_t()
        unsafe sigemptyset(&ending)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] { unsafe sigaddset(&ending, number) }
        unsafe sigprocmask(SIG_SETMASK, &ending, nil)
        signals = unsafe clinux_signalfd(&ending)
        alarms = [CLOCK_REALTIME, CLOCK_BOOTTIME].compactMap { Alarm($0) }
        self.socket = socket
        socketFile = FileNumber(socket)
        guard signals >= 0, alarms.count == 2 else { return nil }
        for alarm in alarms { alarm.set(after: Self.patience) }
    }

    private mutating func serve() {
        var lookedFor = Client.now
        let own = [signals, Self.listener] + alarms.map(\.descriptor)
        while true {
            var polled = (own + clients.map(\.descriptor)).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            let timeout = clients.isEmpty ? Self.round : 1
            let count = unsafe poll(&polled, nfds_t(polled.count), Int32(timeout * 1000))
            guard count >= 0 || errno == EINTR else { return }
            // Time and signals come before anybody's question.
            if polled[0].revents != 0 || alarms.contains(where: \.hasRung) { return }
            if Client.now - lookedFor >= Self.round {
                guard canBeFound else { return }
                lookedFor = Client.now
            }
            guard hear(polled[own.count...]) else { return }
            if polled[1].revents != 0 { letIn() }
        }
    }

    /// Answers those who have asked something, and sends those away who have nothing to say.
    ///
    /// - Returns: False when one of them has locked the agent.
    private mutating func hear(_ polled: ArraySlice<pollfd>) -> Bool {
        let now = Client.now
        for (client, index) in zip(polled, clients.indices).reversed() {
            if client.revents == 0 {
                if now - clients[index].heard > Self.patience { sendAway(index) }
                continue
            }
            clients[index].heard = now
            switch answer(client.fd) {
            case .none?: break
            case .held(let seconds)?: for alarm in alarms { alarm.set(after: seconds) }
            case .locked?: return false
            case nil: sendAway(index)
            }
        }
        return true
    }

    /// Reads a request and answers it, without waiting.
    ///
    /// - Returns: What follows; nil when the client is gone, talks rubbish, or does not read.
    private mutating func answer(_ descriptor: Int32) -> HeldIdentities.Answer.Effect? {
        let flags = Int32(MSG_DONTWAIT)
        guard let request = PacketSocket.receive(from: descriptor, flags: flags),
            let answer = held.answer(request, now: seconds(CLOCK_REALTIME))
        else { return nil }
        // Gone before it is said.
        if case .locked = answer.effect { held = HeldIdentities() }
        let isSent = PacketSocket.send(answer.reply, to: descriptor, flags: flags)
        if case .none = answer.effect, !isSent { return nil }
        return answer.effect
    }

    private mutating func letIn() {
        // Not all at once, so that those who are in are not forgotten meanwhile.
        for _ in 0..<64 {
            let client = clinux_accept(Self.listener)
            if client >= 0 {
                if PacketSocket.peer(of: client)?.user == geteuid() {
                    clients.append(Client(descriptor: client))
                } else {
                    close(client)
                }
            } else if errno == EMFILE || errno == ENFILE {
                // Whoever has said nothing for the longest time makes room.
                guard let oldest = clients.indices.min(by: { clients[$0].heard < clients[$1].heard }) else { return }
                sendAway(oldest)
            } else {
                return
            }
        }
    }

    private mutating func sendAway(_ index: Int) {
        close(clients[index].descriptor)
        clients.remove(at: index)
    }

    /// Whether the socket at the path is still this one's. Otherwise nobody could lock this agent.
    private var canBeFound: Bool { FileNumber(socket) == socketFile }
}

/// Which file stands at a path: another one has other numbers. All zero when there is none.
private struct FileNumber: Equatable {
    private let device: UInt
    private let inode: UInt

    init(_ path: String) {
        var status = stat()
        _ = unsafe lstat(path, &status)
        device = status.st_dev
        inode = status.st_ino
    }
}

/// What rings once, at a time of one of the system's clocks.
private struct Alarm {
    let descriptor: Int32
    private let clock: clockid_t

    init?(_ clock: clockid_t) {
        descriptor = clinux_timer(clock)
        self.clock = clock
        if descriptor < 0 { return nil }
    }

    func set(after seconds: Int) {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        time.tv_sec += seconds
        _ = unsafe clinux_set_timer(descriptor, &time)
    }

    var hasRung: Bool {
        var count: UInt64 = 0
        return unsafe read(descriptor, &count, 8) == 8
    }
}

/// What a clock shows, in seconds.
private func seconds(_ clock: clockid_t) -> Int {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return time.tv_sec
}
