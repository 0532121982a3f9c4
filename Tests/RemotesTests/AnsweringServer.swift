import Foundation
import Glibc
import Synchronization
import TestSupport

/// An HTTP server on loopback that answers what a test wants it to. It ends with the value.
final class AnsweringServer: Sendable {
    struct Request {
        /// The request line and the headers.
        let head: String
        let body: String

        var path: String { head.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
    }

    enum Answer {
        case json(String)
        /// Everything, the head included.
        case raw(String)
        /// A head, and then bytes until the client goes away.
        case endless
        /// A head, and then a byte now and then.
        case trickle
        /// Nothing at all: the connection is closed.
        case none
    }

    let port: UInt16
    /// How many bytes were sent in all.
    var sentBytes: Int { sent.withLock { $0 } }

    private let listener: Int32
    private let sent = Mutex(0)

    init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
        listener = socket(AF_INET, 1 | 0x80000, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(listener, address, size) == 0, listen(listener, 64) == 0 else { return Int32(-1) }
                return getsockname(listener, address, &size)
            }
        }
        guard status == 0 else { throw Command.Failure.system(call: "bind", errno: errno) }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                let server = self
                Thread.detachNewThread { server?.serve(connection, answer) }
            }
            close(listener)
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ connection: Int32, _ answer: (Request) -> Answer) {
        defer { close(connection) }
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard let request = Self.read(connection) else { return }
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
        switch answer(request) {
        case .json(let text): _ = send("\(head)Content-Length: \(text.utf8.count)\r\n\r\n\(text)", connection)
        case .raw(let text): _ = send(text, connection)
        case .none: break
        case .endless:
            let part = String(repeating: " ", count: 1 << 16)
            var goesOn = send("\(head)\r\n", connection)
            while goesOn { goesOn = send(part, connection) }
        case .trickle:
            var goesOn = send("\(head)\r\n", connection)
            while goesOn {
                usleep(300_000)
                goesOn = send(" ", connection)
            }
        }
    }

    private func send(_ text: String, _ connection: Int32) -> Bool {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            done += count
        }
        sent.withLock { $0 += bytes.count }
        return true
    }

    private static func read(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.firstRange(of: "\r\n\r\n") {
                let head = String(text[..<end.lowerBound]).replacing("\r\n", with: "\n")
                let length = head.firstMatch(of: /(?i)\ncontent-length: *([0-9]+)/).flatMap { Int($0.1) } ?? 0
                let body = text[end.upperBound...]
                if body.utf8.count >= length { return Request(head: head, body: String(body)) }
            }
            var part = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(connection, &part, part.count, 0)
            guard count > 0 else { return nil }
            bytes += part[..<count]
        }
    }
}
