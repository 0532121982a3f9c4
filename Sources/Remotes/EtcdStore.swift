internal import Glibc
internal import Resources
internal import Sodium
internal import VaultFile

/// A vault in an etcd cluster, by the JSON gateway that etcd has besides gRPC.
///
/// `PREFIX/head` names the versions (``EtcdHead``), and `PREFIX/versions/KEY/NNNN` are the parts of one. The parts are put
/// first and the head is swapped last, in a transaction that compares it with what it was, so that no reader finds a head
/// without parts. A version of one part is one transaction with everything in it. Reads are linearizable, which is etcd's
/// default: a member that is cut off from the majority does not answer with what was.
///
/// What a pusher leaves that was killed is removed by the next one of a large version: see ``removeRemains(before:of:)``.
public final class EtcdStore: Store {
    /// A head with its revision.
    private struct Known: Equatable {
        let revision: Int
        let head: EtcdHead
        /// The head as it stands in the cluster.
        let value: [UInt8]

        /// A cluster that was restored or set up anew comes to the same revision again, with another version.
        var tag: String { "\(revision) \(head.newest.key)" }
        var stored: StoredHead {
            StoredHead(tag: tag, manifest: head.newest.manifest, byteCount: head.newest.byteCount)
        }
    }

    /// A path of the gateway with what is posted there.
    private struct Request {
        let path: String
        let body: HTTPBody

        init(_ path: String, _ body: [UInt8]) throws(StoreError) {
            self.path = path
            self.body = try HTTPBody(body.span)
        }
    }

    /// The largest answer that has no part in it.
    private static let smallAnswer = 1 << 16
    /// The largest answer with a part.
    private static let partAnswer = EtcdHead.partSize / 3 * 4 + smallAnswer
    /// The largest list of keys, and how many it has at most: more than those of the versions that are kept.
    private static let listAnswer = 4 << 20
    private static let longestList = 4096
    /// Of a cluster that works, an answer takes milliseconds, and an election a second.
    private static let smallPatience = HTTPPatience(seconds: 6)
    private static let partPatience = HTTPPatience(seconds: 60, isTransfer: true)
    /// No further member is asked after so many seconds.
    private static let longestSearch = 15
    /// How many parts are on their way in one go: a request is in memory twice, here and in curl.
    private static let partsAtOnce = 16
    /// How often somebody else may write parts of the very same version meanwhile.
    private static let attempts = 3

    private let client: HTTPClient
    private let endpoints: [String]
    private let prefix: String
    private let user: String?
    private let password: SecretBytes?
    private var token: HTTPSecret?
    /// The member that answered last. The first one is random, so that a fleet does not meet at one.
    private var current: Int
    /// The head that was read or written last.
    private var known: Known?

    /// A cluster; nothing is asked of it yet.
    init(
        _ endpoints: [RemoteURL.Endpoint], prefix: String, usesTLS: Bool, _ credentials: consuming StoreCredentials
    ) throws(StoreError) {
        client = try HTTPClient(
            HTTPClient.Options(
                usesTLS: usesTLS, authority: credentials.authority, certificate: credentials.certificate,
                key: credentials.key))
        self.endpoints = endpoints.map { "\(usesTLS ? "https" : "http")://\($0)" }
        self.prefix = prefix
        user = credentials.user
        password = credentials.password.take()
        current = Int.random(in: endpoints.indices)
    }

    /// Versions can be written.
    public var isReadOnly: Bool { false }

    /// Limits all requests together.
    public func limit(seconds: Int?) { client.limit(seconds: seconds) }

    // MARK: - Reading

    /// What the cluster has now.
    public func readHead(unless tag: String?) throws(StoreError) -> HeadAnswer {
        guard let found = try fetchHead() else { return .absent }
        return found.tag == tag ? .unchanged : .head(found.stored)
    }

