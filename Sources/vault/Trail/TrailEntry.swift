internal import Glibc
internal import Sodium
internal import VaultFile

/// One line of the trail.
struct TrailEntry {
    /// The process that had a token, or was refused it.
    struct Origin {
        let uid: UInt32
        let pid: Int32
        let parent: Int32
        /// What the system calls the parent; nil when that cannot be read.
        let parentName: String?
        let host: String
    }

    var time = Timestamp.now
    /// The whole path of the vault, as it was given.
    let vault: String
    /// The resource's name, or ``Trail/all``.
    let resource: String
    let verb: String
    let program: String?
    let origin: Origin
    let outcome: Trail.Outcome

    /// The line, without its end.
    var json: String {
        "{\"time\":\"\(time)\",\"vault\":\(ResourceJSON.quoted(vault)),\"resource\":\(ResourceJSON.quoted(resource)),\"verb\":\(ResourceJSON.quoted(verb))"
            + ",\"program\":\(ResourceJSON.optional(program)),\"uid\":\(origin.uid),\"pid\":\(origin.pid)"
            + ",\"parent\":{\"pid\":\(origin.parent),\"name\":\(ResourceJSON.optional(origin.parentName))}"
            + ",\"host\":\(ResourceJSON.quoted(origin.host)),\"outcome\":\"\(outcome.rawValue)\"}"
    }
}

extension TrailEntry.Origin {
    /// This process.
    init() {
        uid = getuid()
        pid = getpid()
        parent = getppid()
        parentName = Self.name(of: parent)
        // Longer than any name that Linux takes.
        var name = [CChar](repeating: 0, count: 256)
        host = unsafe gethostname(&name, name.count - 1) == 0 ? Self.text(name.prefix { $0 != 0 }) : ""
    }

    private static func name(of process: Int32) -> String? {
        let descriptor = unsafe open("/proc/\(process)/comm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var name = [CChar](repeating: 0, count: 64)
        let count = unsafe read(descriptor, &name, name.count)
        // A newline follows it.
        return count > 0 ? text(name[..<(count - 1)]) : nil
    }

    /// Bytes as text, which they need not be.
    private static func text(_ bytes: ArraySlice<CChar>) -> String {
        String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension TrailEntry {
    /// The entry that a line holds; nil for a line that this program did not write, or not to its end.
    init?(_ line: Span<UInt8>) {
        var time: Timestamp?
        var vault: String?
        var resource: String?
        var verb: String?
        var program: String??
        var uid: UInt32?
        var pid: Int32?
        var parent: Int32?
        var parentName: String??
        var host: String?
        var outcome: Trail.Outcome?

        func text(_ cursor: inout JSONCursor) throws(JSONError) -> String {
            try cursor.readString(line).text(in: line)
        }
        func optionalText(_ cursor: inout JSONCursor) throws(JSONError) -> String? {
            try cursor.readNull(line) ? nil : text(&cursor)
        }
        func number<Number: FixedWidthInteger>(_ cursor: inout JSONCursor) throws(JSONError) -> Number? {
            Number(line.extracting(try cursor.readValue(line)).text)
        }
        do throws(JSONError) {
            var cursor = JSONCursor()
            try cursor.readObject(line) { (name, cursor) throws(JSONError) in
                switch name.text(in: line) {
                case "time": time = Timestamp(try text(&cursor))
                case "vault": vault = try text(&cursor)
                case "resource": resource = try text(&cursor)
                case "verb": verb = try text(&cursor)
                case "program": program = .some(try optionalText(&cursor))
                case "uid": uid = try number(&cursor)
                case "pid": pid = try number(&cursor)
                case "parent":
                    try cursor.readObject(line) { (name, cursor) throws(JSONError) in
                        switch name.text(in: line) {
                        case "pid": parent = try number(&cursor)
                        case "name": parentName = .some(try optionalText(&cursor))
                        default: try cursor.readValue(line)
                        }
                    }
                case "host": host = try text(&cursor)
                case "outcome": outcome = Trail.Outcome(rawValue: try text(&cursor))
                default: try cursor.readValue(line)
                }
            }
            try cursor.readEnd(line)
        } catch {
            return nil
        }
        guard let time, let vault, let resource, let verb, let program, let uid, let pid, let parent, let parentName,
            let host,
            let outcome, resource == Trail.all || RecordName(resource) != nil
        else { return nil }
        let origin = Origin(uid: uid, pid: pid, parent: parent, parentName: parentName, host: host)
        self.init(
            time: time, vault: vault, resource: resource, verb: verb, program: program, origin: origin, outcome: outcome
        )
    }
}
