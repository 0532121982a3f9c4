internal import CLinux
internal import Glibc

/// A set of signals, as a mask of a process.
struct SignalSet {
    private(set) var set = sigset_t()

    init(_ numbers: some Sequence<Int32>) {
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
    }

    /// All of them.
    static var full: SignalSet {
        var full = SignalSet([])
        unsafe sigfillset(&full.set)
        return full
    }

    /// Holds these back, too.
    ///
    /// - Returns: What was held back before.
    @discardableResult
    func block() -> SignalSet {
        var new = set
        var before = SignalSet([])
        unsafe sigprocmask(SIG_BLOCK, &new, &before.set)
        return before
    }

    /// Lets these through.
    ///
    /// - Returns: What was held back before.
    @discardableResult
    func unblock() -> SignalSet {
        var new = set
        var before = SignalSet([])
        unsafe sigprocmask(SIG_UNBLOCK, &new, &before.set)
        return before
    }

    /// Holds back exactly these.
    func install() {
        var new = set
        unsafe sigprocmask(SIG_SETMASK, &new, nil)
    }

    /// Waits for one of these, which are held back, and takes it.
    func wait() -> Int32 {
        var waited = set
        return unsafe sigwaitinfo(&waited, nil)
    }

    /// Takes those that have come already, and forgets them.
    func discard() {
        var waited = set
        var now = timespec()
        while unsafe sigtimedwait(&waited, nil, &now) > 0 {}
    }
}

/// The signals that come to this process, read from a descriptor: nothing interrupts it, and none ends it.
struct Signals: ~Copyable {
    /// A signal that came.
    struct Received {
        let number: Int32
        /// Whether the terminal's driver sent it, and so to all of the foreground process group.
        let isFromKernel: Bool
    }

    /// What somebody may send to end a program, or to tell it something. Those of a fault are of this process alone.
    static let forwarded: [Int32] = {
        let named = [
            SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT,
        ]
        return named + Array(clinux_first_realtime_signal()...clinux_last_realtime_signal())
    }()

    /// Where they are read.
    let descriptor: Int32
    /// What was held back before, and is for the child, too.
    let before: SignalSet

    /// Begins to hold signals back, and to read these besides what is forwarded and the end of children.
    init(reading others: [Int32]) throws(SystemError) {
        // One that is ignored would be queued once it is held back; so it is left alone, and the child ignores it, too.
        let read = (Self.forwarded + others).filter { clinux_is_ignored($0) == 0 } + [SIGCHLD]
        var set = SignalSet(read).set
        let descriptor = unsafe clinux_signalfd(&set)
        guard descriptor >= 0 else { throw SystemError("watching signals") }
        self.descriptor = descriptor
        // A pipe that nobody reads, and a limit on the size of files, are errors of writing.
        before = SignalSet(read + [SIGPIPE, SIGXFSZ]).block()
        // Where our parent ignores it, the system would forget how the child ended. POSIX leaves open what the child
        // then finds.
        _ = signal(SIGCHLD, SIG_DFL)
    }

    /// The next one that has come already.
    func next() -> Received? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard unsafe read(descriptor, &info, size) == size else { return nil }
        return Received(number: Int32(info.ssi_signo), isFromKernel: info.ssi_code == 0x80)
    }

    deinit { close(descriptor) }
}
