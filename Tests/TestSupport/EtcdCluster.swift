internal import Foundation
internal import Glibc
internal import Synchronization

/// A real etcd cluster on loopback, in memory as far as there is a file system for that. It ends with the value, and with
/// this process, whatever becomes of it.
public final class EtcdCluster: Sendable {
    /// Why there is none.
    public struct Failure: Error, CustomStringConvertible {
        /// What the members said.
        public let description: String
    }

    /// A member that runs: a shell that waits for a word, or for the end of its input, to end etcd.
    private struct Member {
        let process: Process
        let control: FileHandle
    }

    /// Where the members serve clients, as `127.0.0.1:PORT`.
    public let hosts: [String]
    /// Whether the members speak TLS, and want a certificate of their authority from clients.
    public let usesTLS: Bool

    private let folder: String
    private let metrics: [Int]
    private let peers: [Int]
    private let members: Mutex<[Member?]>

    /// Starts a cluster, and waits until it works.
    ///
    /// - Throws: ``Failure``, or what Foundation says.
    public init(members count: Int = 1, usesTLS: Bool = false) throws {
        let memory = "/dev/shm"
        let base = access(memory, W_OK) == 0 ? memory : FileManager.default.temporaryDirectory.path
        folder = "\(base)/vault-test-etcd-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let ports = try Self.freePorts(3 * count)
        hosts = ports[..<count].map { "127.0.0.1:\($0)" }
        peers = Array(ports[count..<2 * count])
        metrics = Array(ports[(2 * count)...])
        self.usesTLS = usesTLS
        members = Mutex(Array(repeating: nil, count: count))
        if usesTLS { try makeCertificates() }
        for number in 0..<count { try start(number) }
        try waitUntilHealthy()
    }

