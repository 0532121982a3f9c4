import ChildProcess
import Foundation
import Testing

@Suite struct EndingTests {
    @Test func `An exit code is passed on`() async {
        await #expect(processExitsWith: .exitCode(0)) { Ending.exited(0).finish() }
        await #expect(processExitsWith: .exitCode(77)) { Ending.exited(77).finish() }
    }

    @Test func `So is a signal, were it ignored or held back`() async {
        await #expect(processExitsWith: .signal(SIGTERM)) { Ending.signaled(SIGTERM).finish() }
        await #expect(processExitsWith: .signal(SIGKILL)) { Ending.signaled(SIGKILL).finish() }
        await #expect(processExitsWith: .signal(SIGPIPE)) {
            signal(SIGPIPE, SIG_IGN)
            var held = sigset_t()
            sigaddset(&held, SIGPIPE)
            sigprocmask(SIG_BLOCK, &held, nil)
            Ending.signaled(SIGPIPE).finish()
        }
    }
}
