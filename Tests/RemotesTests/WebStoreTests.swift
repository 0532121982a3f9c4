import Foundation
import Glibc
import Remotes
import Sodium
import TestSupport
import Testing

/// An nginx of a test's own on loopback, by http and https, with its own folder as its root.
private final class WebServer {
    private let folder: TemporaryFolder
    private let ports: [Int]

    /// - Parameter locations: Its directives; `PORT` stands for the port of https.
    /// - Throws: What Foundation says, or a failed requirement.
    init(_ locations: String = "") throws {
        folder = try TemporaryFolder()
        ports = try EtcdCluster.freePorts(2)
        let configuration = """
            daemon on;
            master_process off;
            pid \(folder.path)/pid;
            error_log \(folder.path)/error.log;
            events {}
            http {
                access_log \(folder.path)/access.log;
                client_body_temp_path \(folder.path)/body;
                proxy_temp_path \(folder.path)/proxy;
                fastcgi_temp_path \(folder.path)/fastcgi;
                uwsgi_temp_path \(folder.path)/uwsgi;
                scgi_temp_path \(folder.path)/scgi;
                server {
                    listen 127.0.0.1:\(ports[0]);
                    listen 127.0.0.1:\(ports[1]) ssl http2;
                    ssl_certificate \(folder.path)/server.crt;
                    ssl_certificate_key \(folder.path)/server.key;
                    root \(folder.path)/root;
                    \(locations.replacing("PORT", with: "\(ports[1])"))
                }
            }
            """
        try configuration.write(toFile: folder.file("nginx.conf"), atomically: false, encoding: .utf8)
        let script = """
            cd "$1" && {
            mkdir root
            echo 'vault:{PLAIN}a "good" password' >users
            key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
            openssl req -x509 $key -subj '/CN=an authority' -keyout ca.key -out ca.crt
            openssl req $key -subj '/CN=a server' -keyout server.key -out server.csr
            openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out server.crt \\
                -extfile <(echo subjectAltName=IP:127.0.0.1,DNS:localhost)
            nginx -p . -c "$1/nginx.conf" </dev/null
            } >log 2>&1
            for n in {1..100}; do curl -q -s -o answer http://127.0.0.1:$2 && exit; sleep 0.05; done
            cat log; exit 1
            """
        var environment = ProcessInfo.processInfo.environment
        environment["PATH", default: "/usr/bin:/bin"] += ":/usr/sbin"
        let started = try Command.run(
            "/bin/bash", ["-c", script, "bash", folder.path, "\(ports[0])"], environment: environment)
        try #require(started.status == 0, "nginx did not start: \(started.text)")
    }

    deinit {
        if let text = try? String(contentsOfFile: folder.file("pid"), encoding: .utf8), let id = pid_t(text.dropLast())
        {
            kill(id, SIGKILL)
        }
    }

