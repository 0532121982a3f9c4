internal import Glibc

/// A process that goes on when this one ends.
public enum DetachedProcess {
    /// Starts `program` with an empty environment.
    ///
    /// - Parameters:
    ///   - program: The file.
    ///   - arguments: The argument vector; the first is the name it sees.
    ///   - descriptors: What it gets as its descriptors from 3 on; each is above the number that it gets.
    /// - Returns: 0, or the system's number for why it was not started.
    public static func start(_ program: String, arguments: [String], descriptors: [Int32]) -> Int32 {
        let arguments = unsafe arguments.compactMap { unsafe strdup($0) }
        defer { unsafe arguments.forEach { unsafe free($0) } }
        let numbered = descriptors.enumerated().map { (ours: $1, standard: Int32(3 + $0)) }
        return unsafe program.withCString { program in
            let spawn = unsafe Spawn(
                program: program, arguments: arguments.map { unsafe UnsafePointer($0) }, environment: [])
            return spawn.start(descriptors: numbered, mask: SignalSet([]), group: .ours).errno
        }
    }
}
