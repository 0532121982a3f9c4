internal import CLinux
internal import Glibc
internal import Sodium

/// A socket of the file system that carries packets (`SOCK_SEQPACKET`): what is sent at once arrives at once, or not.
final class PacketSocket: Sendable {
    let descriptor: Int32

    /// A new socket, not inherited by children; nil, with the reason in `errno`, when the system refuses.
    init?() {
        let new = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard new >= 0 else { return nil }
        descriptor = new
    }

    deinit { close(descriptor) }

    /// Connects to the socket at `path`; false, with the reason in `errno`, when that fails.
    func connect(to path: String) -> Bool {
        unsafe Self.withAddress(path) { unsafe Glibc.connect(descriptor, $0, $1) == 0 }
    }

    /// Begins to listen at `path`, where nothing may be, as a socket that only its owner may connect to; false, with the
    /// reason in `errno`, when that fails.
    func listen(at path: String) -> Bool {
        let mask = umask(0o177)
        let isBound = unsafe Self.withAddress(path) { unsafe bind(descriptor, $0, $1) == 0 }
        umask(mask)
        return isBound && Glibc.listen(descriptor, Self.backlog) == 0
    }

    /// How many may wait to be let in: as many as the system allows.
    static let backlog: Int32 = 4096

    /// Whether `path` fits into an address.
    static func isAddress(_ path: String) -> Bool {
        path.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
    }

    /// Sets how long sending and receiving may take, in seconds.
    func setPatience(_ seconds: Int) {
        var patience = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] { unsafe setsockopt(descriptor, SOL_SOCKET, option, &patience, size) }
    }

    /// Sends a message whole; false, with the reason in `errno`, when that fails.
    func send(_ message: borrowing MessageWriter) -> Bool { Self.send(message, to: descriptor) }

    /// Receives a message; nil, with the reason in `errno`, or 0 there when the other end is closed.
    func receive() -> MessageReader? { Self.receive(from: descriptor) }

    /// Who is at the other end.
    var peer: (user: uid_t, process: pid_t)? { Self.peer(of: descriptor) }

    // MARK: - Descriptors of somebody else

    /// Who is at the other end: the user, and the process that has connected, or that listens.
    static func peer(of descriptor: Int32) -> (user: uid_t, process: pid_t)? {
        var user: uid_t = 0
        var process: pid_t = 0
        return unsafe clinux_peer(descriptor, &user, &process) == 0 ? (user, process) : nil
    }

    static func send(_ message: borrowing MessageWriter, to descriptor: Int32, flags: Int32 = 0) -> Bool {
        message.withBytes { bytes in
            // One packet has to fit into the system's buffer, which is smaller than the longest message.
            if bytes.count > 64 << 10 {
                var size = Int32(2 * Message.maximumSize)
                unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
            }
            return unsafe bytes.withUnsafeBytes { bytes in
                var count: Int
                repeat {
                    count = unsafe Glibc.send(
                        descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL) | flags)
                } while count < 0 && errno == EINTR
                return count == bytes.count
            }
        }
    }

    static func receive(from descriptor: Int32, flags: Int32 = 0) -> MessageReader? {
        let peeking = Int32(MSG_PEEK) | Int32(MSG_TRUNC) | flags
        var size: Int
        repeat { size = recv(descriptor, nil, 0, peeking) } while size < 0 && errno == EINTR
        guard size > 0 else {
            if size == 0 { errno = 0 }
            return nil
        }
        guard size <= Message.maximumSize else {
            errno = EMSGSIZE
            return nil
        }
        var received = 0
        let bytes = SecretBytes(count: size) { output in
            received = unsafe output.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, flags) }
        }
        return received == size ? MessageReader(bytes) : nil
    }

    /// The path that a socket listens at.
    static func path(of descriptor: Int32) -> String? {
        var address = sockaddr_un()
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &size)
            }
        }
        guard status == 0, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
        let path = unsafe withUnsafeBytes(of: &address.sun_path) { unsafe Array($0.prefix { $0 != 0 }) }
        return path.first == UInt8(ascii: "/") ? String(decoding: path, as: UTF8.self) : nil
    }

    private static func withAddress<R>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
            for (index, byte) in path.utf8.enumerated() where index < place.count - 1 { unsafe place[index] = byte }
        }
        return unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe body(address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
