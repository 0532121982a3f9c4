internal import CLinux
internal import Glibc
internal import Sodium

/// The terminal of the person, /dev/tty, for questions.
struct Terminal: ~Copyable {
    private let descriptor: Int32
    /// Open, and locked, while it is this process's turn to ask; below zero when there is no such device.
    private let turn: Int32

    /// Why nobody is asked, in words behind what would have been asked for.
    static func absence(_ access: Access) -> String {
        if access.noInput { return "--no-input is given" }
        if access.isHelper { return "a helper asks nobody" }
        return isAllowed(access) ? "there is nobody to ask" : "nobody is asked since CI is set"
    }

    /// Whether questions can be asked at all.
    static func isAllowed(_ access: Access) -> Bool {
        !(access.noInput || access.isHelper || Variables.isCI)
    }

    /// The terminal, or nil when there is none or nobody may be asked.
    init?(_ access: Access) {
        guard Self.isAllowed(access), case let opened = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY),
            opened >= 0
        else { return nil }
        descriptor = opened
        // Two commands of one pipeline that both ask take turns: on the device itself, since /dev/tty is everybody's.
        turn = Self.device().map { unsafe open($0, O_RDONLY | O_CLOEXEC | O_NOCTTY) } ?? -1
        guard turn >= 0 else { return }
        // Not for ever: one that was stopped keeps its turn.
        var waited = 0
        while flock(turn, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR, waited < Self.patience {
            usleep(50_000)
            waited += 50
        }
    }

    /// How long another one may take for its turn, in milliseconds: long enough to type a passphrase.
    private static let patience = 30_000

    deinit {
        if turn >= 0 { close(turn) }
        close(descriptor)
    }

    /// Asks for a secret without showing it, and removes the question afterwards.
    func readSecret(_ question: String) throws -> SecretBytes {
        try readSecret(question) { $0 }
    }

    /// Asks for a secret, and shows nothing of what is typed until `work` is done with it either: whoever pastes the next
    /// secret while a passphrase is still being computed must not see it on the screen.
    func readSecret<R: ~Copyable>(_ question: String, _ work: (consuming SecretBytes) throws -> R) throws -> R {
        var before = sigset_t()
        var ending = sigset_t()
        unsafe sigemptyset(&ending)
        for signal in Self.endingSignals { unsafe sigaddset(&ending, signal) }
        unsafe sigprocmask(SIG_BLOCK, &ending, &before)
        defer { unsafe sigprocmask(SIG_SETMASK, &before, nil) }
        var saved = termios()
        guard unsafe tcgetattr(descriptor, &saved) == 0 else { throw Failure(.io, "the terminal does not answer") }
        var silent = saved
        // Character by character and without signals, so that the terminal is put right before the program ends of one.
        // Those that come from elsewhere are held back until then.
        silent.c_lflag &= ~tcflag_t(ECHO | ECHONL | ISIG | ICANON)
        unsafe tcsetattr(descriptor, TCSAFLUSH, &silent)
        defer { unsafe tcsetattr(descriptor, TCSAFLUSH, &saved) }
        // Only now, since who sees the question may answer at once.
        show(question)
        defer { show("\r\u{1b}[K") }
        let secret = try readLine { byte, line in
            switch byte {
            case 0x03, 0x1c: throw Failure(code: 130, "interrupted")
            case 0x04: return true
            case 0x7f, 0x08: line.dropCharacter()
            case 0x15: line.removeAll()
            case ..<0x20: break
            default: line.append(byte)
            }
            return false
        }
        return try work(secret)
    }

    /// Asks a question whose answer is shown.
    func readAnswer(_ question: String) throws -> String {
        show(question)
        return try readLine { byte, line in
            line.append(byte)
            return false
        }.withBytes { String(decoding: $0.publicCopy, as: UTF8.self) }
    }

    /// Reads up to the end of a line; `take` gets each byte and says whether it ends the line as well.
    private func readLine(_ take: (UInt8, inout SecretBuffer) throws -> Bool) throws -> SecretBytes {
        var line = SecretBuffer(capacity: 1024)
        while true {
            try waitForKey()
            var byte: UInt8 = 0
            let count = unsafe read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw Failure(.io, "reading from the terminal: \(Failure.text(errno))") }
            if try count == 0 || byte == UInt8(ascii: "\n") || take(byte, &line) { return line.finish() }
            if line.count > SecretInput.maximumSize { throw Failure(.usage, "the line is too long") }
        }
    }

    /// Waits until something is typed, or a signal is held back that would end the program.
    private func waitForKey() throws {
        var key = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&key, 1, 100) <= 0 {
            var pending = sigset_t()
            unsafe sigpending(&pending)
            for signal in Self.endingSignals where unsafe sigismember(&pending, signal) == 1 {
                throw Failure(code: 128 + signal, "interrupted")
            }
        }
    }

    private static let endingSignals = [SIGHUP, SIGINT, SIGQUIT, SIGTERM]

    private func show(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    }

    /// The path of the controlling terminal's own device, when it is a pseudo-terminal.
    private static func device() -> String? {
        guard let file = unsafe fopen("/proc/self/stat", "re") else { return nil }
        defer { unsafe fclose(file) }
        var buffer = [CChar](repeating: 0, count: 1024)
        guard unsafe fgets(&buffer, 1024, file) != nil else { return nil }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Behind the program's name in parentheses: state, parent, group, session, terminal.
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[end...].split(separator: " ")
        guard fields.count > 5, let number = Int(fields[5]), number != 0 else { return nil }
        let major = number >> 8 & 0xfff
        let minor = number & 0xff | number >> 12 & 0xfff00
        return (136...143).contains(major) ? "/dev/pts/\((major - 136) << 8 + minor)" : nil
    }
}
