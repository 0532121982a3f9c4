import Foundation
import Remotes
import Sodium
import Synchronization
import TestSupport
import Testing

/// Stores that answer what they should not. Nothing of it crashes, hangs, or is believed.
@Suite("Remotes: stores that lie", .waitsForPrograms) struct LyingStoreTests {
    private static let header = #""header":{"revision":"7"}"#
    private static let key = String(repeating: "ab", count: 32)
    private static let manifest = Data(repeating: 0xab, count: 32).base64EncodedString()

    private static func head(_ byteCount: String = "5", _ parts: String = "1", key: String = key) -> String {
        #"{"vault/v1 head":[{"manifest":"\#(manifest)","key":"\#(key)","byteCount":\#(byteCount),"parts":\#(parts)}]}"#
    }

    private static func range(_ value: String, revision: String = "5") -> String {
        let value = Data(value.utf8).base64EncodedString()
        return #"{\#(header),"kvs":[{"key":"YQ==","mod_revision":"\#(revision)","value":"\#(value)"}],"count":"1"}"#
    }

    private static func store(_ server: AnsweringServer) throws -> any Store {
        try Stores.open(RemoteURL("etcd://127.0.0.1:\(server.port)/team/vault"))
    }

    private static func error(_ body: () throws -> Void) -> StoreError? {
        do { try body() } catch let error as StoreError { return error } catch {}
        return nil
    }

    private static func isMalformed(_ error: StoreError?) -> Bool {
        guard case .malformed = error else { return false }
        return true
    }

    @Test("The head that it should read is one", arguments: [head(), " " + head() + "\n", head("268435456", "100")])
    func good(head: String) throws {
        let server = try AnsweringServer { _ in .json(Self.range(head)) }
        #expect(try Self.store(server).newest().tag == "5 \(Self.key)")
    }

    @Test(
        "A head that is none is refused",
        arguments: [
            "", "{", "null", "[]", "rubbish", "{}", #"{"vault/v1 head":[]}"#, #"{"vault/v1 head":{}}"#, head("0"),
            head("-1"), head("268435457"), head("1e3"), head("5.0"), head("05"), head("99999999999999999999"),
            head("\"5\""), head("5", "0"), head("5", "101"), head("5", "-1"), head(key: "../../head"), head(key: ""),
            head(key: key.uppercased()), head(key: key + "0"), head() + head(),
            head().replacing(manifest, with: "a"), head().replacing(manifest, with: ""),
            #"{"vault/v1 head":[\#((0..<4).map { _ in String(head().dropFirst(18).dropLast(2)) }.joined(separator: ","))]}"#,
        ])
    func badHead(head: String) throws {
        let server = try AnsweringServer { _ in .json(Self.range(head)) }
        #expect(Self.isMalformed(Self.error { _ = try Self.store(server).readHead(unless: nil) }))
    }

    @Test(
        "An answer that is none of etcd's is refused",
        arguments: [
            "", "{", "null", "[]", "<html>", "{}", #"{"kvs":[]}"#, #"{"header":{}}"#, #"{"header":{"revision":7}}"#,
            #"{"header":{"revision":"-7"}}"#, #"{"header":{"revision":"99999999999999999999999"}}"#,
            #"{\#(header),"kvs":{}}"#, #"{\#(header),"kvs":[{}]}"#, #"{\#(header),"kvs":[{"key":"YQ=="}]}"#,
            #"{\#(header),"kvs":[{"key":"YQ==","mod_revision":"5"}]}"#,
            #"{\#(header),"kvs":[{"key":"YQ==","mod_revision":"5","value":"e30"}]}"#,
            #"{\#(header),"kvs":[{"key":"YQ==","mod_revision":"5","value":"!!!!"}]}"#,
            range(head()) + range(head()), range(head(), revision: "0"), range(head(), revision: "9223372036854775808"),
            String(repeating: "[", count: 60_000), range(head()).replacing("kvs", with: "header"),
        ])
    func badAnswer(answer: String) throws {
        let server = try AnsweringServer { _ in .json(answer) }
        #expect(Self.isMalformed(Self.error { _ = try Self.store(server).readHead(unless: nil) }))
    }

    @Test(
        "Parts that do not have the size of the version are refused, and never more is written",
        arguments: [
            (head("5"), ["aaaa"]), (head("5"), ["aaaaaa"]), (head("5"), [""]), (head("9", "2"), ["aaaaa", "aaa"]),
            (head("9", "2"), ["aaaaa", "aaaaa"]), (head("5", "2"), ["aaaaa", "aaaaa"]),
            (head("5", "2"), ["aaaaaa", "a"]),
        ])
    func badParts(head: String, parts: [String]) throws {
        let number = Mutex(-1)
        let server = try AnsweringServer { _ in
            let part = number.withLock { number in
                defer { number += 1 }
                return number
            }
            return .json(Self.range(part < 0 ? head : parts[min(part, parts.count - 1)]))
        }
        let store = try Self.store(server)
        let found = try store.newest()
        let folder = try TemporaryFolder()
        let descriptor = open(folder.file("copy"), O_CREAT | O_WRONLY, 0o600)
        defer { close(descriptor) }
        #expect(Self.isMalformed(Self.error { try store.read(found, into: descriptor) }))
        #expect(try Data(contentsOf: URL(filePath: folder.file("copy"))).count <= found.byteCount ?? 0)
    }

