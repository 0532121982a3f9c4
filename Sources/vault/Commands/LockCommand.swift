internal import ArgumentParser
internal import UnlockAgent

struct LockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Forget the identity that 'unlock' holds ready.")

    @OptionGroup var options: AccessOptions

    func run() throws {
        let wasUnlocked = try AgentClient.lock(at: Places.agent())
        Messages.note(wasUnlocked ? "locked" : "nothing is unlocked", unless: options.access.quiet)
    }
}
