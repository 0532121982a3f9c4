internal import ArgumentParser
internal import UnlockAgent

/// What `unlock` starts in the background: nothing for people, and so not shown to them.
struct AgentCommand: ParsableCommand {
    static let verb = "agent"

    static let configuration = CommandConfiguration(
        commandName: verb, abstract: "Hold identities; started by 'unlock'.", shouldDisplay: false)

    func run() throws {
        guard AgentServer.run() else {
            throw Failure(
                .usage, "the agent is not started by hand", hint: "use '\(Process.name) unlock', which starts it")
        }
    }
}
