internal import Sodium

/// Which version of a vault a file is: what tells it from every other one.
public struct VaultVersion: Sendable, Equatable {
    /// The vault.
    public let id: VaultID
    /// What the ratchet would remember of it.
    let state: Ratchet.State
    /// The hashes of the manifests before it.
    let previous: [Hash]

    /// The version of the list of members.
    public var rosterVersion: Int { state.rosterVersion }

    /// The generation, which starts again with each version of the list.
    public var generation: Int { state.generation }

    /// The hash of its manifest in base64, which no other version has.
    public var manifest: String { state.manifest.description }

    /// The same in 64 hexadecimal digits, which can be part of a path.
    public var key: String { Hexadecimal.encode(state.manifest.bytes) }

    /// Whether it names `other` as one of the versions before it.
    public func follows(_ other: VaultVersion) -> Bool { previous.contains(other.state.manifest) }

    /// Why it is taken for older than `other`, or for no successor of it; nil when it is neither.
    package func objection(after other: VaultVersion) -> String? {
        other.state.objection(to: state, previous: previous, followsGit: false)
    }

    /// The same version, whichever of the members' stanzas opened it.
    public static func == (left: VaultVersion, right: VaultVersion) -> Bool {
        left.id == right.id && left.state.manifest == right.state.manifest
    }
}

extension VaultReader {
    /// Which version of the vault this is.
    public var version: VaultVersion { VaultVersion(id: id, state: state, previous: manifest.previous) }
}
