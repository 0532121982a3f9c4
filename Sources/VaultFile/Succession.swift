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

    /// What follows two versions at once, which it names as its predecessors.
    ///
    /// - Parameters:
    ///   - ours: One of them.
    ///   - theirs: The other one.
    ///   - seen: The newest version seen here.
    ///   - countsOnFromSeen: Whether the generation is to be above that of the version seen, too. In git's history, which
    ///     has branches, it is not: a version is compared with the one that it comes from.
    ///   - members: Those of a new roster, where both changed it.
    ///   - side: Whose roster is kept otherwise.
    init(
        merging ours: VaultVersion, _ theirs: VaultVersion, seen: Ratchet.State?,
        countingOnFromSeen countsOnFromSeen: Bool, members: [Member]?,
        keeping side: VersionDifferences.Side
    ) {
        let versions = [ours.state, theirs.state]
        let roster = (side == .ours ? ours : theirs).state.roster
        previous = versions.map(\.manifest)
        self.members = members
        var generation = versions.filter { $0.roster == roster }.map(\.generation).max() ?? 0
        if countsOnFromSeen, let seen, seen.roster == roster, !previous.contains(seen.manifest) {
            // Neither of the two, so that the next generation would be taken for no successor of it.
            generation = max(generation, seen.generation + 1)
        }
        self.generation = generation
        rosterVersion = (versions + [seen].compactMap { $0 }).map(\.rosterVersion).max() ?? 0
    }
}
