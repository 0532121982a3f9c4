internal import ArgumentParser
internal import Glibc

/// Where the program begins: harden, take the short way for `exec`, and parse everything else.
@main
enum Main {
    static func main() {
        Process.harden()
        // Swift reads them from /proc, for which a descriptor has to be free. What cannot be told from exec fails as that.
        guard CommandLine.argc > 0 else {
            Failure(.io, "the command line cannot be read", hint: "raise the limit of 'ulimit -n'").end(isExec: true)
        }
        var arguments = Array(Process.arguments.dropFirst())
        if let helper = Process.helper { arguments = [HelperCommand.verb, helper] + arguments }
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
        // Otherwise the help of all would be printed for it, as if that had been asked for.
        if arguments.first == "help", let failure = UnknownVerb.failure(arguments) { throw failure }
        var command: any ParsableCommand
        do {
            command = try RootCommand.parseAsRoot(arguments)
        } catch {
            guard try printed(error, arguments) else { throw Failure(parser: error, arguments) }
            return
        }
        do {
            try command.run()
        } catch {
            guard try printed(error, arguments) else { throw error }
        }
    }

    /// ArgumentParser hands over help, versions and completions as errors that mean success: those are printed.
    private static func printed(_ error: any Error, _ arguments: [String]) throws -> Bool {
        guard RootCommand.exitCode(for: error).isSuccess else { return false }
        // The parser finds -h in -ghp_…, takes --help=no for --help, and would call a mistake a success.
        let options = arguments.prefix { $0 != "--" }
        let isAsked = options.contains { ["-h", "-help", "--help"].contains($0) }
        let isMistake = options.contains { option in
            option.hasPrefix("--help=") || option.hasPrefix("--version=")
                || !isAsked && option.utf8.count > 2 && option.hasPrefix("-") && !option.hasPrefix("--")
        }
        if isMistake { throw Failure(unknownOptionOf: arguments) }
        let text = RootCommand.message(for: error)
        try Output.write(HelpText.amended(Completion.amended(text)) + "\n")
        return true
    }
}
