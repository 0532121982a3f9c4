/// How the next version of a vault follows the one that is there.
struct Succession {
    /// The manifests that it names as those before it.
    let previous: [Hash]
    /// The members of the new version of the roster, which only the vault's owner can issue; nil where the roster stays.
    let members: [Member]?
    /// The higher of the generations before it, of this roster.
    let generation: Int
    /// The highest version of the roster before it.
    let rosterVersion: Int

    /// What follows the version that `reader` has open, and the newest one seen here, if any was.
    ///
    /// - Parameters:
    ///   - reader: The version that is there.
    ///   - seen: The newest one seen here.
    ///   - members: Those of a new roster, where they change.
    init(to reader: borrowing VaultReader, seen: Ratchet.State?, members: [Member]? = nil) {
        let state = reader.state
        var previous = [state.manifest]
        var needsNewRoster = false
        var generation = state.generation
        if let seen, seen.manifest != state.manifest {
            let isOtherRoster = seen.rosterVersion == state.rosterVersion && seen.roster != state.roster
            needsNewRoster = isOtherRoster || seen.rosterVersion > state.rosterVersion
            if isOtherRoster || !seen.isOlder(than: state) {
                // A restore. It names both versions as its predecessors, so that it is newer than either everywhere.
                previous.append(seen.manifest)
                if seen.rosterVersion == state.rosterVersion { generation = max(generation, seen.generation) }
            }
        }
        self.previous = previous
        self.members = members ?? (needsNewRoster || generation >= Number.maximum ? reader.roster.members : nil)
        self.generation = generation
        rosterVersion = max(state.rosterVersion, seen?.rosterVersion ?? 0)
    }
}
