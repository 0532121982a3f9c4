internal import CLinux
internal import Glibc

/// Where a stream of the child goes: an inherited descriptor, written without waiting, and without setting it to
/// non-blocking, which would concern all who share it.
final class OutputSink {
    private enum Method {
        /// Opened again, by a description of our own that does not block.
        case own(Int32)
        case socket
        /// It never makes a writer wait for long.
        case plain
        /// It may: so little is written that there is room when the system says so.
        case careful
    }

    private static let carefulSize = 4096

    /// Of pipes to and from the relay; the system may refuse that.
    static let pipeSize: Int32 = 1 << 18

    private let descriptor: Int32
    private let isTerminal: Bool
    private let method: Method
    /// Whether it is to be noticed when the last reader goes away: a named pipe may get another one.
    let losesReaders: Bool

    init(_ standard: StandardDescriptor) {
        descriptor = standard.number
        isTerminal = standard.isTerminal
        var isAnonymous = false
        if standard.isTerminal || standard.kind == S_IFIFO {
            let own = unsafe open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
            method = own >= 0 ? .own(own) : .careful
            // With as much room in front of the relay as behind it, one more hop costs little.
            if !standard.isTerminal, clinux_pipe_size(descriptor) < Self.pipeSize {
                _ = clinux_set_pipe_size(descriptor, Self.pipeSize)
            }
            let pipeMagic = 0x5049_5045
            isAnonymous = !standard.isTerminal && clinux_file_system(descriptor) == pipeMagic
        } else {
            method = standard.kind == S_IFSOCK ? .socket : .plain
        }
        losesReaders = standard.isTerminal || isAnonymous
    }

    /// What to wait for with `poll`.
    var polled: Int32 {
        if case .own(let own) = method { return own }
        return descriptor
    }

    /// Writes what there is room for; 0 when there is none.
    func write(_ bytes: Span<UInt8>) throws(WriteError) -> Int {
        let count = unsafe bytes.withUnsafeBytes { bytes in
            switch method {
            case .own(let own): unsafe Glibc.write(own, bytes.baseAddress, bytes.count)
            case .socket:
                unsafe send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            case .plain: unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            case .careful:
                hasRoom
                    ? unsafe Glibc.write(descriptor, bytes.baseAddress, min(bytes.count, Self.carefulSize)) : 0
            }
        }
        if count >= 0 { return count }
        switch errno {
        case EAGAIN, EINTR: return 0
        case EPIPE: throw .nobodyReads
        // The terminal was hung up.
        case EIO where isTerminal: throw .nobodyReads
        case let number: throw .failed(errno: number)
        }
    }

    private var hasRoom: Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&polled, 1, 0) == 1
    }

    /// Gives up what was opened here.
    func close() {
        if case .own(let own) = method { Glibc.close(own) }
    }
}

/// Why nothing more can be written.
enum WriteError: Error {
    case nobodyReads
    case failed(errno: Int32)
}
