internal import Age
internal import ChildProcess
internal import CLinux
internal import Glibc
internal import Sodium
internal import Synchronization
internal import VaultFile

/// Why an agent did not do what it was asked for.
public enum AgentFailure: Error {
    /// It does not answer, or not as an agent. The text says what came of asking.
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
    /// The keys, which ask the agent for what they are needed for.
    public let sources: [KeySource]
}

/// This end of the connection to an agent.
public final class AgentClient: Sendable {
    private let place: AgentPlace
    /// Open from one question to the next, as long as the agent does not mind.
    private let connection: Mutex<PacketSocket?>

    /// How long an answer may take, in seconds.
    private static let patience = 10

    /// Connects to the agent of this user; nil when there is none. An agent of another user is none.
    public init?(at place: AgentPlace) {
        guard let socket = Self.connect(to: place) else { return nil }
        self.place = place
        connection = Mutex(socket)
    }

    private static func connect(to place: AgentPlace) -> PacketSocket? {
        guard PacketSocket.isAddress(place.socket), let socket = PacketSocket() else { return nil }
        socket.setPatience(patience)
        guard socket.connect(to: place.socket), socket.peer?.user == geteuid() else { return nil }
        return socket
    }

    /// What the agent holds.
    ///
    /// - Throws: ``AgentFailure``.
    public func status() throws(AgentFailure) -> AgentStatus {
        var reply = try ask(MessageWriter(.status))
        let wrong = AgentFailure.noAnswer("the agent gives an answer that cannot be understood")
        guard reply.reply() == .done, let until = reply.number(), let count = reply.count() else { throw wrong }
        var sources: [KeySource] = []
        var number = 0
        for _ in 0..<count {
            guard var source = KeySource(from: &reply), let keys = reply.count() else { throw wrong }
            for _ in 0..<keys {
                guard let recipient = reply.text().flatMap({ X25519Recipient(unchecked: $0) }),
                    let verificationKey = reply.text().flatMap({ VerificationKey($0) })
                else { throw wrong }
                source.keys.append(
                    AgentKey(self, number: number, recipient: recipient, verificationKey: verificationKey))
                number += 1
            }
            sources.append(source)
        }
        return AgentStatus(until: until, sources: sources)
    }

    /// Gives the agent these keys, in the place of those that it holds.
    ///
    /// - Parameters:
    ///   - sources: Their keys are identities of this process.
    ///   - seconds: How long it holds them.
    /// - Throws: ``AgentFailure``.
    public func hold(_ sources: [KeySource], for seconds: Int) throws(AgentFailure) {
        var request = MessageWriter(.hold)
        request.append(seconds)
        request.append(sources.count)
        for source in sources {
            source.append(to: &request)
            let identities = source.keys.compactMap { $0 as? X25519Identity }
            request.append(identities.count)
            for identity in identities { identity.encoded().withBytes { request.append($0) } }
        }
        var reply = try ask(request)
        guard reply.reply() == .done else { throw .noAnswer("the agent takes no keys") }
    }

    /// Has the agent forget everything, and end.
    ///
    /// - Throws: ``AgentFailure``.
    public func lock() throws(AgentFailure) {
        var reply = try ask(MessageWriter(.lock))
        guard reply.reply() == .done else { throw .noAnswer("the agent does not lock") }
    }

    /// The process of the agent, as the system knows it.
    public var process: Int32? { connection.withLock { $0?.peer?.process } }

    /// Asks, and waits for the answer. An agent closes what was idle for a while: then, once more.
    func ask(_ request: borrowing MessageWriter) throws(AgentFailure) -> MessageReader {
        let open = connection.withLock { $0 }
        if let open, open.send(request) {
            if let reply = open.receive() { return reply }
            guard errno == 0 || errno == ECONNRESET else { throw Self.noAnswer() }
        }
        guard let socket = Self.connect(to: place) else { throw .noAnswer("the agent has ended") }
        connection.withLock { $0 = socket }
        guard socket.send(request), let reply = socket.receive() else { throw Self.noAnswer() }
        return reply
    }

    private static func noAnswer() -> AgentFailure {
        switch errno {
        case EAGAIN: .noAnswer("the agent does not answer within \(patience) seconds")
        case EMSGSIZE: .noAnswer("this is more than the agent can take")
        default: .noAnswer("the agent has ended")
        }
    }
}

extension AgentClient {
    /// How long it may take until an agent that is just starting or ending is there or gone, in milliseconds.
    private static let startPatience = 3000

    /// Connects to the agent of this user, and starts one where there is none.
    ///
    /// - Parameters:
    ///   - place: Where it is, or will be.
    ///   - program: What runs as the agent: ``AgentServer/run(at:)`` must be what it comes to.
    ///   - arguments: Its argument vector.
    /// - Returns: The connection.
    /// - Throws: ``AgentFailure``.
    public static func start(
        at place: AgentPlace, program: String, arguments: [String]
    ) throws(AgentFailure) -> AgentClient {
        do { try place.makeFolder() } catch { throw .place(error) }
        guard PacketSocket.isAddress(place.socket) else { throw .place(.tooLong(place.socket)) }
        for _ in 0..<startPatience / 20 {
            if let client = AgentClient(at: place) { return client }
            let lock = unsafe open(place.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
            guard lock >= 0 else { throw .place(.system("opening", place.lock, errno: errno)) }
            defer { close(lock) }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 {
                try start(at: place, lock: lock, program: program, arguments: arguments)
            } else {
                usleep(20_000)
            }
        }
        throw .noAnswer("there is an agent that does not answer")
    }

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
        let number = DetachedProcess.start(program, arguments: arguments, descriptors: descriptors)
        guard number == 0 else {
            _ = unsafe unlink(place.socket)
            throw .notStarted(errno: number)
        }
    }
}

/// A key that an agent holds.
final class AgentKey: MemberKey {
    let recipient: X25519Recipient
    let verificationKey: VerificationKey
    private let client: AgentClient
    private let number: Int

    init(_ client: AgentClient, number: Int, recipient: X25519Recipient, verificationKey: VerificationKey) {
        self.client = client
        self.number = number
        self.recipient = recipient
        self.verificationKey = verificationKey
    }

    func unwrap(_ stanza: Stanza) throws(AgeError) -> FileKey? {
        guard let found = try unwrap(firstOf: [stanza]) else { return nil }
        return found.fileKey
    }

    func unwrap(firstOf stanzas: [Stanza]) throws(AgeError) -> UnwrappedKey? {
        let indices = stanzas.indices.filter { stanzas[$0].type == X25519Identity.stanzaType }
        var request = MessageWriter(.unwrap)
        request.append(number)
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
        throw .noAnswer("the agent holds other keys by now")
    }

    func signature(for text: String) throws(VaultError) -> [UInt8] {
        var request = MessageWriter(.sign)
        request.append(number)
        request.append(text)
        var reply: MessageReader
        do { reply = try client.ask(request) } catch { throw .noAnswer(error.text) }
        guard reply.reply() == .done, let signature = reply.publicBytes() else {
            throw .noAnswer("the agent refuses to sign")
        }
        return signature
    }
}

extension AgentFailure {
    /// What a message says of an agent that was there already.
    fileprivate var text: String {
        switch self {
        case .noAnswer(let text): text
        case .notStarted, .place: "the agent has ended"
        }
    }
}
