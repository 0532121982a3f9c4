internal import CLinux
internal import Glibc

/// A terminal that this process plays: what a child writes to the replica is read at the leader.
struct PseudoTerminal: ~Copyable {
    /// Our end; does not block.
    let leader: Int32
    /// The child's end.
    let replica: Int32

    /// Makes one that looks like `terminal`.
    ///
    /// - Parameter processesOutput: Whether line ends and the like are changed for display here; otherwise bytes arrive
    ///   as they were written, for the real terminal to do that.
    init(like terminal: Int32, processesOutput: Bool) throws(SystemError) {
        let operation = "making a pseudo-terminal"
        let leader = clinux_open_leader(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard leader >= 0 else { throw SystemError(operation) }
        guard clinux_unlock(leader) == 0, case let opened = clinux_open_replica(leader), opened >= 0 else {
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

    /// Closes the child's end here, once the child has it.
    ///
    /// - Returns: Our end, to be closed by the caller.
    consuming func takeLeader() -> Int32 {
        let taken = leader
        close(replica)
        discard self
        return taken
    }

    deinit {
        close(leader)
        close(replica)
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
