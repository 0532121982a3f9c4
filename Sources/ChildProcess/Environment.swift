internal import CLinux
internal import Glibc

/// The environment of this process, and what of it a child gets. Works on the system's own strings, copying none: their
/// bytes need not be text, and some are secrets.
@safe
public struct Environment: ~Copyable {
    /// The variables that a clean environment starts from.
    public static let cleanNames = ["PATH", "HOME", "USER", "LANG", "TERM", "TZ", "TMPDIR"]

    private var inherited: [UnsafePointer<CChar>] = unsafe []

    /// All variables of this process.
    public init() {
        guard var entry = unsafe clinux_environ() else { return }
        while let variable = unsafe entry.pointee {
            unsafe inherited.append(UnsafePointer(variable))
            unsafe entry += 1
        }
    }

    /// Leaves out the variables whose names fit.
    public mutating func remove(where shouldBeRemoved: (String) -> Bool) {
        unsafe inherited.removeAll { variable in
            guard let name = unsafe Self.name(of: variable) else { return false }
            return shouldBeRemoved(name)
        }
    }

    /// Overwrites the value of a variable of this process where it stands, which the system shows to others as well.
    public static func overwriteValue(of name: String) {
        guard let value = unsafe getenv(name) else { return }
        var place = unsafe value
        while unsafe place.pointee != 0 {
            unsafe place.pointee = CChar(bitPattern: UInt8(ascii: "-"))
            unsafe place += 1
        }
    }

    /// The names of the variables.
    public var names: [String] { unsafe inherited.compactMap { unsafe Self.name(of: $0) } }

    /// The variables as `NAME=value`, each ending in a zero byte; valid as long as the process does not change its own.
    @unsafe public var variables: [UnsafePointer<CChar>] { unsafe inherited }

    /// Nil for an entry without a name, which is left as it is.
    private static func name(of variable: UnsafePointer<CChar>) -> String? {
        var count = 0
        while unsafe variable[count] != 0, unsafe variable[count] != CChar(bitPattern: UInt8(ascii: "=")) { count += 1 }
        guard unsafe variable[count] != 0 else { return nil }
        return unsafe String(
            decoding: UnsafeRawBufferPointer(start: variable, count: count), as: UTF8.self)
    }
}
