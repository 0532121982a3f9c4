internal import Glibc

/// A call to the system that went wrong.
struct SystemError: Error {
    /// What was being done.
    let operation: String
    let number: Int32

    init(_ operation: String) {
        number = errno
        self.operation = operation
    }
}