    /// Writes the parts of a version, as they were when its head was written.
    public func read(_ head: StoredHead, into descriptor: Int32) throws(StoreError) {
        let known: Known
        if let last = self.known, last.tag == head.tag {
            known = last
        } else {
            guard let found = try fetchHead(at: Self.revision(head.tag)), found.tag == head.tag else { throw .vanished }
            known = found
        }
        let version = known.head.newest
        var written = 0
        var next = 0
        func fetch(at revision: Int?) throws(StoreError) {
            var requests: [Request] = []
            for part in next..<version.parts {
                requests.append(try Self.range(partKey(version.key, part), revision: revision))
            }
            try ask(requests, Self.partPatience, limit: Self.partAnswer) { (_, bytes) throws(StoreError) in
                let answer = try EtcdAnswer(bytes)
                guard let pair = answer.pairs.first else { throw .vanished }
                guard answer.pairs.count == 1, let part = pair.decodedValue(bytes), !part.isEmpty,
                    part.count <= version.byteCount - written,
                    next < version.parts - 1 || part.count == version.byteCount - written
                else { throw .malformed("the parts of the version in the store do not have its size") }
                try FileWriter.write(part.span, to: descriptor)
                written += part.count
                next += 1
            }
        }
        do throws(StoreError) { try fetch(at: known.revision) } catch {
            // What the store was like then, it may have forgotten; the version itself may well be there.
            guard error == .vanished else { throw error }
            try fetch(at: nil)
        }
    }

    /// The head, now or at a revision; nil when there is none.
    private func fetchHead(at revision: Int? = nil) throws(StoreError) -> Known? {
        var found: Known?
        let request = try Self.range(headKey, revision: revision)
        try ask([request], Self.smallPatience, limit: Self.smallAnswer) { (_, bytes) throws(StoreError) in
            found = try Self.head(in: EtcdAnswer(bytes), bytes)
        }
        if let found { known = found }
        return found
    }

    /// The head among what was found; nil when nothing was.
    private static func head(in answer: EtcdAnswer, _ bytes: Span<UInt8>) throws(StoreError) -> Known? {
        guard let pair = answer.pairs.first else { return nil }
        guard answer.pairs.count == 1, let value = pair.decodedValue(bytes) else { throw EtcdAnswer.malformed }
        do throws(JSONError) {
            return Known(revision: pair.revision, head: try EtcdHead(parsing: value.span), value: value)
        } catch {
            throw .malformed("what stands under the prefix in the store is no head of a vault")
        }
    }

    private static func revision(_ tag: String) throws(StoreError) -> Int {
        guard let revision = tag.firstIndex(of: " ").flatMap({ EtcdNumber.parse(String(tag[..<$0])) }), revision > 0
        else {
            throw .setting("the version that is remembered was not in an etcd store")
        }
        return revision
    }

    // MARK: - Writing

    /// Swaps the head, in one request where the version is one part.
    public func compareAndSwap(_ tag: String?, with version: NewVersion) throws(StoreError) -> SwapAnswer {
        guard EtcdHead.isKey(version.key), EtcdHead.isManifest(version.manifest) else {
            throw .setting("the version has a key that is no hash")
        }
        var replaced: Known?
        if let tag {
            replaced = known
            // The version that is newest already is looked at anew, since nothing will be compared.
            if replaced?.tag != tag || replaced?.head.newest.key == version.key { replaced = try fetchHead() }
            guard let replaced, replaced.tag == tag else { return .moved(replaced?.stored) }
            if replaced.head.newest.key == version.key { return .swapped(tag: tag) }
        }
        let file = try VersionFile.open(version.path)
        let new = EtcdHead.Version(
            manifest: version.manifest, key: version.key, byteCount: file.byteCount, parts: file.partCount)
        let all = [new] + (replaced?.head.versions.filter { $0.key != new.key } ?? [])
        let head = EtcdHead(versions: Array(all.prefix(EtcdHead.kept)))
        let dropped = all.dropFirst(EtcdHead.kept).map(\.key)

        for _ in 0..<Self.attempts {
            let revisions = new.parts > 1 ? try put(file, of: new) : []
            let content = new.parts > 1 ? nil : try file.part(0)
            switch try swap(from: replaced, to: head, dropped, parts: revisions, content) {
            case .done(let revision):
                let swapped = Known(revision: revision, head: head, value: head.bytes)
                known = swapped
                if new.parts > 1, let replaced { try? removeRemains(before: replaced.revision, of: swapped) }
                return .swapped(tag: swapped.tag)
            case .head(let found):
                if let found { known = found }
                if found == replaced {
                    // The head is as it was, and so it is the parts that somebody else has touched.
                    continue
                }
                // An answer that was lost, or another machine with the very same version.
                if let found, found.head.newest.key == new.key { return .swapped(tag: found.tag) }
                if new.parts > 1, found?.head.versions.contains(where: { $0.key == new.key }) != true {
                    try? remove([new.key], ifHeadIs: found)
                }
                return .moved(found?.stored)
            }
        }
        throw .unreachable("another machine writes the same version again and again")
    }

