internal import ArgumentParser
internal import Glibc

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
