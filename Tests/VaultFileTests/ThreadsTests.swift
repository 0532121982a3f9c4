import Synchronization
import Testing

@testable import VaultFile

@Suite struct ThreadsTests {
    @Test(arguments: [0, 1, 2, 8, 100])
    func eachRunsOnceAndIsWaitedFor(_ count: Int) {
        let numbers = Mutex<[Int]>([])
        Threads.run(count) { number in numbers.withLock { $0.append(number) } }
        // One at least: this thread itself.
        #expect(numbers.withLock { $0.sorted() } == Array(0..<max(count, 1)))
    }
}
