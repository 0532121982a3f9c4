internal import Foundation
internal import Glibc

/// An HTTP server on loopback that answers each request with the bytes of its head, the blank line included. It ends
/// with the value.
public final class EchoServer: Sendable {
    /// Where it listens, on 127.0.0.1.
    public let port: UInt16

    private let listener: Int32

    /// Starts it on a free port.
    ///
    /// - Throws: ``Command/Failure/system(call:errno:)``.
    public init() throws {
        // SOCK_STREAM and SOCK_CLOEXEC, which Swift's Glibc has as enumerations.
        listener = socket(AF_INET, 1 | 0x80000, 0)
        guard listener >= 0 else { throw Command.Failure.system(call: "socket", errno: errno) }
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
        guard status == 0 else {
            close(listener)
            throw Command.Failure.system(call: "bind", errno: errno)
        }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { Self.serve(listener) }
    }

    // The thread's accept fails then, and it closes the descriptor.
    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    private static func serve(_ listener: Int32) {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                break
            }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            var patience = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            let request = readHead(connection)
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: \(request.count)\r\n\r\n"
            let answer = Array(head.utf8) + request
            // MSG_NOSIGNAL: a client that has gone away is no reason to end.
            var sent = 0
            while sent < answer.count {
                let count = answer[sent...].withUnsafeBytes {
                    send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { break }
                sent += count
            }
            close(connection)
        }
        close(listener)
    }

    private static func readHead(_ connection: Int32) -> [UInt8] {
        var request: [UInt8] = []
        while !request.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            var part = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(connection, &part, part.count, 0)
            guard count > 0 else { break }
            request += part[..<count]
        }
        return request
    }
}
