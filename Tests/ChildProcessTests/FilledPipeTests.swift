import ChildProcess
import Foundation
import TestSupport
import Testing

@Suite struct FilledPipeTests {
    @Test(arguments: [0, 1, 4096, 65_536, 65_537, 1 << 20])
    func `A child reads it once, and it is empty then`(size: Int) throws {
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
        let pipe = try FilledPipe.create(content.span)
        let process = try ReadableProcess.start(
            "/bin/sh", arguments: ["sh", "-c", "cat \"$1\"; cat \"$1\"", "sh", pipe.path], environment: Environment())
        let output = readAll(process.output)
        #expect(process.wait() == 0)
        let isWhole = output == content
        #expect(isWhole)
    }

    @Test func `Its number is one that scripts do not use`() throws {
        let pipe = try FilledPipe.create([1].span)
        let number = try #require(Int32(pipe.path.dropFirst("/dev/fd/".count)))
        #expect(number >= 100)
    }
}
