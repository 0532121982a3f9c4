internal import ArgumentParser
internal import UnlockAgent

struct LockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Forget the identity that 'unlock' holds ready.")

    @OptionGroup var options: AccessOptions

    func run() throws {
        guard let agent = AgentClient(at: Places.agent()) else {
            return Messages.note("nothing is unlocked", unless: options.access.quiet)
        }
        try agent.lock()
        Messages.note("locked", unless: options.access.quiet)
    }
}
