public import Resources
public import VaultFile

/// Why a vault and its store did not come together, besides ``StoreError`` and what is wrong with the vault itself. The
/// vault is then as it was.
public enum RemoteError: Error, Equatable {
    /// What the store has is not taken: it does not check. The error names the store in the place of a path.
    case refused(VaultError)
    /// Both sides changed the same, each in another way.
    case conflicts([RecordMerge.Conflict])
    /// The store can only be read.
    case readOnly
    /// Others were faster each time.
    case busy
}
