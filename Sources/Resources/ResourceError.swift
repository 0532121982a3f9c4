/// Why something cannot be stored as a resource, or a stored record cannot be used. The texts say what and why in plain
/// words, and never hold a token.
public enum ResourceError: Error, Equatable {
    /// What was given is not acceptable.
    case invalid(String)
    /// The record in the vault is not one, though its block is genuine.
    case malformedRecord(name: String, String)
    /// There is no earlier token to go back to.
    case noEarlierToken
}
