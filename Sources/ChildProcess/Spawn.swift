internal import CLinux
internal import Glibc

/// A program with its arguments and environment, as the system takes them.
@safe
struct Spawn {
    /// Which process group the child belongs to.
    enum Group {
        case ours
        /// One of its own, in the foreground of the controlling terminal on that descriptor.
        case foreground(terminal: Int32)
    }

    private let program: UnsafePointer<CChar>
    private let arguments: [UnsafeMutablePointer<CChar>?]
    private let environment: [UnsafeMutablePointer<CChar>?]

    @unsafe
    init(
        program: UnsafePointer<CChar>, arguments: [UnsafePointer<CChar>], environment: [UnsafePointer<CChar>]
    ) {
        func list(_ strings: [UnsafePointer<CChar>]) -> [UnsafeMutablePointer<CChar>?] {
            unsafe strings.map { unsafe UnsafeMutablePointer(mutating: $0) } + [nil]
        }
        unsafe self.program = unsafe program
        unsafe self.arguments = unsafe list(arguments)
        unsafe self.environment = unsafe list(environment)
    }

    /// The program's path.
    var name: String { unsafe String(cString: program) }

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - descriptors: Which of ours it gets as its standard ones; the others are inherited.
    ///   - mask: The signals that it holds back.
    ///   - group: Its process group.
    /// - Returns: Its number, or the system's number for why it was not started.
    func start(
        descriptors: [(ours: Int32, standard: Int32)], mask: SignalSet, group: Group
    ) -> (id: pid_t, errno: Int32) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        for (ours, standard) in descriptors { unsafe posix_spawn_file_actions_adddup2(&actions, ours, standard) }
        var flags = POSIX_SPAWN_SETSIGMASK
        var signals = mask.set
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        if case .foreground(let terminal) = group {
            flags |= POSIX_SPAWN_SETPGROUP
            unsafe posix_spawnattr_setpgroup(&attributes, 0)
            unsafe clinux_spawn_in_foreground(&actions, terminal)
        }
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        var id: pid_t = 0
        let number = unsafe posix_spawn(&id, program, &actions, &attributes, arguments, environment)
        return (id, number)
    }
}
