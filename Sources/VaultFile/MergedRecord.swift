public import Sodium

/// What becomes of a record of which two versions of a vault say different things.
public enum MergedRecord: ~Copyable {
    /// What our version says: the record as it stands there, or that there is none.
    case ours
    /// What their version says.
    case theirs
    /// A record of both, as ``RecordChanges/put(_:_:)`` takes it.
    case new(SecretBuffer)
}
