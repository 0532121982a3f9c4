internal import ArgumentParser
internal import Remotes
internal import Resources
internal import SystemPackage
internal import VaultFile

/// Whether a write goes to the shared store.
struct SharingOptions: ParsableArguments {
    @Flag(name: .customLong("offline"), help: "Change only what is here, and leave the shared store alone.")
    var isOffline = false
}

/// The way of a write to the shared store, where the vault has one: what the store has is fetched before, so that the
/// write builds on it, and the result is brought there afterwards. Nothing of it keeps the write itself from being done.
struct Sharing {
    private let remote: Remote?
    private var store: (store: any Store, synchronizer: Synchronizer)?
    /// Why the store could not be looked into.
    private var failure: (any Error)?

    /// Fetches what the store has.
    ///
    /// - Throws: ``Failure`` for settings that make no sense.
    init(_ session: Session, _ options: SharingOptions) throws {
        remote = options.isOffline ? nil : try Remote(of: session.vault.path)
        guard let remote else { return }
        do {
            let store = try remote.synchronizer(for: session)
            self.store = store
            _ = try store.synchronizer.pull()
        } catch {
            failure = error
        }
    }

    /// Brings what was written to the store.
    ///
    /// - Throws: Why it is not there, unless it only could not be reached, which is told. What was written stays.
    func push(quiet: Bool) throws {
        guard let remote else { return }
        do {
            if let failure { throw failure }
            guard let store else { return }
            guard !store.store.isReadOnly else {
                Messages.note(
                    "the change is in the vault here alone: \(remote.url) can only be read", unless: quiet)
                return
            }
            if case .pushed(let merge?) = try store.synchronizer.push() { merge.noteDropped(unless: quiet) }
        } catch StoreError.unreachable(let reason) {
            Self.postpone(reason)
        } catch RemoteError.busy {
            Self.postpone("others write there all the time")
        } catch {
            Messages.print("the change is in the vault here, and not in the shared store")
            throw error
        }
    }

    private static func postpone(_ reason: String) {
        Messages.print(
            "not pushed yet: \(reason); the next change brings it to the store, or '\(Process.name) push' does")
    }
}

extension Remote {
    /// How long a store that could not be reached is left alone, in seconds: each try can take as long as that.
    private static let rest = 30

    /// Fetches what the store of a vault has, unless it answered within the last `seconds`. A store that cannot be
    /// reached, or could not a moment ago, or has something that is not taken, is told, and no failure.
    ///
    /// - Throws: ``Failure`` where there is no store.
    static func refresh(_ session: Session, olderThan seconds: Int) throws {
        guard let remote = try Remote(of: session.vault.path) else {
            throw Failure(.usage, "--max-age asks for a shared store, which the vault has not", hint: settingHint)
        }
        if let age = remote.age, age < seconds { return }
        func goOn(_ reason: String) {
            Messages.print("going on with the copy here (store \(remote.ageInWords)): \(reason)")
        }
        if let age = remote.failureAge, age < rest {
            return goOn("the shared store could not be reached \(TimeSpan.words(age)) ago")
        }
        do {
            _ = try remote.synchronizer(for: session).synchronizer.pull()
        } catch {
            if case StoreError.unreachable = error { remote.state.noteFailure() }
            goOn(Failure(error).message)
        }
    }
}
