internal import Foundation
internal import Synchronization
public import Testing

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
