import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct CommandTests {
    @Test func `Input goes in, both outputs come out`() throws {
        let output = try Command.run("sh", ["-c", "cat; echo problem >&2"], input: Array("text".utf8))
        #expect(output.status == 0)
        #expect(output.signal == nil)
        #expect(output.text == "text")
        #expect(output.errorText == "problem\n")
    }

    @Test func `Arguments arrive as they are`() throws {
        let arguments = ["", "two words", "$HOME", "‹›", "-n"]
        let output = try Command.run("printf", ["%s\\n"] + arguments)
        #expect(output.text == arguments.map { $0 + "\n" }.joined())
    }

    @Test(arguments: [0, 1, 77, 255]) func `The exit code is reported`(code: Int32) throws {
        let output = try Command.run("sh", ["-c", "exit \(code)"])
        #expect(output.status == code)
        #expect(output.signal == nil)
    }

    @Test(arguments: [SIGTERM, SIGKILL]) func `The signal that ends a program is reported`(signal: Int32) throws {
        let output = try Command.run("sh", ["-c", "kill -\(signal) $$"])
        #expect(output.status == -1)
        #expect(output.signal == signal)
    }

    @Test func `The environment is the one that is given, and nothing else`() throws {
        #expect(try Command.run("env", environment: ["NAME": "some = value"]).text == "NAME=some = value\n")
        #expect(try Command.run("env", environment: [:]).text == "")
    }

    @Test func `Without an environment the program gets this process's`() throws {
        let path = ProcessInfo.processInfo.environment["PATH"]
        #expect(try Command.run("sh", ["-c", "printf %s \"$PATH\""]).text == path)
    }

    @Test func `Megabytes pass in both directions at once`() throws {
        let input = (0..<(12 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let output = try Command.run("tee", ["/dev/stderr"], input: input)
        #expect(output.status == 0)
        // Compared outside of #expect, which would print them.
        let isSame = (stdout: output.stdout == input, stderr: output.stderr == input)
        #expect(isSame.stdout && isSame.stderr)
    }

    @Test func `A program that does not read its input is no failure`() throws {
        let output = try Command.run("true", input: [UInt8](repeating: 0, count: 1 << 20))
        #expect(output.status == 0)
    }

    @Test func `Signals are what they should be in the program, whatever they are here`() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_IGN)
            var blocked = sigset_t()
            sigaddset(&blocked, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &blocked, nil)
            // `yes` dies of SIGPIPE only if that is neither ignored nor blocked.
            let output = try Command.run("sh", ["-c", "{ yes; echo $? >&2; } | head -n 1"])
            #expect(output.text == "y\n")
            #expect(output.errorText == "\(128 + SIGPIPE)\n")
        }
    }

    @Test func `A program that closes its outputs is waited for`() throws {
        let output = try Command.run("sh", ["-c", "exec >&- 2>&-; sleep 0.2; exit 3"])
        #expect(output.status == 3)
    }

    @Test func `A program that cannot be found is named`() throws {
        let error = try #require(throws: Command.Failure.self) { try Command.run("no-such-program") }
        guard case .notStarted("no-such-program", ENOENT) = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test(arguments: [
        "echo started >&2; sleep 60",
        // Deaf to polite signals.
        "echo started >&2; trap '' TERM INT HUP; while :; do sleep 1; done",
        // Ended itself, but a child of it keeps the pipes.
        "echo started >&2; sleep 60 &",
        // Keeps no pipe at all.
        "echo started >&2; exec >&- 2>&- <&-; sleep 60",
    ])
    func `What takes too long is killed, with its children`(script: String) throws {
        let folder = try TemporaryFolder()
        // The mark stands in the environment of everything that is started.
        let start = ContinuousClock.now
        let error = try #require(throws: Command.Failure.self) {
            try Command.run(
                "sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin", "MARK": folder.path],
                timeout: .milliseconds(400))
        }
        #expect(ContinuousClock.now - start < .seconds(20))
        guard case .timedOut("sh", ["-c", script], .milliseconds(400), "started\n") = error else {
            Issue.record("\(error)")
            return
        }
        var left = try processes(marked: "MARK=\(folder.path)")
        // Those that are not ours to reap may take a moment to go.
        for _ in 0..<200 where !left.isEmpty {
            usleep(10_000)
            left = try processes(marked: "MARK=\(folder.path)")
        }
        #expect(left == [])
    }

    @Test func `No zombie is left behind`() async {
        // In a process of its own, where no other test has children.
        await #expect(processExitsWith: .success) {
            _ = try Command.run("true")
            _ = try? Command.run("no-such-program")
            _ = try? Command.run("sleep", ["60"], timeout: .milliseconds(50))
            let result = waitpid(-1, nil, WNOHANG)
            #expect(result == -1 && errno == ECHILD)
        }
    }

    @Test func `A program is killed at its moment, and not before`() throws {
        let clock = ContinuousClock()
        var output: Command.Output?
        let time = try clock.measure {
            output = try Command.run("sh", ["-c", "echo begun; exec sleep 60"], killedAfter: .milliseconds(200))
        }
        #expect(output?.signal == SIGKILL)
        #expect(output?.text == "begun\n")
        #expect(time > .milliseconds(200) && time < .seconds(30))
        // Nor is one that has closed its pipes forgotten, or one that has ended by then touched.
        let silent = try Command.run("sh", ["-c", "exec <&- >&- 2>&-; exec sleep 60"], killedAfter: .milliseconds(50))
        #expect(silent.signal == SIGKILL)
        #expect(try Command.run("true", killedAfter: .seconds(20)).status == 0)
    }

    @Test func `No descriptor is left open`() async {
        await #expect(processExitsWith: .success) {
            func openCount() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            }
            let rounds = 20
            let before = try openCount()
            for _ in 0..<rounds {
                _ = try Command.run("cat", input: [1, 2, 3])
                _ = try Command.run("true", input: [UInt8](repeating: 0, count: 1 << 20))
                _ = try? Command.run("no-such-program")
                _ = try? Command.run("sleep", ["60"], timeout: .milliseconds(5))
            }
            // The runtime may open some of its own on the way, but not one for each round.
            #expect(try openCount() < before + rounds)
        }
    }

    @Test func `A program gets the three standard descriptors only`() throws {
        // One that was left open carelessly.
        let careless = open("/dev/null", O_RDONLY)
        defer { close(careless) }
        // The fourth is the listing's own.
        let output = try Command.run("ls", ["/proc/self/fd"])
        #expect(output.text == "0\n1\n2\n3\n")
    }

    @Test func `A program has no terminal to ask at`() throws {
        #expect(try Command.run("sh", ["-c", ": </dev/tty"]).status != 0)
        // Nor has it where these tests run at one: the sixth field is the session, which it leads.
        let output = try Command.run("sh", ["-c", "echo $$ $(cut -d ' ' -f 6 /proc/$$/stat)"])
        let ids = output.text.split { $0.isWhitespace }
        #expect(ids.count == 2 && ids.first == ids.last)
    }

    @Test func `Many programs at a time do not hold each other's pipes`() async throws {
        try await withThrowingTaskGroup { group in
            for number in 0..<40 {
                group.addTask {
                    let input = [UInt8](repeating: UInt8(number), count: 1 << 17)
                    let isSame = try Command.run("cat", input: input, timeout: .seconds(20)).stdout == input
                    #expect(isSame)
                }
            }
            try await group.waitForAll()
        }
    }

    /// The ids of the processes with `mark` in their environment.
    private func processes(marked mark: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            guard Int(name) != nil, let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ")
            else {
                return false
            }
            return environment.split(separator: 0).contains { $0.elementsEqual(mark.utf8) }
        }
    }
}
