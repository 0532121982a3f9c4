/// How the next version of a vault follows the one that is there.
struct Succession {
    /// The manifests that it names as those before it.
    let previous: [Hash]
    /// Whether only a new version of the roster can bring the vault forward, which only its owner can issue.
    let needsNewRoster: Bool
    /// The higher of the generations before it, of this roster.
    let generation: Int
    /// The highest version of the roster before it.
    let rosterVersion: Int

    /// What follows the version that `reader` has open, and the newest one seen here, if any was.
    init(to reader: borrowing VaultReader, seen: Ratchet.State?) {
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
        self.needsNewRoster = needsNewRoster || generation >= Number.maximum
        self.generation = generation
        rosterVersion = max(state.rosterVersion, seen?.rosterVersion ?? 0)
    }
}
