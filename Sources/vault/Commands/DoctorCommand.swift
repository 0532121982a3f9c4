internal import ArgumentParser

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look for what makes secrets less safe, and say what to do.",
        discussion: """
            Permissions, memory and core files, the agent, the clock, the identity, every block of the vault, the tokens, \
            the copy beside it, and what is known of its shared store. Exit 1 when something needs doing.
            """)

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let findings = try Doctor.findings(options.access)
        if json {
            try Output.write(ResourceJSON.list(findings.map(\.json)) + "\n")
        } else {
            let isColoured = Output.isColoured
            try Output.write(findings.map { $0.text(isColoured: isColoured) }.joined())
        }
        if findings.contains(where: { $0.state == .todo }) { throw Failure.no }
    }
}