    func put(_ bytes: [UInt8], modified: Int? = nil) throws {
        let path = folder.file("root/vault.age")
        try Data(bytes).write(to: URL(filePath: path))
        if let modified {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: TimeInterval(modified))], ofItemAtPath: path)
        }
    }

    func remove() throws { try FileManager.default.removeItem(atPath: folder.file("root/vault.age")) }

    /// What was asked for below the root so far: the user, the path, and the status of the answer.
    func requests() throws -> [String] {
        let text = try String(contentsOfFile: folder.file("access.log"), encoding: .utf8)
        return text.matches(of: /[ ]-[ ]([^ ]+) \[[^"]+"GET \/([a-z.]+) [^"]+" ([0-9]+)[ ]/).map {
            "\($0.1) \($0.2) \($0.3)"
        }
    }

    func store(
        _ scheme: String = "https", _ path: String = "vault.age", user: String? = nil, password: String? = nil,
        isTrusted: Bool = true
    ) throws -> any Store {
        try Stores.open(
            RemoteURL("\(scheme)://127.0.0.1:\(ports[scheme == "http" ? 0 : 1])/\(path)"),
            StoreCredentials(
                authority: scheme == "https" && isTrusted ? folder.file("ca.crt") : nil, user: user,
                password: password.map { SecretBytes(Array($0.utf8)) }))
    }
}

@Suite("Remotes: web servers", .waitsForPrograms) struct WebStoreTests {
    private static func error(_ store: any Store) -> StoreError? {
        do throws(StoreError) { _ = try store.readHead(unless: nil) } catch { return error }
        return nil
    }

    private static func tag(_ answer: HeadAnswer) throws -> String {
        guard case .head(let head) = answer else { throw StoreError.malformed("\(answer)") }
        return head.tag
    }

    @Test("A version is told by its entity tag, and comes once", arguments: ["http", "https"])
    func entityTag(scheme: String) throws {
        let server = try WebServer()
        let store = try server.store(scheme)
        #expect(store.isReadOnly)
        #expect(try store.readHead(unless: nil) == .absent)
        let bytes = try SomeVersion(1, size: 300_000).bytes
        try server.put(bytes)
        let head = try store.newest()
        #expect(head.tag.hasPrefix("\"") && head.byteCount == bytes.count && head.manifest == nil)
        #expect(try store.bytes(of: head) == bytes)
        #expect(try store.bytes(of: head) == bytes)
        #expect(try store.readHead(unless: head.tag) == .unchanged)
        #expect(try server.requests() == ["404", "200", "304"].map { "- vault.age \($0)" })
        // What is remembered is read by another process later.
        #expect(try server.store(scheme).bytes(of: head) == bytes)
        try server.put(SomeVersion(2, size: 10).bytes)
        #expect(try store.readHead(unless: head.tag) == .head(store.newest()))
        #expect(try store.bytes(of: store.newest()).count == 10)
        #expect(throws: StoreError.vanished) { try server.store(scheme).bytes(of: head) }
        try server.remove()
        #expect(try store.readHead(unless: head.tag) == .absent)
    }

    @Test("Without entity tags the date tells versions apart") func otherTags() throws {
        let server = try WebServer("etag off;")
        try server.put([1, 2, 3], modified: 1_700_000_000)
        let store = try server.store()
        let tag = try Self.tag(store.readHead(unless: nil))
        #expect(tag == "modified:Tue, 14 Nov 2023 22:13:20 GMT")
        #expect(try store.readHead(unless: tag) == .unchanged)
        try server.put([1, 2, 4], modified: 1_700_000_001)
        #expect(try Self.tag(store.readHead(unless: tag)) != tag)
        #expect(try server.requests() == ["200", "304", "200"].map { "- vault.age \($0)" })
    }

    @Test("Without tag and date, the bytes tell versions apart") func contentTag() throws {
        let server = try AnsweringServer { _ in
            .raw("HTTP/1.1 200 OK\r\nETag: none\r\nContent-Length: 3\r\nConnection: close\r\n\r\none")
        }
        let store = try Stores.open(RemoteURL("http://127.0.0.1:\(server.port)/vault.age"))
        let head = try store.newest()
        #expect(head.tag.hasPrefix("content:"))
        #expect(try store.readHead(unless: head.tag) == .unchanged)
        #expect(try store.readHead(unless: "content:another") == .head(head))
        #expect(try store.bytes(of: head) == Array("one".utf8))
    }

    @Test("A user is let in by a password") func users() throws {
        let server = try WebServer("location / { auth_basic a; auth_basic_user_file users; }")
        try server.put([1])
        #expect(try server.store(user: "vault", password: "a \"good\" password").newest().byteCount == 1)
        let refused = StoreError.notAllowed("the web server does not give the vault to this user")
        #expect(try Self.error(server.store(user: "vault", password: "a bad one")) == refused)
        #expect(try Self.error(server.store()) == refused)
        for password in ["a\nb", "a\u{0}", "\u{7f}"] {
            #expect(throws: StoreError.self) { try server.store(user: "vault", password: password) }
        }
        #expect(throws: StoreError.self) { try server.store(user: "a:b", password: "c") }
    }

    @Test("An authority that is not known is not trusted") func authority() throws {
        let server = try WebServer()
        #expect(
            try Self.error(server.store(isTrusted: false))
                == .notAllowed("the certificate of the store is not trusted here; its authority is given with --ca"))
    }

    @Test("Redirects are followed by https alone, and without the password to another host") func redirects() throws {
        let server = try WebServer(
            """
            location /good { return 302 https://127.0.0.1:PORT/vault.age; }
            location /twice { return 301 https://127.0.0.1:PORT/good; }
            location /plain { return 302 http://127.0.0.1:1/vault.age; }
            location /file { return 302 file:///etc/passwd; }
            location /round { return 302 https://127.0.0.1:PORT/round; }
            location /nowhere { return 302 ''; }
            location /away { return 302 https://localhost:PORT/vault.age; }
            """)
        try server.put([1, 2])
        for path in ["good", "twice"] { #expect(try server.store("https", path).newest().byteCount == 2) }
        for path in ["plain", "file", "round"] {
            #expect(
                try Self.error(server.store("https", path))
                    == .malformed("the store leads to somewhere else, or speaks no HTTP"))
        }
        #expect(try Self.error(server.store("https", "nowhere")) != nil)
        let before = try server.requests().count
        #expect(try server.store("https", "away", user: "vault", password: "a").newest().byteCount == 2)
        #expect(try server.requests().dropFirst(before) == ["vault away 302", "- vault.age 200"])
        #expect(
            try Self.error(server.store("http", "good"))
                == .malformed("the web server has no file to give there (status 302)"))
    }

    @Test("A file that is cut off, larger than any vault, or empty is refused") func sizes() throws {
        func error(_ answer: String) throws -> StoreError? {
            let server = try AnsweringServer { _ in .raw(answer) }
            return try Self.error(Stores.open(RemoteURL("http://127.0.0.1:\(server.port)/vault.age")))
        }
        #expect(
            try error("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234")
                == .unreachable("the store's answer broke off"))
        #expect(
            try error("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                == .malformed("the file on the web server is empty"))
        #expect(try error("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n") != nil)
        #expect(try error("HTTP/1.1 304 No\r\n\r\n") != nil)
        #expect(try error("HTTP/1.1 200 OK\r\nA: \(String(repeating: "a", count: 70_000))\r\n\r\n1") != nil)
        let server = try AnsweringServer { _ in .endless }
        let store = try Stores.open(RemoteURL("http://127.0.0.1:\(server.port)/vault.age"))
        #expect(Self.error(store) == .malformed("what the web server has is larger than any vault"))
        #expect(server.sentBytes < 300 << 20)
    }

    @Test("Nothing is written, and a wait ends in time") func readOnly() throws {
        let server = try WebServer()
        let store = try server.store()
        let version = try SomeVersion(1)
        #expect(throws: StoreError.notAllowed("a vault on a web server can only be read from here")) {
            try store.compareAndSwap(nil, with: version.new)
        }
        let start = ContinuousClock.now
        #expect(try store.waitForChange(of: nil, seconds: 1))
        #expect(ContinuousClock.now - start < .seconds(3))
    }
}
