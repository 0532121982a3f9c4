internal import Foundation
internal import Glibc
internal import Synchronization
public import Testing

// The library runs tests on as many threads as there are processors. What waits for programs and servers waits elsewhere:
// whole suites on a few threads of theirs, parts of one test on a new one.

/// Runs the tests of a suite on threads that are theirs, a few at a time.
///
/// A test that waits for a program holds its thread, and the testing library has no more threads than there are
/// processors. Tests that mostly wait do so here, while the others have the processors.
public struct OwnThreads: SuiteTrait, TestTrait, TestScoping {
    /// A trait of a suite is one of all that is in it.
    public let isRecursive = true

    /// Runs one case of a test.
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(Threads.shared) { try await function() }
    }
}

extension Trait where Self == OwnThreads {
    /// For tests that mostly wait for programs: see ``OwnThreads``.
    public static var waitsForPrograms: Self { OwnThreads() }
}

/// Does something that blocks on a thread of its own, as a part of the task that asks: the few threads that run tests are
/// not kept from others, and what the body expects is told of the test that it belongs to.
///
/// - Parameter body: What blocks.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws.
public func onOwnThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withTaskExecutorPreference(ThreadForEach()) { try body() }
}

/// Something that blocks, on a thread of its own: the few threads that run tests are not kept from others.
public final class BackgroundThread<R: Sendable>: Sendable {
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

/// So many threads that they overlap when they wait, and so few that none is kept from what it times.
private final class Threads: TaskExecutor {
    static let shared = Threads(count: 5)

    private let jobs = Mutex<[UnownedJob]>([])
    private let available = DispatchSemaphore(value: 0)

    private init(count: Int) {
        for _ in 0..<count {
            Thread.detachNewThread { [self] in
                while true {
                    available.wait()
                    let job = jobs.withLock { $0.removeFirst() }
                    job.runSynchronously(on: asUnownedTaskExecutor())
                }
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        available.signal()
    }
}

/// Runs each piece of a task on a new thread.
private final class ThreadForEach: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
