/// Why a vault could not be read or written. Each case is one kind of trouble, with an exit code of its own in the
/// command line; the texts never hold anything of a record but its name.
public enum VaultError: Error, Equatable {
    /// Something in the file does not check: damage, or a forgery. The text says what.
    case damaged(path: String, String)
    /// The file is genuine, but older than one already seen here, or not the successor of it. The text says how.
    case older(path: String, String)
    /// The file's roster has a lower version than the pin of that origin asks for.
    case belowPin(path: String, version: Int, minimum: Int, origin: String)
    /// The file is a vault, but not the one that the pin of that origin names.
    case otherVault(path: String, found: VaultID, pinned: VaultID, origin: String)
    /// No pin is known for the vault, and nobody said to trust it.
    case unknownVault(VaultID)
    /// The file that remembers the newest version seen here is not what this program wrote.
    case damagedState(path: String)
    /// None of the identities opens the file.
    case noMatch
    /// None of the identities opens the file, of which some are with somebody else, as an agent.
    case noMatchElsewhere
    /// The identity is with somebody else, as an agent, who does not answer. The text says what came of asking.
    case noAnswer(String)
    /// The operation needs a role, or a trust, that is not there. The text says which.
    case notAllowed(String)
    /// Two versions of the vault changed its members, each in another way; both lists have this version.
    case membersConflict(version: Int)
    /// A version that was to be merged is by somebody who may not write any more under the list of that version.
    case writerRemoved(path: String, label: String, version: Int)
    /// The version that was to be merged is older than the one that both sides come from.
    case olderThanBase
    /// There is no file at the path.
    case noSuchFile(String)
    /// There is a file at the path already.
    case exists(String)
    /// A line of a settings file makes no sense.
    case setting(file: String, line: Int, String)
    /// A record does not fit.
    case tooLarge(String)
    /// Somebody else held the lock for all of the time that was waited.
    case locked(String)
    /// The system refused. `operation` is what was being done, `errno` the system's number.
    case system(operation: Operation, path: String, errno: Int32)
    /// What was written is not what was read back. It was thrown away, and the file at the path is as it was.
    case notAsWritten(path: String, String)
    /// The new file is in place, but the system could not say that it will outlast a power cut.
    case durabilityUnknown(path: String, errno: Int32)

    /// What was being done with a file when the system refused, in words that stand before its path.
    public enum Operation: String, Sendable {
        /// Making a file that was not there before.
        case creating
        /// Making a folder for it.
        case creatingFolder = "creating the folder"
        /// Opening a file.
        case opening
        /// Reading a file.
        case reading
        /// Reading again what was just written.
        case readingBack = "reading back"
        /// Writing the next version of a file.
        case writing
        /// Putting that in the place of the one before.
        case replacing
        /// Giving the version before a second name.
        case keeping = "keeping the old file of"
        /// Giving the version before its own name.
        case keepingAs = "keeping the old file as"
        /// Taking the lock of a file.
        case locking

        /// Whether something new was to come into being.
        public var isCreation: Bool { self == .creating || self == .creatingFolder }
    }
}

extension VaultError {
    /// The same about a file that whoever reads it knows by another name.
    ///
    /// - Parameters:
    ///   - path: The path that is not to be shown.
    ///   - name: What stands in its place.
    /// - Returns: The error, as it is where it is about something else.
    package func renaming(_ path: String, to name: String) -> VaultError {
        func renamed(_ other: String) -> String { other.utf8.elementsEqual(path.utf8) ? name : other }
        switch self {
        case .damaged(let path, let what): return .damaged(path: renamed(path), what)
        case .older(let path, let what): return .older(path: renamed(path), what)
        case .belowPin(let path, let version, let minimum, let origin):
            return .belowPin(path: renamed(path), version: version, minimum: minimum, origin: origin)
        case .otherVault(let path, let found, let pinned, let origin):
            return .otherVault(path: renamed(path), found: found, pinned: pinned, origin: origin)
        case .writerRemoved(let path, let label, let version):
            return .writerRemoved(path: renamed(path), label: label, version: version)
        case .noSuchFile(let path): return .noSuchFile(renamed(path))
        case .system(let operation, let path, let errno):
            return .system(operation: operation, path: renamed(path), errno: errno)
        default: return self
        }
    }

    /// The file that it is about, where it is about one that was read.
    package var path: String? {
        switch self {
        case .damaged(let path, _), .older(let path, _), .belowPin(let path, _, _, _), .otherVault(let path, _, _, _),
            .writerRemoved(let path, _, _), .noSuchFile(let path), .system(_, let path, _):
            path
        default: nil
        }
    }
}
