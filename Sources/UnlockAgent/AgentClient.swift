internal import Age
internal import ChildProcess
internal import CLinux
internal import Glibc
internal import Sodium
internal import Synchronization
internal import VaultFile

/// Why an agent did not do what it was asked for.
public enum AgentFailure: Error, Equatable {
    /// It has ended meanwhile, and holds nothing any more.
    case ended
    /// It does not answer, or not as it should. The text says what came of asking.
    case noAnswer(String)
    /// It could not be started.
    case notStarted(errno: Int32)
    /// There is no place where one could be.
    case place(AgentPlace.Failure)
}

/// What an agent holds.
public struct AgentStatus: Sendable {
    /// The moment when it forgets, in seconds since 1970.
    public let until: Int
    /// The identities, which ask the agent for what they are needed for.
    public let origins: [IdentityOrigin]
}

/// This end of the connection to an agent.
public final class AgentClient: Sendable {
    private let place: AgentPlace
    /// How long an answer may take, in seconds.
    private let patience: Int
    /// Open from one question to the next, as long as the agent does not mind.
    private let connection: Mutex<PacketSocket?>

    /// Connects to the agent of this user; nil when there is none. An agent of another user is none.
    ///
    /// - Parameters:
    ///   - place: Where it is.
    ///   - patience: How long an answer may take, in seconds.
    /// - Throws: ``AgentFailure/noAnswer(_:)`` when there is one that lets nobody in.
    public init?(at place: AgentPlace, patience: Int = 10) throws(AgentFailure) {
        guard let socket = try Self.connect(to: place, patience: patience) else { return nil }
        self.place = place
        self.patience = patience
        connection = Mutex(socket)
    }

    /// Who listens where an agent would: its user and its process; nil when nobody does. An agent of another user is
    /// never asked for anything.
    public static func listener(at place: AgentPlace) -> (user: UInt32, process: Int32)? {
        (try? reach(place, patience: 1))?.peer
    }

    private static func connect(to place: AgentPlace, patience: Int) throws(AgentFailure) -> PacketSocket? {
        guard let socket = try reach(place, patience: patience), socket.peer?.user == geteuid() else { return nil }
        return socket
    }

    private static func reach(_ place: AgentPlace, patience: Int) throws(AgentFailure) -> PacketSocket? {
        guard PacketSocket.isAddress(place.socket), let socket = PacketSocket() else { return nil }
        socket.setPatience(patience)
        if socket.connect(to: place.socket) { return socket }
        // So many wait to be let in that there is no place for one more.
        guard errno != EAGAIN else { throw .noAnswer("the agent does not let anybody in") }
        return nil
    }

    /// What the agent holds; nil when that is nothing, or it has ended meanwhile.
    ///
    /// - Throws: ``AgentFailure``.
    public func status() throws(AgentFailure) -> AgentStatus? {
        var reply: MessageReader
        do throws(AgentFailure) {
            reply = try ask(MessageWriter(.status))
        } catch {
            if error == .ended { return nil }
            throw error
        }
        guard reply.reply() == .done, reply.number() == Message.version else {
            throw .noAnswer("the agent is of another version of this program")
        }
        let wrong = AgentFailure.noAnswer("the agent gives an answer that makes no sense")
        guard let until = reply.number(), let count = reply.count() else { throw wrong }
        var origins: [IdentityOrigin] = []
        for _ in 0..<count {
            guard var origin = IdentityOrigin(from: &reply)?.held(), let identityCount = reply.count() else {
                throw wrong
            }
            for _ in 0..<identityCount {
                guard let recipient = reply.text().flatMap({ X25519Recipient(unchecked: $0) }),
                    let verificationKey = reply.text().flatMap({ VerificationKey($0) })
                else { throw wrong }
                origin.identities.append(AgentIdentity(self, recipient: recipient, verificationKey: verificationKey))
            }
            origins.append(origin)
        }
        return origins.isEmpty ? nil : AgentStatus(until: until, origins: origins)
    }