    private enum Swap {
        case done(revision: Int)
        /// The comparison failed, and this is the head; nil when there is none.
        case head(Known?)
    }

    /// Swaps the head with all that belongs to it.
    ///
    /// An answer that is lost needs no care: the same transaction is sent again, to another member. Were it carried out the
    /// first time, its comparison now fails, and the head that then comes back is the very one that it wrote.
    private func swap(
        from replaced: Known?, to head: EtcdHead, _ dropped: [String], parts: [Int], _ content: [UInt8]?
    ) throws(StoreError) -> Swap {
        var compared = headComparisons(replaced)
        // As they were put: neither removed, nor replaced by somebody whose file differs under the same manifest.
        for (part, revision) in parts.enumerated() {
            compared.append(Self.comparison(partKey(head.newest.key, part), revision))
        }
        var changes: [[UInt8]] = []
        if let content { changes.append(Self.put(partKey(head.newest.key, 0), content)) }
        changes.append(Self.put(headKey, head.bytes))
        changes += dropped.map { Self.removal(versionPrefix($0)) }
        let failure = Array("{\"request_range\":{\"key\":\"\(Self.encode(headKey))\"}}".utf8)
        let request = try Request("kv/txn", Self.transaction(compared, changes, failure))
        let patience = content == nil ? Self.smallPatience : Self.partPatience
        var result: Swap?
        try ask([request], patience, limit: Self.smallAnswer) { (_, bytes) throws(StoreError) in
            let answer = try EtcdAnswer(bytes)
            result = answer.succeeded ? .done(revision: answer.revision) : .head(try Self.head(in: answer, bytes))
        }
        guard let result else { throw EtcdAnswer.malformed }
        return result
    }

    /// Puts all parts.
    ///
    /// - Returns: The revision of each.
    private func put(_ file: borrowing VersionFile, of version: EtcdHead.Version) throws(StoreError) -> [Int] {
        var revisions: [Int] = []
        while revisions.count < version.parts {
            var requests: [Request] = []
            for part in revisions.count..<min(revisions.count + Self.partsAtOnce, version.parts) {
                let pair = Self.pair(partKey(version.key, part), try file.part(part))
                requests.append(try Request("kv/put", pair))
            }
            try ask(requests, Self.partPatience, limit: Self.smallAnswer) { (_, bytes) throws(StoreError) in
                revisions.append(try EtcdAnswer(bytes).revision)
            }
        }
        return revisions
    }

    /// Removes the parts that pushers have left behind that were killed or beaten.
    ///
    /// A part that was put before the head was replaced is of a pusher that had read an older head than the one that was
    /// replaced: its transaction compares with that and fails for ever, so that its parts are never going to be published.
    /// Whoever puts the same parts anew compares their revisions, finds them changed, and puts them again. And should
    /// yet another head have come meanwhile, whose pusher may have named them, nothing is removed.
    private func removeRemains(before revision: Int, of known: Known) throws(StoreError) {
        let versions = Self.bytes("\(prefix)/versions/")
        let request = try Request(
            "kv/range",
            Array(
                """
                {\(Self.rangeMembers(versions)),"keys_only":true,"max_mod_revision":"\(revision)",\
                "limit":"\(Self.longestList)"}
                """.utf8))
        var keys: Set<String> = []
        try ask([request], Self.smallPatience, limit: Self.listAnswer) { (_, bytes) throws(StoreError) in
            for pair in try EtcdAnswer(bytes).pairs {
                guard let name = pair.decodedKey(bytes), name.starts(with: versions) else { continue }
                let rest = name.dropFirst(versions.count).prefix { $0 != UInt8(ascii: "/") }
                keys.insert(String(decoding: rest, as: UTF8.self))
            }
        }
        for version in known.head.versions { keys.remove(version.key) }
        let remains = keys.filter(EtcdHead.isKey).sorted()
        if !remains.isEmpty { try remove(Array(remains.prefix(EtcdHead.maximumParts)), ifHeadIs: known) }
    }

