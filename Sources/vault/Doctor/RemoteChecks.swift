internal import Remotes
internal import Resources
internal import SystemPackage
internal import VaultFile

/// The shared store, as far as it is known without asking it.
enum RemoteChecks {
    /// How long it may not have answered, in seconds: a week.
    private static let longestSilence = 604_800

    /// What there is to say; nothing where the vault has no store.
    static func findings(_ path: FilePath, _ reader: borrowing VaultReader) -> [Finding] {
        let remote: Remote
        do {
            guard let found = try Remote(of: path) else { return [] }
            remote = found
        } catch {
            return [Finding(.remote, error)]
        }
        let memory = remote.state.load()
        let (pull, push) = ("'\(Process.name) pull'", "'\(Process.name) push'")
        guard let common = memory?.common, common.tag != nil else {
            return [
                Finding(
                    .remote, .todo, "\(remote.url) has had nothing in common with the vault yet",
                    hint: remote.url.isReadOnly ? pull : "\(pull) or \(push)")
            ]
        }
        if common.manifest != reader.version.manifest {
            guard !remote.url.isReadOnly else {
                return [
                    Finding(
                        .remote, .todo, "changes here are not in \(remote.url), which can only be read",
                        hint: "make them where the file comes from")
                ]
            }
            return [
                Finding(
                    .remote, .todo, "changes here were not brought to \(remote.url), or it has later ones",
                    hint: "\(pull), and \(push)")
            ]
        }
        if remote.age.map({ $0 > longestSilence }) ?? true {
            return [
                Finding(
                    .remote, .todo, "\(remote.url) was \(remote.ageInWords)",
                    hint: "see whether it answers with '\(Process.name) remote status'")
            ]
        }
        return [Finding(.remote, .ok, "\(remote.url) has what is here, as it was \(remote.ageInWords)")]
    }
}
