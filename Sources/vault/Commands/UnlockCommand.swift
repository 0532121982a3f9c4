internal import ArgumentParser
internal import Glibc
internal import Resources
internal import SystemPackage
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
        let place = Places.agent()
        // Before a passphrase is asked for.
        do { try place.prepare() } catch { throw AgentFailure.place(error) }
        let origins = try IdentitySource(access).load().origins.map { origin in
            var origin = origin
            // Whoever reads of it may be in another folder.
            if !origin.name.hasPrefix("VAULT_") { origin.name = "\(KnownVaults.place(of: FilePath(origin.name)))" }
            return origin
        }
        let isKeptFromSwap = try AgentClient.hold(
            origins, for: seconds, at: place, program: "/proc/self/exe", arguments: [Process.name, AgentCommand.verb])
        let until = Timestamp(seconds: Timestamp.now.seconds + seconds)
        Messages.note("unlocked for \(TimeSpan.words(seconds)), until \(until)", unless: access.quiet)
        for origin in origins where origin.fileHash == nil && !origin.name.hasPrefix("VAULT_") {
            Messages.note(
                "\(origin.name) has no passphrase, and opens the vault without the agent as well", unless: access.quiet)
        }
        if !isKeptFromSwap { Session.noteUnlockedMemory(unless: access.quiet) }
    }
}