    /// Removes all parts of versions, unless the head is another one by now.
    private func remove(_ keys: [String], ifHeadIs known: Known?) throws(StoreError) {
        let changes = keys.map { Self.removal(versionPrefix($0)) }
        let request = try Request("kv/txn", Self.transaction(headComparisons(known), changes, nil))
        try ask([request], Self.smallPatience, limit: Self.smallAnswer) { (_, bytes) throws(StoreError) in
            _ = try EtcdAnswer(bytes)
        }
    }

    // MARK: - Waiting

    /// Watches the head, from where it is seen to be the known one: what was written before, the cluster may have compacted.
    public func waitForChange(
        of tag: String?, seconds: Int, while goesOn: () -> Bool
    ) throws(StoreError) -> Bool {
        var found: Known?
        var start = 0
        let look = try Self.range(headKey, revision: nil)
        try ask([look], Self.smallPatience, limit: Self.smallAnswer) { (_, bytes) throws(StoreError) in
            let answer = try EtcdAnswer(bytes)
            found = try Self.head(in: answer, bytes)
            start = answer.revision
        }
        if found?.tag != tag { return true }
        let body = Array(
            """
            {"create_request":{"key":"\(Self.encode(headKey))","start_revision":"\(start + 1)"}}
            """.utf8)
        let request = try Request("watch", body)
        return try searching { endpoint throws(StoreError) in
            var watch = EtcdWatch(from: start, seconds: seconds)
            var isWanted = true
            let hasEnded = try client.stream(
                httpRequest(request, to: endpoint), HTTPPatience(seconds: seconds + Self.smallPatience.seconds),
                showsHead: false
            ) { bytes throws(StoreError) in
                isWanted = goesOn()
                return isWanted ? try watch.take(bytes) : false
            }
            return isWanted ? try watch.finish(hasEnded: hasEnded) : false
        }
    }

    // MARK: - Asking

    /// Sends requests to a member that answers, and hands over the answers in order. Those that one member has answered are
    /// not sent to the next.
    private func ask(
        _ requests: [Request], _ patience: HTTPPatience, limit: Int,
        _ handle: (Int, Span<UInt8>) throws(StoreError) -> Void
    ) throws(StoreError) {
        var done = 0
        try searching { endpoint throws(StoreError) in
            let rest = requests[done...].map { httpRequest($0, to: endpoint) }
            try client.exchange(rest, patience, limit: limit) { (_, status, bytes) throws(StoreError) in
                guard status == 200 else { throw failure(status, bytes) }
                try handle(done, bytes)
                done += 1
            }
        }
    }

    /// What an error says; a token that is not known any more is forgotten.
    private func failure(_ status: Int, _ bytes: Span<UInt8>) -> StoreError {
        switch EtcdFailure(status: status, bytes) {
        case .store(let error): return error
        case .token:
            token = nil
            return .notAllowed("the store does not take the token that it gave to this machine")
        }
    }

    /// Does something with one member after the other until one can be reached.
    private func searching<R>(_ body: (String) throws(StoreError) -> R) throws(StoreError) -> R {
        let end = HTTPClient.now + Self.longestSearch
        var failure = StoreError.unreachable("")
        var hasNewToken = false
        var tried = 0
        while tried < endpoints.count, tried == 0 || HTTPClient.now < end {
            let hadToken = token != nil
            do throws(StoreError) {
                if user != nil, token == nil {
                    try authenticate(endpoints[current])
                    hasNewToken = true
                }
                return try body(endpoints[current])
            } catch {
                if hadToken, token == nil, !hasNewToken { continue }
                guard case .unreachable = error else { throw error }
                failure = error
                tried += 1
                current = (current + 1) % endpoints.count
            }
        }
        throw failure
    }

