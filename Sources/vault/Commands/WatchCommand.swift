internal import ArgumentParser
internal import Remotes
internal import SystemPackage

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follow the shared store, and run a command when the vault has changed.",
        discussion: """
            Fetches what is new as soon as it is there, and goes on until a signal ends it. The command is run each time \
            that the vault was changed, to reload a service, say; it is found through PATH, and never passes through a \
            shell. When it fails, a line on standard error says so. A store that cannot be reached is tried again and \
            again. Nothing is asked once it has begun.
            """)

    @Option(
        help: ArgumentHelp(
            "How often the store is looked into at least. Default: 60s.", valueName: "duration"))
    var interval: String?

    @OptionGroup var options: AccessOptions

    @Argument(parsing: .postTerminator, help: ArgumentHelp("The command, after --.", valueName: "command"))
    var command: [String] = []

    func run() throws {
        let access = options.access
        let seconds = try interval.map { try Expiry.duration($0, option: "--interval") } ?? 60
        guard (1...86_400).contains(seconds) else { throw Failure(.usage, "--interval is 1s to 1d") }
        // The command's bytes are taken from where they came in: here they were decoded as text.
        let start = Process.arguments.count - command.count
        let arguments = command.isEmpty ? nil : try CommandArguments(from: start)
        let path = try Session.path(access)
        let remote = try Remote.required(of: path)
        let program = try arguments.map { try Watch.Program(path: $0.program(), arguments: $0.plain()) }
        let session = try Session(access, mayBeMissingAt: path)
        let (store, synchronizer) = try remote.synchronizer(for: session, acceptsOlder: true)
        session.finish()
        var watch = Watch(session, store, synchronizer, interval: seconds, command: program)
        try watch.run()
    }
}
