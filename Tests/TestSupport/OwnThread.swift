internal import Foundation

/// Does something that blocks on a thread of its own, as a part of the task that asks: the few threads that run tests are
/// not kept from others, and what the body expects is told of the test that it belongs to.
///
/// - Parameter body: What blocks.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws.
public func onOwnThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withTaskExecutorPreference(ThreadForEach()) { try body() }
}

/// Runs each piece of a task on a new thread.
private final class ThreadForEach: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
