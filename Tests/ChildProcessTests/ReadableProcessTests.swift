import ChildProcess
import Foundation
import TestSupport
import Testing

@Suite struct ReadableProcessTests {
    /// What a script of the shell writes, and how it ends.
    private static func run(
        _ script: String, _ arguments: [String] = []
    ) throws(Launch.Failure) -> (output: [UInt8], status: Int32) {
        let process = try ReadableProcess.start(
            "/bin/sh", arguments: ["sh", "-c", script, "sh"] + arguments, environment: Environment())
        let output = readAll(process.output)
        return (output, process.wait())
    }

    @Test func `Its output is read, byte for byte`() throws {
        #expect(try Self.run("printf 'a\\nb\\000\\377'").output == [0x61, 0x0a, 0x62, 0, 0xff])
        #expect(try Self.run(":").output == [])
        let long = try Self.run("head -c 3000000 /dev/zero | tr '\\0' x")
        #expect(long.output.count == 3_000_000)
        #expect(long.status == 0)
    }

    @Test func `Arguments arrive as they are`() throws {
        let arguments = ["", "a b", "\"'$(id)`\n", "ünï", "-c"]
        #expect(try Self.run("printf '%s|' \"$@\"", arguments).output == Array("|a b|\"'$(id)`\n|ünï|-c|".utf8))
    }

    @Test(arguments: [0, 1, 2, 77, 125, 127, 128, 255])
    func `Its exit code is given back`(code: Int32) throws {
        #expect(try Self.run("exit \(code)").status == code)
    }

    @Test(arguments: [SIGHUP, SIGINT, SIGKILL, SIGTERM, SIGABRT, SIGSEGV])
    func `A signal that ended it is told from an exit code`(signal: Int32) throws {
        // The threads that run tests hold signals back, and children inherit that.
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        #expect(try Self.run("ulimit -c 0; kill -\(signal) $$").status == 128 + signal)
    }

    @Test func `Its input is empty`() throws {
        #expect(try Self.run("cat; readlink /proc/self/fd/0").output == Array("/dev/null\n".utf8))
    }

    @Test func `Its input is a file that is given`() throws {
        let file = try SealedFile.create(Array("a\nb\n".utf8).span)
        let process = try ReadableProcess.start(
            "/bin/cat", arguments: [Array("cat".utf8)], environment: Environment(), input: file.path)
        #expect(readAll(process.output) == Array("a\nb\n".utf8))
        #expect(process.wait() == 0)
    }

    @Test func `What it complains of is dropped where that is asked for`() throws {
        let process = try ReadableProcess.start(
            "/bin/sh", arguments: ["sh", "-c", "readlink /proc/self/fd/2; echo a >&2"].map { Array($0.utf8) },
            environment: Environment(), isSilent: true)
        #expect(readAll(process.output) == Array("/dev/null\n".utf8))
        #expect(process.wait() == 0)
    }

    @Test func `It is ended at once`() throws {
        let process = try ReadableProcess.start("/bin/sleep", arguments: ["sleep", "60"], environment: Environment())
        let start = ContinuousClock.now
        process.kill()
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func `Arguments need not be text`() throws {
        let arguments = ["printf", "%s|"].map { Array($0.utf8) } + [[0xff, 0xfe], [], [0xc3]]
        let process = try ReadableProcess.start("/usr/bin/printf", arguments: arguments, environment: Environment())
        #expect(readAll(process.output) == [0xff, 0xfe, 0x7c, 0x7c, 0xc3, 0x7c])
        #expect(process.wait() == 0)
    }

    @Test func `Our input stays ours, and it needs none of ours`() async {
        await #expect(processExitsWith: .success) {
            close(0)
            close(1)
            let (output, status) = try Self.run("cat; echo done; echo more >&2")
            #expect(output == Array("done\n".utf8))
            #expect(status == 0)
        }
    }

    @Test func `It gets the environment that it is given`() async {
        await #expect(processExitsWith: .success) {
            setenv("KEPT", "a b", 1)
            setenv("REMOVED", "x", 1)
            var environment = Environment()
            environment.remove { $0 == "REMOVED" }
            let process = try ReadableProcess.start(
                "/bin/sh", arguments: ["sh", "-c", "echo \"$KEPT|${REMOVED-none}\""], environment: environment)
            #expect(readAll(process.output) == Array("a b|none\n".utf8))
            #expect(process.wait() == 0)
        }
    }

    @Test(arguments: [
        ("/no/such/program", ENOENT), ("/dev/null", EACCES), ("/", EACCES), ("/etc/passwd/x", ENOTDIR), ("", ENOENT),
    ])
    func `A program that cannot be run says why`(program: String, number: Int32) {
        #expect(throws: Launch.Failure.notRunnable(program, errno: number)) {
            _ = try ReadableProcess.start(program, arguments: ["x"], environment: Environment())
        }
    }

    @Test func `No descriptor is left behind, and none passed on`() async {
        await #expect(processExitsWith: .success) {
            // Others of this process may open some meanwhile, but not that many.
            let before = openDescriptors().count
            for _ in 0..<40 {
                #expect(throws: Launch.Failure.self) {
                    _ = try ReadableProcess.start("/no/such/program", arguments: ["x"], environment: Environment())
                }
                #expect(try Self.run("exit 3").status == 3)
            }
            #expect(openDescriptors().count < before + 20)
            // Another one, while this one's output is still open here.
            let process = try ReadableProcess.start(
                "/bin/sh", arguments: ["sh", "-c", "sleep 0.1"], environment: Environment())
            let ours = process.output
            #expect(try Self.run("test -e /proc/$$/fd/\(ours); echo $?").output == Array("1\n".utf8))
            #expect(process.wait() == 0)
        }
    }

    @Test func `One that writes on is ended by waiting for it`() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let process = try ReadableProcess.start("/usr/bin/yes", arguments: ["yes"], environment: Environment())
            #expect(process.wait() == 128 + SIGPIPE)
        }
    }

    @Test func `Where the system keeps no exit codes, none is taken for success`() async {
        await #expect(processExitsWith: .success) {
            signal(SIGCHLD, SIG_IGN)
            let status = try Self.run("exit 1").status
            #expect(status != 0)
        }
    }
}
