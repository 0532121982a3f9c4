internal import Foundation
internal import Glibc
internal import Synchronization

/// Something that blocks, on a thread of its own: the few threads that run tests are not kept from others.
public final class OnThread<R: Sendable>: Sendable {
    private let answer = Mutex<Result<R, any Error>?>(nil)

    /// Begins it.
    public init(_ body: @escaping @Sendable () throws -> R) {
        Thread.detachNewThread { [self] in
            let result = Result { try body() }
            answer.withLock { $0 = result }
        }
    }

    /// Whether it has come to its end.
    public var isOver: Bool { answer.withLock { $0 != nil } }

    /// Waits for its end.
    ///
    /// - Returns: What came of it.
    /// - Throws: What it threw.
    public func result() throws -> R {
        while true {
            if let result = answer.withLock({ $0 }) { return try result.get() }
            usleep(1000)
        }
    }
}
