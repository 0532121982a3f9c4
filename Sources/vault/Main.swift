internal import ArgumentParser
internal import CLinux
internal import Glibc
internal import Sodium

/// Where the program begins: harden, take the short way for `exec`, and parse everything else.
@main
enum Main {
    static func main() {
        Process.harden()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            // Before the parser of the other commands is touched: its set-up would cost more than all of exec.
            if arguments.first == ExecCommand.verb, let request = ExecRequest(fast: arguments) {
                try request.run()
            } else {
                try run(arguments)
            }
        } catch {
            // Nobody may listen any more; the exit code is still the answer.
            signal(SIGPIPE, SIG_IGN)
            Failure(error).end(isExec: arguments.first == ExecCommand.verb)
        }
        exit(0)
    }

    private static func run(_ arguments: [String]) throws {
        var command: any ParsableCommand
        do {
            command = try RootCommand.parseAsRoot(arguments)
        } catch {
            guard try printed(error) else { throw Failure(parser: error, arguments) }
            return
        }
        do {
            try command.run()
        } catch {
            guard try printed(error) else { throw error }
        }
    }

    /// ArgumentParser hands over help, versions and completions as errors that mean success: those are printed.
    private static func printed(_ error: any Error) throws -> Bool {
        guard RootCommand.exitCode(for: error).isSuccess else { return false }
        try Output.write(RootCommand.message(for: error) + "\n")
        return true
    }
}

/// What the process does to itself before it reads anything.
enum Process {
    /// The name that the program was called by, for its messages.
    static let name: String = {
        let path = CommandLine.arguments.first ?? ""
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        return name.isEmpty ? "vault" : name
    }()

    nonisolated(unsafe) private static var ignoresFileSize = false

    /// Gives signals back as they were, for the program that this one becomes.
    static func restoreSignals() {
        if unsafe !ignoresFileSize { signal(SIGXFSZ, SIG_DFL) }
    }

    /// Keeps the process from being read by others of the user or dumped, and closes a trap: with a standard descriptor
    /// closed, the next file to be opened would get its number, and output would go into it.
    static func harden() {
        _ = clinux_set_dumpable(0)
        // Swift's crash reporter would hand the whole memory to another program.
        for number in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] where clinux_is_handled(number) != 0
        {
            signal(number, SIG_DFL)
        }
        // A limit on the size of files is an error of writing, not the end of the program.
        unsafe ignoresFileSize = clinux_is_ignored(SIGXFSZ) != 0
        signal(SIGXFSZ, SIG_IGN)
        unsafe SecretMemory.exhausted = { bytes in
            let isExec = CommandLine.arguments.dropFirst().first == ExecCommand.verb
            Failure(.io, "there is not enough memory for \(bytes) bytes of secrets").end(isExec: isExec)
        }
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
            // For reading only, so that output fails rather than vanishes; not for a child, which finds it closed as
            // it was.
            _ = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        }
    }
}
