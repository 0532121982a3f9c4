internal import Age
internal import Glibc
internal import UnlockAgent
internal import VaultFile

/// Whether there is an agent, and whether it is one.
struct AgentChecks {
    private(set) var findings: [Finding] = []
    /// Whether it can be asked for anything: also where there is none, which is found out at once.
    private(set) var answers = true

    init() {
        let place = Places.agent()
        if let defect = place.defect {
            findings.append(Finding(.agent, AgentFailure.place(.folder(place.folder, defect))))
        }
        let listener = AgentClient.listener(at: place)
        if let listener, listener.user != geteuid() {
            findings.append(
                Finding(
                    .agent, .todo,
                    "process \(listener.process) of user \(listener.user) listens at \(place.socket), and is not asked "
                        + "for anything", hint: "find out who put that there, and remove it: rm \(place.socket)"))
            return
        }
        do {
            if let status = try AgentClient(at: place)?.status() {
                let recipients = status.origins.flatMap(\.identities).map(\.recipient.description).enumeration
                findings.append(
                    Finding(.agent, .ok, "unlocked until \(Timestamp(seconds: status.until)): \(recipients)"))
            } else if findings.isEmpty {
                findings.append(Finding(.agent, .ok, "nothing is unlocked"))
            }
        } catch {
            answers = false
            let process = listener?.process
            findings.append(
                Finding(
                    .agent, .todo, Failure(error).message,
                    hint: process.map { "end it, and what it holds with it: kill -KILL \($0)" }))
        }
    }
}
