internal import ArgumentParser
internal import Remotes
internal import Resources
internal import SystemPackage
internal import VaultFile

struct PullCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetch what the shared store has.",
        discussion: """
            It is checked like any vault, and takes the place of the one here; with changes of its own, that is merged \
            with it. Where both sides changed the same, nothing is done, and the resources are named (exit 1). On a new \
            machine the vault comes into being.
            """)

    @OptionGroup var preference: PreferenceOption

    @OptionGroup var options: AccessOptions

    func run() throws {
        let access = options.access
        let path = try Session.path(access)
        let remote = try Remote.required(of: path)
        let session = try Session(access, mayBeMissingAt: path)
        let (store, synchronizer) = try remote.synchronizer(
            for: session, preferring: preference.prefer, acceptsOlder: true, patience: Remote.longPatience)
        let isNew = DurableFile.status(of: path) == nil
        let pulled = try synchronizer.pull()
        if isNew { session.rememberIfUnknown() }
        let quiet = access.quiet
        switch pulled {
        case .empty where store.isReadOnly:
            throw Failure(
                .missing, "there is nothing at \(remote.url)",
                hint: "see whether the URL is right: '\(Process.name) remote set' gives the vault another one")
        case .empty:
            Messages.note(
                isNew
                    ? "there is nothing in the store"
                    : "there is nothing in the store; '\(Process.name) push' fills it",
                unless: quiet)
        case .adopted: Messages.note("took the version of the store", unless: quiet)
        case .merged(let merge): merge.note(unless: quiet)
        case .nothing:
            let waiting = store.isReadOnly ? "are here alone" : "wait for '\(Process.name) push'"
            let own = try synchronizer.hasOwnChanges() ? "; changes of this machine \(waiting)" : ""
            Messages.note("there is nothing new in the store\(own)", unless: quiet)
        }
        session.finish()
        if case .empty = pulled, isNew { throw VaultError.noSuchFile(path.string) }
    }
}