    /// Gives the agent these identities, in the place of those that it holds.
    ///
    /// - Parameters:
    ///   - origins: Their identities are of this process.
    ///   - seconds: How long it holds them.
    /// - Returns: Whether they are kept from being swapped out.
    /// - Throws: ``AgentFailure``.
    private func hold(_ origins: [IdentityOrigin], for seconds: Int) throws(AgentFailure) -> Bool {
        var request = MessageWriter(.hold)
        request.append(seconds)
        request.append(origins.count)
        for origin in origins {
            origin.append(to: &request)
            request.append(origin.identities.count)
            for held in origin.identities {
                guard let identity = held as? X25519Identity else { fatalError("an agent holds it already") }
                identity.encoded().withBytes { request.append($0) }
            }
        }
        var reply = try ask(request)
        guard reply.reply() == .done, let isLocked = reply.number() else {
            throw .noAnswer("the agent does not take these identities")
        }
        return isLocked == 1
    }

    /// Has the agent forget everything, and end.
    ///
    /// - Throws: ``AgentFailure``, but not when it has ended by itself.
    private func lock() throws(AgentFailure) {
        do throws(AgentFailure) {
            var reply = try ask(MessageWriter(.lock))
            guard reply.reply() == .done else { throw .noAnswer("the agent does not lock") }
        } catch {
            if error != .ended { throw error }
        }
    }

    /// Asks, and waits for the answer. An agent closes what was idle for a while: then, once more.
    func ask(_ request: borrowing MessageWriter) throws(AgentFailure) -> MessageReader {
        // From the question to its answer: another thread's would be taken for it.
        try connection.withLock { (connection) throws(AgentFailure) -> MessageReader in
            if let connection, connection.send(request) {
                if let reply = connection.receive() { return reply }
                guard errno == 0 || errno == ECONNRESET else { throw failure(connection) }
            }
            connection = try Self.connect(to: place, patience: patience)
            guard let connection else { throw .ended }
            guard connection.send(request), let reply = connection.receive() else { throw failure(connection) }
            return reply
        }
    }

    private func failure(_ connection: PacketSocket) -> AgentFailure {
        switch errno {
        case EAGAIN:
            let name = connection.peer.map { ", process \($0.process)," } ?? ""
            return .noAnswer("the agent\(name) does not answer within \(patience) seconds")
        case EMSGSIZE: return .noAnswer("this is more than the agent can take")
        default: return .ended
        }
    }
}

extension AgentClient {
    /// How long it may take until an agent that is just starting or ending is there or gone, in milliseconds.
    private static let transition = 3000

    /// Has the agent of this user hold identities, and starts one where there is none.
    ///
    /// - Parameters:
    ///   - origins: What it is to hold, in the place of what it holds.
    ///   - seconds: How long.
    ///   - place: Where it is, or will be.
    ///   - program: What runs as the agent: ``AgentServer/run()`` must be what it comes to.
    ///   - arguments: Its argument vector.
    /// - Returns: Whether they are kept from being swapped out.
    /// - Throws: ``AgentFailure``.
    public static func hold(
        _ origins: [IdentityOrigin], for seconds: Int, at place: AgentPlace, program: String, arguments: [String]
    ) throws(AgentFailure) -> Bool {
        do { try place.prepare() } catch { throw .place(error) }
        for _ in 0..<transition / 20 {
            do throws(AgentFailure) {
                if let client = try AgentClient(at: place) { return try client.hold(origins, for: seconds) }
            } catch {
                // One that was just ending; the next one is tried.
                guard error == .ended else { throw error }
            }
            let lock = try place.openLock()
            defer { close(lock) }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 {
                try start(at: place, lock: lock, program: program, arguments: arguments)
            } else {
                usleep(20_000)
            }
        }
        throw .noAnswer(unreachable)
    }

