import ChildProcess
import Foundation
import TestSupport
import Testing

/// Makes a file with that mode.
private func makeFile(_ path: String, _ mode: Int = 0o755, _ content: String = "") throws {
    let folder = String(decoding: path.utf8.prefix(upTo: try #require(path.utf8.lastIndex(of: 0x2f))), as: UTF8.self)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let descriptor = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    try #require(write(descriptor, content, content.utf8.count) == content.utf8.count)
    try #require(fchmod(descriptor, mode_t(mode)) == 0)
}

@Suite struct LaunchTests {
    // MARK: - Finding

    @Test func `The first folder that has the program wins`() throws {
        let folder = try TemporaryFolder()
        for name in ["a/tool", "b/tool", "b/other"] { try makeFile(folder.file(name)) }
        let path = "\(folder.file("a")):\(folder.file("b"))"
        #expect(try Launch.find("tool", searchPath: path) == folder.file("a/tool"))
        #expect(try Launch.find("other", searchPath: path) == folder.file("b/other"))
        #expect(
            try Launch.find("tool", searchPath: "\(folder.file("b")):\(folder.file("a"))") == folder.file("b/tool"))
    }

    @Test func `Folders that are missing, and files in their place, are passed over`() throws {
        let folder = try TemporaryFolder()
        try makeFile(folder.file("b/tool"))
        try makeFile(folder.file("file"))
        let path = [folder.file("none"), folder.file("file"), "/dev/null", folder.file("b")].joined(separator: ":")
        #expect(try Launch.find("tool", searchPath: path) == folder.file("b/tool"))
    }

    @Test func `What is no file is passed over`() throws {
        let folder = try TemporaryFolder()
        try makeFile(folder.file("a/tool/inner"))
        try FileManager.default.createDirectory(atPath: folder.file("c"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: folder.file("c/tool"), withDestinationPath: "nowhere")
        try FileManager.default.createDirectory(atPath: folder.file("d"), withIntermediateDirectories: true)
        try #require(mkfifo(folder.file("d/tool"), 0o755) == 0)
        let path = ["a", "c", "d"].map { folder.file($0) }.joined(separator: ":")
        #expect(throws: Launch.Failure.notFound("tool")) { try Launch.find("tool", searchPath: path) }
        try makeFile(folder.file("b/tool"))
        #expect(try Launch.find("tool", searchPath: path + ":" + folder.file("b")) == folder.file("b/tool"))
    }

    @Test func `A combining mark is a part of the name behind the colon`() throws {
        let folder = try TemporaryFolder()
        try makeFile(folder.file("b/tool"))
        let path = "/none:\u{301}:\(folder.file("b")):\u{301}"
        #expect(try Launch.find("tool", searchPath: path) == folder.file("b/tool"))
        #expect(throws: Launch.Failure.notFound("tool")) {
            try Launch.find("tool", searchPath: "\(folder.file("b"))\u{301}:\u{301}")
        }
    }

    @Test func `A link to a program is one`() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(atPath: folder.file("tool"), withDestinationPath: "/bin/sh")
        #expect(try Launch.find("tool", searchPath: folder.path) == folder.file("tool"))
    }

    @Test func `What cannot be executed is passed over, and named when there is nothing else`() throws {
        let folder = try TemporaryFolder()
        try makeFile(folder.file("a/tool"), 0o644)
        try makeFile(folder.file("b/tool"), 0o600)
        let path = "\(folder.file("a")):\(folder.file("b"))"
        #expect(throws: Launch.Failure.notRunnable(folder.file("a/tool"), errno: EACCES)) {
            try Launch.find("tool", searchPath: path)
        }
        try makeFile(folder.file("c/tool"))
        #expect(try Launch.find("tool", searchPath: path + ":" + folder.file("c")) == folder.file("c/tool"))
    }

    @Test(arguments: ["", "no-such-program", ".", "..", " ", "sh ", "SH", "sh\u{301}"])
    func `What is nowhere is not found`(command: String) {
        #expect(throws: Launch.Failure.notFound(command)) { try Launch.find(command, searchPath: "/usr/bin:/bin") }
    }

    @Test(arguments: ["/no/such/program", "./no-such-program", "no/such", "/", "/bin/sh/", "dir/\u{301}sh"])
    func `With a slash it is a path, which is not looked for`(command: String) throws {
        let folder = try TemporaryFolder()
        try makeFile(folder.file("no/such"))
        try makeFile(folder.file("dir/\u{301}sh"))
        guard command != "/" else {
            // There is one, and what it is the system will say.
            #expect(try Launch.find(command, searchPath: folder.path) == command)
            return
        }
        #expect(throws: Launch.Failure.notFound(command)) { try Launch.find(command, searchPath: folder.path) }
        try makeFile(folder.file("x"), 0o600)
        #expect(try Launch.find(folder.file("x"), searchPath: "") == folder.file("x"))
    }

    @Test func `An empty part is the current folder`() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            try makeFile(folder.file("tool"))
            try makeFile(folder.file("sub/tool"))
            try #require(chdir(folder.path) == 0)
            for path in ["", ":", "/none:", ":/none", "/none::/none"] {
                #expect(try Launch.find("tool", searchPath: path) == "./tool")
            }
            #expect(try Launch.find("tool", searchPath: "sub:") == "sub/tool")
            #expect(throws: Launch.Failure.notFound("tool")) { try Launch.find("tool", searchPath: "/none") }
        }
    }

    // MARK: - Becoming

    @Test func `Arguments and environment arrive byte for byte`() async throws {
        let result = await #expect(processExitsWith: .exitCode(7), observing: [\.standardOutputContent]) {
            // The shell's own view of what it was given, which the kernel keeps.
            let script = "/bin/cat /proc/$$/cmdline /proc/$$/environ; exit 7"
            let failure = Launch.replaceProcess(
                with: "/bin/sh",
                arguments: strings([
                    bytes("another name"), bytes("-c"), bytes(script), bytes(""), bytes("a b\n\"c\"'$(x)`"),
                    [0xff, 0xfe, 0x01],
                    bytes("ünï"),
                ]),
                environment: strings([
                    bytes("A=1"), bytes("A=2"), bytes("NO_SIGN"), bytes("=x"), bytes(""), bytes("B="),
                    [0xff, 0x3d, 0x80],
                    bytes("C=a=b\nc"),
                ]))
            Issue.record("\(failure)")
        }
        let output = try #require(result).standardOutputContent
        let expected: [[UInt8]] = [
            bytes("another name"), bytes("-c"), bytes("/bin/cat /proc/$$/cmdline /proc/$$/environ; exit 7"), bytes(""),
            bytes("a b\n\"c\"'$(x)`"), [0xff, 0xfe, 0x01], bytes("ünï"), bytes("A=1"), bytes("A=2"), bytes("NO_SIGN"),
            bytes("=x"), bytes(""), bytes("B="), [0xff, 0x3d, 0x80], bytes("C=a=b\nc"),
        ]
        #expect(output.hex == expected.map { $0 + [0] }.joined().map { $0 }.hex)
    }

    @Test func `The process stays the same`() async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) {
            // Only the process itself can be meant by this.
            let script = "test $$ = \"$1\" && kill -KILL \(getpid())"
            _ = Launch.replaceProcess(
                with: "/bin/sh",
                arguments: strings([bytes("sh"), bytes("-c"), bytes(script), bytes("sh"), bytes("\(getpid())")]),
                environment: [])
        }
    }

    @Test func `A program that cannot be run says why, and this one goes on`() throws {
        let folder = try TemporaryFolder()
        try makeFile(folder.file("private"), 0o600, "#!/bin/sh\n")
        try makeFile(folder.file("script"), 0o755, "exit 0\n")
        try makeFile(folder.file("lost"), 0o755, "#!/no/such/interpreter\n")
        try makeFile(folder.file("empty"), 0o755)
        for (program, errno) in [
            ("none", ENOENT), ("private", EACCES), (".", EACCES), ("lost", ENOENT), ("script/x", ENOTDIR),
            // A shell would run these two, and nobody asked for one.
            ("script", ENOEXEC), ("empty", ENOEXEC),
        ] {
            let failure = Launch.replaceProcess(
                with: folder.file(program), arguments: strings([bytes("x")]), environment: [])
            #expect(failure == .notRunnable(folder.file(program), errno: errno))
        }
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 18)
        let failure = Launch.replaceProcess(with: "/bin/true", arguments: strings([long]), environment: [])
        #expect(failure == .notRunnable("/bin/true", errno: E2BIG))
    }
}

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Each with a zero byte behind it, for as long as the process lives.
private func strings(_ strings: [[UInt8]]) -> [UnsafePointer<CChar>] {
    strings.map { string in
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count + 1)
        for (index, byte) in (string + [0]).enumerated() { copy[index] = CChar(bitPattern: byte) }
        return UnsafePointer(copy)
    }
}