    @Test("A part that is missing, or whose base64 is cut off, is told apart") func missingPart() throws {
        let answer = Mutex("")
        let step = Mutex(0)
        let server = try AnsweringServer { _ in
            step.withLock { step in
                step += 1
                return .json(step == 1 ? Self.range(Self.head()) : answer.withLock { $0 })
            }
        }
        for (text, expected) in [
            (#"{\#(Self.header)}"#, StoreError.vanished),
            (
                Self.range("aaaaa").replacing("YWFhYWE=", with: "YWFhYWE"),
                .malformed("the parts of the version in the store do not have its size")
            ),
        ] {
            answer.withLock { $0 = text }
            step.withLock { $0 = 0 }
            let store = try Self.store(server)
            let head = try store.newest()
            #expect(Self.error { _ = try store.bytes(of: head) } == expected)
        }
    }

    @Test("An answer without end is given up before it fills anything") func endless() throws {
        let server = try AnsweringServer { request in
            request.path.hasSuffix("watch") ? .endless : .json(Self.range(Self.head()))
        }
        let rest = try AnsweringServer { _ in .endless }
        #expect(Self.isMalformed(Self.error { _ = try Self.store(rest).readHead(unless: nil) }))
        #expect(
            Self.isMalformed(
                Self.error { _ = try Self.store(server).waitForChange(of: "5 \(Self.key)", seconds: 20) }))
        #expect(rest.sentBytes < 32 << 20)
        #expect(server.sentBytes < 32 << 20)
    }

    @Test("A store that hardly answers is given up") func trickle() throws {
        let server = try AnsweringServer { request in
            request.path.hasSuffix("watch") ? .trickle : .json(Self.range(Self.head()))
        }
        let rest = try AnsweringServer { _ in .trickle }
        let start = ContinuousClock.now
        #expect(
            Self.error { _ = try Self.store(rest).readHead(unless: nil) }
                == .unreachable("the store did not answer in time"))
        #expect(
            Self.error { _ = try Self.store(server).waitForChange(of: "5 \(Self.key)", seconds: 30) }
                == .unreachable("the store did not begin to watch in time"))
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("All requests together take no longer than they may", arguments: ["etcd", "http"])
    func slowStore(scheme: String) throws {
        // Each answer comes in time, and there are many of them; a web server has one, which takes long.
        let server = try AnsweringServer { _ in
            if scheme == "http" { return .trickle }
            usleep(700_000)
            return .json(Self.range(Self.head("100000000", "96")))
        }
        let url = "\(scheme)://127.0.0.1:\(server.port)/vault"
        let store = try Stores.open(RemoteURL(url, allowsHTTP: true))
        store.limit(seconds: 3)
        let start = ContinuousClock.now
        #expect(
            Self.error { while true { _ = try store.readHead(unless: nil) } }
                == .unreachable("the store did not answer in time"))
        #expect(ContinuousClock.now - start < .seconds(6))
        // What is asked next is given up at once, until there is another limit.
        let next = ContinuousClock.now
        #expect(Self.error { _ = try store.readHead(unless: nil) } != nil)
        #expect(ContinuousClock.now - next < .seconds(1))
        guard scheme == "etcd" else { return }
        store.limit(seconds: 20)
        #expect(try store.newest().byteCount == 100_000_000)
    }

    @Test("A store that ends each watch at once is said to, and one that cancels it") func endedWatch() throws {
        for line in [#""created":true"#, #""created":true,"canceled":true,"compact_revision":"9""#] {
            let line = #"{"result":{\#(Self.header),\#(line)}}"# + "\n"
            let server = try AnsweringServer { request in
                .json(request.path.hasSuffix("watch") ? line : Self.range(Self.head()))
            }
            #expect(
                Self.error { _ = try Self.store(server).waitForChange(of: "5 \(Self.key)", seconds: 20) }
                    == .unreachable("the store ended the watch"))
        }
    }

    @Test(
        "Nobody is followed to another place", arguments: ["file:///etc/passwd", "http://127.0.0.1:1/", "gopher://a/"])
    func redirect(place: String) throws {
        let server = try AnsweringServer { _ in
            .raw("HTTP/1.1 302 Found\r\nLocation: \(place)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        #expect(Self.isMalformed(Self.error { _ = try Self.store(server).readHead(unless: nil) }))
    }

    @Test("An answer that is not even HTTP, and none at all") func noHTTP() throws {
        func error(_ answer: AnsweringServer.Answer) throws -> StoreError? {
            let server = try AnsweringServer { _ in answer }
            return Self.error { _ = try Self.store(server).readHead(unless: nil) }
        }
        #expect(try error(.none) == .unreachable("the connection to the store broke off"))
        #expect(
            try error(.raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"))
                == .unreachable("the store's answer broke off"))
        #expect(
            try error(.raw("SSH-2.0-OpenSSH\r\n"))
                == .malformed("the store leads to somewhere else, or speaks no HTTP"))
        let store = try Stores.open(RemoteURL("etcd://127.0.0.1:1/team/vault"))
        #expect(
            Self.error { _ = try store.readHead(unless: nil) }
                == .unreachable("nobody answers at the store's host and port"))
    }

    @Test("No text of a store is in a message", arguments: [400, 401, 403, 404, 412, 429, 500, 503])
    func messages(status: Int) throws {
        let body = #"{"error":"\u001b[31mevil","message":"evil","code":3}"#
        for body in [body, "evil"] {
            let server = try AnsweringServer { _ in
                .raw(
                    "HTTP/1.1 \(status) evil\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
            }
            let error = try #require(Self.error { _ = try Self.store(server).readHead(unless: nil) })
            #expect(!"\(error)".contains("evil"))
        }
    }
}
