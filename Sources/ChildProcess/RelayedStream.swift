internal import CLinux
internal import Glibc

/// One stream of the child on its way through a filter.
final class RelayedStream {
    /// The standard descriptor of ours that it goes to; the smaller one of two that are the same file.
    let number: Int32
    /// Where it comes from; -1 once it has ended. Does not block.
    private(set) var source: Int32
    private(set) var writeError: Int32?

    private let isTerminal: Bool
    private let filter: any OutputFilter
    private let sink: OutputSink
    private let isShared: Bool
    private var isOpen = true
    /// What came out of the filter, and what of it could not be written yet.
    private var pending: [UInt8] = []
    private var written = 0
    /// How much is still to be read once the child has ended.
    private var rest: Int?

    /// A pseudo-terminal holds no more than that.
    private static let terminalRest = 1 << 17

    /// Takes over the source. Shared is what standard output and standard error both go to.
    init(_ standard: StandardDescriptor, isShared: Bool, source: Int32, filter: any OutputFilter) {
        self.isShared = isShared
        number = standard.number
        isTerminal = standard.isTerminal
        self.source = source
        self.filter = filter
        sink = OutputSink(standard)
    }

    /// Whether there is nothing more to do.
    var isFinished: Bool { source < 0 && pending.isEmpty }

    /// Whether more can be read: nothing is, while something waits to be written.
    var isReading: Bool { source >= 0 && pending.isEmpty }

    /// What to wait for at the other side.
    var polledSink: pollfd {
        let isOfInterest = isOpen && (sink.losesReaders || !pending.isEmpty)
        return pollfd(fd: isOfInterest ? sink.polled : -1, events: pending.isEmpty ? 0 : Int16(POLLOUT), revents: 0)
    }

    /// Does what `poll` has found possible at the other side.
    func sinkIsReady(_ events: Int16) {
        if !pending.isEmpty {
            writePending()
        } else if events & Int16(POLLERR | POLLHUP) != 0 {
            stop(.nobodyReads)
        }
    }

    /// Reads once, and passes on what came.
    ///
    /// - Returns: Whether something came.
    @discardableResult
    func relay(_ buffer: UnsafeMutableRawBufferPointer) -> Bool {
        let count = unsafe read(source, buffer.baseAddress, min(buffer.count, rest ?? .max))
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return false }
        guard count > 0 else {
            // A terminal that nobody holds open any more is an error of reading.
            end()
            return false
        }
        rest = rest.map { $0 - count }
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count]).bindMemory(to: UInt8.self)
        unsafe filter.process(bytes.span) { emit($0) }
        return true
    }

    /// Reads all that is there now, as far as it can be written: the child has ended, or stopped.
    func drain(_ buffer: UnsafeMutableRawBufferPointer) {
        var left = Self.terminalRest / 4096
        while isReading, left > 0, unsafe relay(buffer) { left -= 1 }
    }

    /// The child has ended: what is there now is still its output. Somebody else who holds the stream is not waited for.
    func childEnded() {
        guard source >= 0 else { return }
        var count: Int32 = 0
        rest = isTerminal ? Self.terminalRest : unsafe clinux_readable_bytes(source, &count) == 0 ? Int(count) : 0
    }

    /// Goes on after the child's end, as far as possible without waiting.
    func drainRest(_ buffer: UnsafeMutableRawBufferPointer) {
        while isReading {
            if unsafe rest == 0 || !relay(buffer), source >= 0 { end() }
        }
    }

    /// Gives up: nothing more is read or written.
    func abandon() { stop(.nobodyReads) }

    /// There is nothing more to read.
    private func end() {
        closeSource()
        filter.finish { emit($0) }
        if pending.isEmpty { closeSink() }
    }

    private func emit(_ bytes: Span<UInt8>) {
        guard isOpen else { return }
        var start = 0
        if pending.isEmpty { start = write(bytes) }
        guard isOpen, start < bytes.count else { return }
        unsafe bytes.extracting(droppingFirst: start).withUnsafeBufferPointer {
            unsafe pending.append(contentsOf: $0)
        }
    }

    private func writePending() {
        let bytes = exchange(&pending, with: [])
        written += write(bytes.span.extracting(droppingFirst: written))
        guard isOpen else { return }
        if written < bytes.count {
            pending = bytes
        } else {
            written = 0
            if source < 0 { closeSink() }
        }
    }

    /// Writes as much as is possible now.
    private func write(_ bytes: Span<UInt8>) -> Int {
        var start = 0
        do throws(WriteError) {
            while start < bytes.count, case let count = try sink.write(bytes.extracting(droppingFirst: start)),
                count > 0
            {
                start += count
            }
        } catch {
            stop(error)
        }
        return start
    }

    /// The other side is gone: the child is told in the same way, by a stream that nobody reads.
    private func stop(_ error: WriteError) {
        if case .failed(let number) = error { writeError = number }
        closeSource()
        pending = []
        closeSink()
    }

    private func closeSource() {
        if source >= 0 { close(source) }
        source = -1
    }

    /// Whoever reads our output learns that it has ended, although this process lives on. Messages may still come on
    /// standard error.
    private func closeSink() {
        guard isOpen else { return }
        isOpen = false
        sink.close()
        guard number == 1, !isShared else { return }
        let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        dup2(null, number)
        close(null)
    }
}
