internal import ArgumentParser
internal import Remotes
internal import Resources
internal import SystemPackage
internal import VaultFile

struct PushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Bring the vault to the shared store.",
        discussion: """
            What others have brought there meanwhile is merged first, as by 'pull'. A store that has a version older \
            than one seen here, as after its restore from a backup, is left as it is (exit 65), unless --accept-older \
            has the vault take its place.
            """)

    @OptionGroup var preference: PreferenceOption

    @OptionGroup var options: AccessOptions

    func run() throws {
        let access = options.access
        let session = try Session(access)
        let remote = try Remote.required(of: session.vault.path)
        let synchronizer = try remote.synchronizer(
            for: session, preferring: preference.prefer, patience: Remote.longPatience
        ).synchronizer
        // It is the store's version that may be older: that one is replaced, and never taken.
        let pushed = try synchronizer.push(replacingOlder: access.acceptOlder)
        switch pushed {
        case .nothing: Messages.note("the store has it already", unless: access.quiet)
        case .adopted: Messages.note("took the version of the store, which is later", unless: access.quiet)
        case .pushed(let merge):
            merge?.note(unless: access.quiet)
            Messages.note("brought to \(remote.url)", unless: access.quiet)
        }
        session.finish()
    }
}
