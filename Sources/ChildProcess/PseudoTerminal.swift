internal import CLinux
internal import Glibc

/// A terminal that this process plays: what a child writes to the replica is read at the leader.
struct PseudoTerminal: ~Copyable {
    /// Our end; does not block.
    let leader: Int32
    /// The child's end.
    let replica: Int32

    /// Makes one that looks like `terminal`. Where it does not process output, line ends and the like arrive as they were
    /// written, for the real terminal to change them for display.
    init(like terminal: Int32, processesOutput: Bool) throws(SystemError) {
        let operation = "making a pseudo-terminal"
        let leader = clinux_open_leader(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard leader >= 0 else { throw SystemError(operation) }
        guard clinux_unlock(leader) == 0, case let opened = clinux_open_replica(leader, O_RDWR | O_NOCTTY | O_CLOEXEC),
            opened >= 0
        else {
            let error = SystemError(operation)
            close(leader)
            throw error
        }
        var settings = termios()
        if unsafe tcgetattr(terminal, &settings) == 0 {
            if !processesOutput { settings.c_oflag &= ~tcflag_t(OPOST) }
            unsafe tcsetattr(opened, TCSANOW, &settings)
        }
        WindowSize.copy(from: terminal, to: leader)
        self.leader = leader
        replica = opened
    }

    /// Both ends, to be closed by the caller.
    consuming func take() -> (leader: Int32, replica: Int32) {
        let taken = (leader, replica)
        discard self
        return taken
    }

    deinit {
        close(leader)
        close(replica)
    }
}

extension PseudoTerminal {
    /// Takes what was typed at a leader, and nobody has read.
    static func unread(at leader: Int32) -> [UInt8] {
        let replica = clinux_open_replica(leader, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard replica >= 0 else { return [] }
        defer { close(replica) }
        // A line without its end is to be read, too.
        var settings = termios()
        guard unsafe tcgetattr(replica, &settings) == 0 else { return [] }
        settings.c_lflag &= ~tcflag_t(ICANON)
        unsafe tcsetattr(replica, TCSANOW, &settings)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(replica, &bytes, bytes.count)
        return Array(bytes.prefix(max(count, 0)))
    }
}

/// Rows and columns.
enum WindowSize {
    /// Gives a terminal the size of another; programs in its foreground are told if that is a change.
    static func copy(from terminal: Int32, to other: Int32) {
        var size = winsize()
        if unsafe clinux_get_window_size(terminal, &size) == 0 { _ = unsafe clinux_set_window_size(other, &size) }
    }
}