    private func authenticate(_ endpoint: String) throws(StoreError) {
        guard let user else { return }
        var body = SecretBuffer()
        body.append("{\"name\":")
        body.append(JSONText.quoted(user).span)
        body.append(",\"password\":")
        try password?.withBytes { bytes throws(StoreError) in
            guard !bytes.hasControlByte else { throw .setting("the password has a control character in it") }
            body.appendQuoted(bytes)
        }
        body.append("}")
        let content = try body.withBytes { bytes throws(StoreError) in try HTTPBody(bytes) }
        let request = HTTPRequest(url: "\(endpoint)/v3/auth/authenticate", headers: Self.headers, body: content)
        var received: HTTPSecret?
        try client.exchange([request], Self.smallPatience, limit: Self.smallAnswer) {
            (_, status, bytes) throws(StoreError) in
            guard status == 200 else { throw failure(status, bytes) }
            guard let text = try EtcdAnswer(bytes).token else { throw EtcdAnswer.malformed }
            received = try text.secret(in: bytes).withBytes { value throws(StoreError) in
                try HTTPSecret(authorization: value)
            }
        }
        token = received
    }

    private static let headers = [
        "Content-Type: application/json", "Expect:",
        // A member that has lost the others says so at once.
        "Grpc-Metadata-Hasleader: true",
    ]

    private func httpRequest(_ request: Request, to endpoint: String) -> HTTPRequest {
        HTTPRequest(url: "\(endpoint)/v3/\(request.path)", headers: Self.headers, body: request.body, secret: token)
    }

    // MARK: - Keys, and the JSON of requests

    private var headKey: [UInt8] { Self.bytes("\(prefix)/head") }

    private func versionPrefix(_ key: String) -> [UInt8] { Self.bytes("\(prefix)/versions/\(key)/") }

    private func partKey(_ key: String, _ part: Int) -> [UInt8] {
        let digits = String(part)
        return versionPrefix(key) + Self.bytes(String(repeating: "0", count: 4 - digits.utf8.count) + digits)
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func encode(_ bytes: [UInt8]) -> String {
        String(decoding: Base64.encode(bytes.span), as: UTF8.self)
    }

    private static func range(_ key: [UInt8], revision: Int?) throws(StoreError) -> Request {
        let revision = revision.map { ",\"revision\":\"\($0)\"" } ?? ""
        return try Request("kv/range", bytes("{\"key\":\"\(encode(key))\"\(revision)}"))
    }

    /// All keys that begin with `prefix`, which ends in a slash: up to where the slash would be the next character.
    private static func rangeMembers(_ prefix: [UInt8]) -> String {
        let end = prefix.dropLast() + [UInt8(ascii: "/") + 1]
        return "\"key\":\"\(encode(prefix))\",\"range_end\":\"\(encode(Array(end)))\""
    }

    /// `{"key":…,"value":…}`, put together of bytes, as the value may be long.
    private static func pair(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
        bytes("{\"key\":\"\(encode(key))\",\"value\":\"") + Base64.encode(value.span) + bytes("\"}")
    }

    private static func put(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
        bytes("{\"request_put\":") + pair(key, value) + bytes("}")
    }

    private static func removal(_ prefix: [UInt8]) -> [UInt8] {
        bytes("{\"request_delete_range\":{\(rangeMembers(prefix))}}")
    }

    /// That the head is the known one; nil for that there is none.
    private func headComparisons(_ known: Known?) -> [String] {
        let comparison = Self.comparison(headKey, known?.revision)
        guard let known else { return [comparison] }
        return [
            comparison,
            """
            {"key":"\(Self.encode(headKey))","result":"EQUAL","target":"VALUE","value":"\(Self.encode(known.value))"}
            """,
        ]
    }

    /// That a key was changed last at a revision; nil for that it is not there.
    private static func comparison(_ key: [UInt8], _ revision: Int?) -> String {
        let target = revision.map { "\"MOD\",\"mod_revision\":\"\($0)\"" } ?? "\"CREATE\",\"create_revision\":\"0\""
        return "{\"key\":\"\(encode(key))\",\"result\":\"EQUAL\",\"target\":\(target)}"
    }

    private static func transaction(_ compared: [String], _ changes: [[UInt8]], _ failure: [UInt8]?) -> [UInt8] {
        bytes("{\"compare\":[\(compared.joined(separator: ","))],\"success\":[")
            + changes.joined(separator: [UInt8(ascii: ",")]) + bytes("],\"failure\":[") + (failure ?? []) + bytes("]}")
    }
}
