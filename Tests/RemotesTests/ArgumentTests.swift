import Foundation
import Glibc
import Remotes
import Sodium
import Synchronization
import TestSupport
import Testing

/// Reads the argument lists and the environments of all processes, over and over.
private final class ProcessWatcher: Sendable {
    private struct State {
        var isStopped = false
        var hasEnded = false
        var found: Set<String> = []
        var clients: Set<String> = []
    }

    private let state = Mutex(State())

    init(_ secrets: [String]) {
        let needles = secrets + secrets.map { Data($0.utf8).base64EncodedString() }
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.isStopped }) {
                for (name, text) in Self.texts() {
                    let isFound = needles.contains { text.contains($0) }
                    state.withLock {
                        if isFound { $0.found.insert("\(name): \(text)") }
                        if name == "cmdline", text.hasPrefix("curl\0"), text.contains("\0--config\0") {
                            $0.clients.insert(text)
                        }
                    }
                }
            }
            state.withLock { $0.hasEnded = true }
        }
    }

    func stop() -> (found: Set<String>, clients: Set<String>) {
        state.withLock { $0.isStopped = true }
        while !state.withLock({ $0.hasEnded }) { usleep(1000) }
        return state.withLock { ($0.found, $0.clients) }
    }

    /// Of all processes but this one, whose memory a test has put the secrets into.
    private static func texts() -> [(name: String, text: String)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { $0.first?.isNumber == true && $0 != "\(getpid())" }.flatMap { id in
            ["cmdline", "environ"].compactMap { name in
                let descriptor = open("/proc/\(id)/\(name)", O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { return nil }
                defer { close(descriptor) }
                var bytes = [UInt8](repeating: 0, count: 1 << 15)
                let count = read(descriptor, &bytes, bytes.count)
                return count > 0 ? (name, String(decoding: bytes.prefix(count), as: UTF8.self)) : nil
            }
        }
    }
}

@Suite("Remotes: what others see", .waitsForPrograms) struct ArgumentTests {
    @Test("Neither passwords nor tokens nor places are in arguments or environments") func watched() throws {
        let password = "pass\(UUID().uuidString)"
        let place = "place\(UUID().uuidString)"
        let received = Mutex("")
        let server = try AnsweringServer { request in
            received.withLock { $0 += request.head + request.body }
            if request.path.hasSuffix("authenticate") {
                return .json(#"{"header":{"revision":"1"},"token":"token\#(password)"}"#)
            }
            usleep(20_000)
            return .json(#"{"header":{"revision":"1"}}"#)
        }
        let watcher = ProcessWatcher([password, place])
        let etcd = try Stores.open(
            RemoteURL("etcd://127.0.0.1:\(server.port)/\(place)"),
            StoreCredentials(user: "vault", password: SecretBytes(Array(password.utf8))))
        let web = try Stores.open(
            RemoteURL("http://127.0.0.1:\(server.port)/\(place)"),
            StoreCredentials(user: "vault", password: SecretBytes(Array(password.utf8))))
        for _ in 0..<10 {
            #expect(try etcd.readHead(unless: nil) == .absent)
            _ = try web.readHead(unless: nil)
        }
        let (found, clients) = watcher.stop()
        #expect(found == [])
        #expect(!clients.isEmpty)
        for client in clients { #expect(client.wholeMatch(of: /curl\0-q\0--config\0\/dev\/fd\/[0-9]+\0/) != nil) }
        let text = received.withLock { $0 }
        #expect(text.contains(#""password":"\#(password)""#))
        #expect(text.contains("uthorization: token\(password)"))
        #expect(text.contains("Basic \(Data("vault:\(password)".utf8).base64EncodedString())"))
        #expect(text.contains("/\(place)"))
    }
}
