internal import ArgumentParser
internal import UnlockAgent

struct LockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Forget the identity that 'unlock' holds ready.")

    @OptionGroup var options: AccessOptions

    func run() throws {
        var wasUnlocked = false
        for place in Places.agents() where try AgentClient.lock(at: place) { wasUnlocked = true }
        Messages.note(wasUnlocked ? "locked" : "nothing is unlocked", unless: options.access.quiet)
    }
}