    /// Has the agent of this user forget everything, and end.
    ///
    /// - Returns: Whether there was one.
    /// - Throws: ``AgentFailure``, also when there is one that cannot be reached.
    public static func lock(at place: AgentPlace) throws(AgentFailure) -> Bool {
        if let client = try AgentClient(at: place) {
            try client.lock()
            return true
        }
        guard place.defect == nil, unsafe access(place.lock, F_OK) == 0 else { return false }
        for _ in 0..<transition / 20 {
            let lock = try place.openLock()
            defer { close(lock) }
            // An agent holds it until it has ended.
            if flock(lock, LOCK_SH | LOCK_NB) == 0 { return false }
            usleep(20_000)
        }
        throw .noAnswer(unreachable)
    }

    private static let unreachable = "there is an agent that cannot be reached"

    /// Starts an agent, which nobody else does: whoever holds the lock may remove a socket that is left over.
    private static func start(
        at place: AgentPlace, lock: Int32, program: String, arguments: [String]
    ) throws(AgentFailure) {
        _ = unsafe unlink(place.socket)
        guard let socket = PacketSocket(), socket.listen(at: place.socket) else {
            throw .place(.system("listening at", place.socket, errno: errno))
        }
        // Above all numbers that they get, so that none takes the place of another.
        let descriptors = [socket.descriptor, lock].map { clinux_duplicate_from($0, 16) }
        defer { for descriptor in descriptors where descriptor >= 0 { close(descriptor) } }
        let number =
            descriptors.contains { $0 < 0 }
            ? errno : DetachedProcess.start(program, arguments: arguments, descriptors: descriptors)
        guard number == 0 else {
            _ = unsafe unlink(place.socket)
            throw .notStarted(errno: number)
        }
    }
}

/// An identity that an agent holds.
final class AgentIdentity: MemberIdentity {
    let recipient: X25519Recipient
    let verificationKey: VerificationKey
    private let client: AgentClient

    init(_ client: AgentClient, recipient: X25519Recipient, verificationKey: VerificationKey) {
        self.client = client
        self.recipient = recipient
        self.verificationKey = verificationKey
    }

    var isElsewhere: Bool { true }

    func unwrap(_ stanza: Stanza) throws(AgeError) -> FileKey? {
        guard let found = try unwrap(firstOf: [stanza]) else { return nil }
        return found.fileKey
    }

    func unwrap(firstOf stanzas: [Stanza]) throws(AgeError) -> UnwrappedKey? {
        let indices = stanzas.indices.filter { stanzas[$0].type == X25519Identity.stanzaType }
        var request = MessageWriter(.unwrap)
        request.append(verificationKey.description)
        request.append(indices.count)
        for stanza in indices.map({ stanzas[$0] }) {
            request.append(stanza.arguments.count)
            for argument in stanza.arguments { request.append(argument.span) }
            request.append(stanza.body.span)
        }
        var reply: MessageReader
        do { reply = try client.ask(request) } catch { throw .noAnswer(error.text) }
        switch reply.reply() {
        case .noMatch: return nil
        case .malformedStanza: throw .header(reply.text() ?? "a malformed stanza")
        case .done:
            if let index = reply.number(), indices.indices.contains(index),
                let key = reply.withField({ FileKey(copying: $0) })
            {
                return UnwrappedKey(fileKey: key, stanza: indices[index])
            }
        default: break
        }
        throw .noAnswer(Self.isGone)
    }

    func signature(for text: String) throws(VaultError) -> [UInt8] {
        var request = MessageWriter(.sign)
        request.append(verificationKey.description)
        request.append(text)
        var reply: MessageReader
        do { reply = try client.ask(request) } catch { throw .noAnswer(error.text) }
        guard reply.reply() == .done, let signature = reply.publicBytes() else { throw .noAnswer(Self.isGone) }
        return signature
    }

    private static let isGone = "the agent does not hold this identity any more"
}

extension AgentFailure {
    /// What a message says of it.
    public var text: String {
        switch self {
        case .ended: "the agent has ended"
        case .noAnswer(let text): text
        case .notStarted: "the agent could not be started"
        case .place: "there can be no agent"
        }
    }
}
