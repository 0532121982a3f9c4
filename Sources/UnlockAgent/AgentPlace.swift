internal import CLinux
internal import Glibc
internal import VaultFile

/// Where the agent of a user is found: a folder of the user's own, with a socket in it.
public struct AgentPlace: Sendable {
    /// Why there cannot be an agent.
    public enum Failure: Error, Equatable {
        /// The folder cannot be used.
        case folder(String, Defect)
        /// The system refused, when it was asked to do that with the path.
        case system(String, String, errno: Int32)
        /// The path is longer than the address of a socket may be.
        case tooLong(String)
    }

    /// What is wrong with a folder.
    public enum Defect: String, Sendable {
        /// Something else is in its place, or a link.
        case notAFolder = "is no folder"
        /// It is somebody else's.
        case foreign = "belongs to another user"
        /// Others than its owner may enter it.
        case open = "can be entered by others"
    }

    /// The folder.
    public let folder: String
    /// The socket in it.
    public var socket: String { folder + "/agent.sock" }
    /// What an agent holds locked as long as it lives.
    var lock: String { folder + "/agent.lock" }

    /// The place for this user.
    ///
    /// - Parameters:
    ///   - runtimeFolder: What `XDG_RUNTIME_DIR` says. Where that is not this user's own folder, as behind `sudo`, or
    ///     nothing, as in a cron job, the place is in the folder that systemd has for a user who is logged in, and where
    ///     there is none, in `/tmp`, with the user's number in its name.
    ///   - systemFolder: Where systemd has such folders.
    public init(runtimeFolder: String?, systemFolder: String = "/run/user") {
        self = Self.all(runtimeFolder: runtimeFolder, systemFolder: systemFolder)[0]
    }

    /// The place for this user, and behind it those at which it may have been before the system had a folder for the user:
    /// not where `XDG_RUNTIME_DIR` names another one than the system's.
    ///
    /// - Parameters:
    ///   - runtimeFolder: As in ``init(runtimeFolder:systemFolder:)``.
    ///   - systemFolder: As there.
    /// - Returns: The places, one at least.
    public static func all(runtimeFolder: String?, systemFolder: String = "/run/user") -> [AgentPlace] {
        let user = geteuid()
        func isOwn(_ path: String) -> Bool {
            var status = stat()
            return path.hasPrefix("/") && uninterrupted({ unsafe stat(path, &status) }) == 0
                && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == user
        }
        let session = "\(systemFolder)/\(user)"
        if let runtimeFolder, runtimeFolder != session, isOwn(runtimeFolder) {
            return [AgentPlace(folder: runtimeFolder + "/vault")]
        }
        return (isOwn(session) ? [AgentPlace(folder: session + "/vault")] : [])
            + [AgentPlace(folder: "/tmp/vault-\(user)")]
    }

    private init(folder: String) { self.folder = folder }

    /// Makes the folder where it is missing, and checks that nobody else has anything to say in it.
    ///
    /// - Throws: ``Failure``.
    public func prepare() throws(Failure) {
        if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw .system("making the folder", folder, errno: errno)
        }
        if let defect { throw .folder(folder, defect) }
        guard PacketSocket.isAddress(socket) else { throw .tooLong(socket) }
    }

    /// Opens the file that an agent holds locked.
    func openLock() throws(AgentFailure) -> Int32 {
        let descriptor = unsafe open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw .place(.system("opening", lock, errno: errno)) }
        return descriptor
    }

    /// What is wrong with the folder; nil when nothing is, or there is none.
    public var defect: Defect? {
        var status = stat()
        guard uninterrupted({ unsafe lstat(folder, &status) }) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFDIR else { return .notAFolder }
        guard status.st_uid == geteuid() else { return .foreign }
        return status.st_mode & 0o077 == 0 ? nil : .open
    }
}