    deinit {
        members.withLock { members in
            for member in members { try? member?.control.close() }
            for member in members { member?.process.waitUntilExit() }
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// All members, as in a URL.
    public var hostList: String { hosts.joined(separator: ",") }

    /// The path of a file of the cluster: `ca.crt`, `client.crt`, `client.key`, `other-ca.crt`.
    public func file(_ name: String) -> String { "\(folder)/\(name)" }

    /// Ends a member at once. Its data stays.
    public func kill(_ number: Int) {
        let member = members.withLock { members in
            let member = members[number]
            members[number] = nil
            return member
        }
        try? member?.control.write(contentsOf: Array("end\n".utf8))
        member?.process.waitUntilExit()
    }

    /// Starts a member again.
    public func restart(_ number: Int) throws { try start(number) }

    /// Waits until all members that run answer, and have a leader.
    public func waitUntilHealthy() throws {
        let running = members.withLock { members in members.indices.filter { members[$0] != nil } }
        let deadline = ContinuousClock.now + .seconds(30)
        for number in running {
            let url = "http://127.0.0.1:\(metrics[number])/health"
            while try !Command.run("curl", ["-q", "-s", "-m", "5", url]).text.contains(#""health":"true""#) {
                guard ContinuousClock.now < deadline else {
                    throw Failure(description: (try? String(contentsOfFile: log(number), encoding: .utf8)) ?? "no log")
                }
                usleep(50_000)
            }
        }
    }

    /// How many requests a member has answered since it was started, by the names of etcd's methods.
    public func answeredRequests(_ number: Int = 0) throws -> [String: Int] {
        let text = try Command.run("curl", ["-q", "-s", "http://127.0.0.1:\(metrics[number])/metrics"]).text
        var counts: [String: Int] = [:]
        for match in text.matches(of: /(?m)^grpc_server_handled_total\{.*grpc_method="([A-Za-z]+)".*\} ([0-9]+)$/) {
            counts[String(match.1), default: 0] += Int(match.2) ?? 0
        }
        return counts.filter { $0.value > 0 }
    }

    /// Posts to the gateway of a member, and gives back what it answers.
    public func post(_ path: String, _ json: String, to number: Int = 0) throws -> String {
        var arguments = ["-q", "-s", "-m", "20", "-d", "@-"]
        if usesTLS {
            arguments += ["--cacert", file("ca.crt"), "--cert", file("client.crt"), "--key", file("client.key")]
        }
        let url = "\(usesTLS ? "https" : "http")://\(hosts[number])/v3/\(path)"
        return try Command.run("curl", arguments + [url], input: Array(json.utf8)).text
    }

    /// Lets only users in: one called `vault` with that password, who has what is below `prefix/`, and root.
    public func enableUsers(_ password: String, prefix: String) throws {
        func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        for (path, json) in [
            ("auth/role/add", #"{"name":"root"}"#), ("auth/user/add", #"{"name":"root","password":"of root"}"#),
            ("auth/user/grant", #"{"user":"root","role":"root"}"#), ("auth/role/add", #"{"name":"vaults"}"#),
            (
                "auth/role/grant",
                """
                {"name":"vaults","perm":{"permType":"READWRITE","key":"\(base64(prefix + "/"))",\
                "range_end":"\(base64(prefix + "0"))"}}
                """
            ), ("auth/user/add", #"{"name":"vault","password":"\#(password)"}"#),
            ("auth/user/grant", #"{"user":"vault","role":"vaults"}"#), ("auth/enable", "{}"),
        ] {
            let answer = try post(path, json)
            guard answer.contains("header") else { throw Failure(description: "\(path): \(answer)") }
        }
    }

    private func log(_ number: Int) -> String { file("\(number).log") }

    private func start(_ number: Int) throws {
        let scheme = usesTLS ? "https" : "http"
        let cluster = peers.enumerated().map { "m\($0)=http://127.0.0.1:\($1)" }.joined(separator: ",")
        let peer = "http://127.0.0.1:\(peers[number])"
        var arguments = [
            "--name", "m\(number)", "--data-dir", file("\(number)"), "--initial-cluster", cluster,
            "--initial-cluster-token", folder, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--listen-client-urls", "\(scheme)://\(hosts[number])",
            "--advertise-client-urls", "\(scheme)://\(hosts[number])",
            "--listen-metrics-urls", "http://127.0.0.1:\(metrics[number])", "--logger", "zap", "--log-level", "warn",
        ]
        if usesTLS {
            arguments += [
                "--cert-file", file("server.crt"), "--key-file", file("server.key"), "--client-cert-auth",
                "--trusted-ca-file", file("ca.crt"),
            ]
        }
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        // Without a word its folder goes as well: nobody is there to remove it.
        let script = """
            folder=$1 log=$2; shift 2
            etcd "$@" </dev/null >>"$log" 2>&1 &
            read -r; word=$?
            kill -9 $!; wait
            ((word == 0)) || rm -rf "$folder"
            """
        process.arguments = ["-c", script, "etcd", folder, log(number)] + arguments
        let pipe = Pipe()
        process.standardInput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        members.withLock { $0[number] = Member(process: process, control: pipe.fileHandleForWriting) }
    }

    /// An authority, a server and a client of it, and an authority that has nothing to do with them.
    private func makeCertificates() throws {
        let script = """
            cd "$1"
            key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
            openssl req -x509 $key -subj '/CN=an authority' -keyout ca.key -out ca.crt
            openssl req -x509 $key -subj '/CN=another authority' -keyout other-ca.key -out other-ca.crt
            for name in server client; do
                openssl req $key -subj "/CN=a $name" -keyout $name.key -out $name.csr
                openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out $name.crt \\
                    -extfile <(echo subjectAltName=IP:127.0.0.1,DNS:localhost)
            done
            """
        let made = try Command.run("/bin/bash", ["-ec", script, "bash", folder])
        guard made.status == 0 else { throw Failure(description: made.errorText) }
    }

    /// Ports that are free now, all at once, so that none is given twice.
    public static func freePorts(_ count: Int) throws -> [Int] {
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        return try (0..<count).map { _ in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            descriptors.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let status = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, size) + getsockname(descriptor, $0, &size)
                }
            }
            guard status == 0 else { throw Command.Failure.system(call: "bind", errno: errno) }
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }
}
