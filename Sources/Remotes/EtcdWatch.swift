internal import Sodium
internal import VaultFile

/// What etcd streams to a watcher: one JSON text a line, the first of which says that it watches.
struct EtcdWatch {
    /// How long the first line may take, in seconds.
    private static let firstLineSeconds = 6
    /// The longest line: an event has the head in it.
    private static let longestLine = 1 << 16

    private static let ended = StoreError.unreachable("the store ended the watch")

    private let start: Int
    private let firstEnd: Int
    private let end: Int
    private var line: [UInt8] = []
    private var isWatching = false
    private var isWorthALook = false

    /// - Parameters:
    ///   - start: The revision that is known.
    ///   - seconds: How long to watch.
    init(from start: Int, seconds: Int) {
        self.start = start
        firstEnd = HTTPClient.now + min(seconds, Self.firstLineSeconds)
        end = HTTPClient.now + seconds
    }

    /// Takes the next bytes, or none when time has passed.
    ///
    /// - Returns: Whether there is something to wait for.
    /// - Throws: ``StoreError``.
    mutating func take(_ bytes: Span<UInt8>) throws(StoreError) -> Bool {
        for index in bytes.indices {
            guard bytes[index] == UInt8(ascii: "\n") else {
                guard line.count < Self.longestLine else { throw EtcdAnswer.malformed }
                line.append(bytes[index])
                continue
            }
            let complete = line
            line = []
            try read(complete.span)
            if isWorthALook { return false }
        }
        return HTTPClient.now < (isWatching ? end : firstEnd)
    }

    /// What came of it.
    ///
    /// - Parameter hasEnded: Whether it was the store that ended it.
    /// - Returns: Whether the head is worth another look.
    /// - Throws: ``StoreError/unreachable(_:)`` when nobody watched, or not to the end.
    func finish(hasEnded: Bool) throws(StoreError) -> Bool {
        if isWorthALook { return true }
        guard isWatching else { throw .unreachable("the store did not begin to watch in time") }
        guard !hasEnded else { throw Self.ended }
        return false
    }

    private mutating func read(_ line: Span<UInt8>) throws(StoreError) {
        var result: Range<Int>?
        var revision = 0
        var hasEvents = false
        var isCanceled = false
        do throws(JSONError) {
            var cursor = JSONCursor()
            cursor.skipWhitespace(line)
            try cursor.readObject(line) { (name, cursor) throws(JSONError) in
                let start = cursor.position
                guard name.equals("result", in: line) else {
                    try cursor.readValue(line)
                    return
                }
                try cursor.readObject(line) { (name, cursor) throws(JSONError) in
                    if name.equals("header", in: line) {
                        try cursor.readObject(line) { (name, cursor) throws(JSONError) in
                            guard name.equals("revision", in: line) else {
                                try cursor.readValue(line)
                                return
                            }
                            revision = try EtcdNumber.readText(line, &cursor)
                        }
                    } else if name.equals("events", in: line) {
                        try cursor.readArray(line) { (cursor) throws(JSONError) in
                            try cursor.readValue(line)
                            hasEvents = true
                        }
                    } else if name.equals("canceled", in: line) {
                        isCanceled = cursor.take("true", line)
                        if !isCanceled { try cursor.readValue(line) }
                    } else {
                        try cursor.readValue(line)
                    }
                }
                result = start..<cursor.position
            }
            try cursor.readEnd(line)
        } catch {
            throw EtcdAnswer.malformed
        }
        // An error: the member has lost the others, or the user may not watch.
        guard result != nil else {
            if case .store(let error) = EtcdFailure(status: 200, line) { throw error }
            throw Self.ended
        }
        // As where what comes next was compacted meanwhile.
        guard !isCanceled else { throw Self.ended }
        isWatching = true
        // A store that has not come as far as what is known here is another one, or was restored from a backup.
        isWorthALook = hasEvents || revision < start
    }
}
