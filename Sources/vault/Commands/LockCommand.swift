internal import ArgumentParser
internal import UnlockAgent

struct LockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Forget the identity that 'unlock' holds ready.")

    @OptionGroup var options: AccessOptions

    func run() throws {
        var wasUnlocked = false
        var failure: AgentFailure?
        for (number, place) in Places.agents().enumerated() {
            // Where others can put something, that is not asked.
            if number > 0, place.defect != nil { continue }
            // Whatever becomes of one, the others are to forget as well.
            do throws(AgentFailure) {
                if try AgentClient.lock(at: place) { wasUnlocked = true }
            } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
        Messages.note(wasUnlocked ? "locked" : "nothing is unlocked", unless: options.access.quiet)
    }
}
