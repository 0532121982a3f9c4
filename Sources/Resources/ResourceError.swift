/// Why something cannot be stored as a resource, or a stored record cannot be used. The texts say what and why in plain
/// words, and never hold what was given: that may be a token in a wrong place.
public enum ResourceError: Error, Equatable {
    /// What was given is not acceptable, and what can be done about that where the text does not say it.
    case invalid(String, Remedy? = nil)
    /// The record in the vault is not one, though its block is genuine.
    case malformedRecord(name: String, String)
    /// There is no earlier token to go back to.
    case noEarlierToken

    /// What would make a resource acceptable.
    public enum Remedy: Sendable {
        /// To have a URL.
        case url
        /// To have only URLs that are https, or to say that http is meant.
        case https
        /// To have a variable of another name.
        case otherVariable
        /// To have a user name.
        case username
        /// To have a header in which any text can stand.
        case otherHeader
        /// To be said which URLs a variable of a file is for.
        case binding
    }
}
