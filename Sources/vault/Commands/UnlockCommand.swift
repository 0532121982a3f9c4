internal import ArgumentParser
internal import Glibc
internal import Resources
internal import UnlockAgent
internal import VaultFile

struct UnlockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Hold the identity ready, so that its passphrase is asked for once.",
        discussion: """
            An agent in the background keeps the identity in memory, and opens vaults and signs with it for the other \
            commands of this user, until the time is over or 'lock' ends it. It gives the identity to nobody.
            """)

    @Option(help: ArgumentHelp("How long, such as 30m or 8h; a sleeping machine counts.", valueName: "duration"))
    var ttl = "1h"

    @OptionGroup var options: AccessOptions

    func run() throws {
        var access = options.access
        // What it holds already is not unlocked once more.
        access.usesAgent = false
        let seconds = try Expiry.duration(ttl, option: "--ttl")
        guard seconds > 0 else { throw Failure(.usage, "--ttl is no time at all", hint: "write 30m or 8h") }
        let loaded = try IdentitySource(access).load()
        let agent = try AgentClient.start(
            at: Places.agent(), program: "/proc/self/exe", arguments: [Process.name, AgentCommand.verb])
        try agent.hold(loaded.sources, for: seconds)
        let until = Timestamp(seconds: Timestamp.now.seconds + seconds)
        Messages.note("unlocked for \(TimeSpan.words(seconds)), until \(until)", unless: access.quiet)
    }
}
