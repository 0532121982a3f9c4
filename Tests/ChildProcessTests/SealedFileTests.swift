import ChildProcess
import Foundation
import TestSupport
import Testing

@Suite struct SealedFileTests {
    private func number(_ file: borrowing SealedFile) throws -> Int32 {
        try #require(Int32(file.path.dropFirst("/dev/fd/".count)))
    }

    @Test(arguments: [0, 1, 4095, 4096, 4097, 100_000, 1 << 20])
    func `A child reads it as often as it likes, from its start`(size: Int) throws {
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
        let file = try SealedFile.create(content.span)
        let process = try ReadableProcess.start(
            "/bin/sh", arguments: ["sh", "-c", "cat \"$1\" \"$1\"; cat <\"$1\"", "sh", file.path],
            environment: Environment())
        let output = readAll(process.output)
        #expect(process.wait() == 0)
        // What differs in a megabyte takes long to find out, and nobody would read it.
        let isWhole = output == content + content + content
        #expect(isWhole)
        // And this process as well.
        let isReadHere = FileManager.default.contents(atPath: file.path) == Data(content)
        #expect(isReadHere)
    }

    @Test func `It can be neither changed, nor made shorter or longer`() throws {
        let content = Array("Authorization: Bearer token".utf8)
        let file = try SealedFile.create(content.span)
        let descriptor = try number(file)
        func expectRefused(_ result: Int, _ what: Comment) {
            let number = errno
            #expect(result == -1, what)
            #expect(number == EPERM, what)
        }
        expectRefused(pwrite(descriptor, "x", 1, 0), "written")
        expectRefused(pwrite(descriptor, "x", 1, off_t(content.count)), "extended")
        expectRefused(Int(ftruncate(descriptor, 0)), "emptied")
        expectRefused(Int(ftruncate(descriptor, 1 << 20)), "lengthened")
        expectRefused(Int(open(file.path, O_WRONLY | O_TRUNC)), "truncated while opened")
        // F_ADD_SEALS with none: the seals themselves are sealed.
        expectRefused(Int(fcntl(descriptor, 1033, 0)), "sealed again")
        #expect(mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) == MAP_FAILED)
        let again = open(file.path, O_RDWR | O_APPEND)
        try #require(again >= 0)
        defer { close(again) }
        expectRefused(write(again, "x", 1), "appended")
        #expect(FileManager.default.contents(atPath: file.path) == Data(content))
    }

    @Test func `A child cannot change it either`() throws {
        let file = try SealedFile.create(Array("token".utf8).span)
        let process = try ReadableProcess.start(
            "/bin/sh",
            arguments: ["sh", "-c", "(echo x >\"$1\") 2>&-; (echo x >>\"$1\") 2>&-; cat \"$1\"", "sh", file.path],
            environment: Environment())
        let output = readAll(process.output)
        #expect(process.wait() == 0)
        #expect(output == Array("token".utf8))
    }

    @Test func `Its descriptor is none of those that scripts use, and is inherited`() throws {
        let files = FileList(count: 20)
        let numbers = try files.paths().map { path in try #require(Int32(path.dropFirst("/dev/fd/".count))) }
        #expect(Set(numbers).count == 20)
        for number in numbers {
            #expect(number >= 100)
            #expect(fcntl(number, F_GETFD) == 0)
        }
    }

    @Test func `It takes no other descriptor, and ends with the value`() async {
        await #expect(processExitsWith: .success) {
            // Others of this process may open some meanwhile, but not that many.
            let before = openDescriptors().count
            // What other tests have open just then is inherited.
            var first = ""
            try withFile { first = $0 }
            for _ in 0..<50 {
                try withFile { path in #expect(path == first) }
            }
            #expect(openDescriptors().count < before + 20)
        }
    }

    @Test func `Without a free number that high it is still made`() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            for _ in 0..<100 {
                try withFile { path in
                    #expect(FileManager.default.contents(atPath: path) == Data("content".utf8))
                }
            }
        }
    }

    @Test func `When there is no descriptor left, the system's number says so`() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 3, rlim_max: 3)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            do throws(SealedFile.Failure) {
                _ = try SealedFile.create([1].span)
                Issue.record("there was one")
            } catch {
                #expect(error.errno == EMFILE)
            }
        }
    }
}

/// Several files at once.
private final class FileList {
    private var files: FileChain?
    private let count: Int

    init(count: Int) { self.count = count }

    func paths() throws -> [String] {
        var paths: [String] = []
        for _ in 0..<count {
            let chain = FileChain(file: try SealedFile.create([1, 2, 3].span), next: files)
            paths.append(chain.file.path)
            files = chain
        }
        return paths
    }
}

private final class FileChain {
    let file: SealedFile
    let next: FileChain?

    init(file: consuming SealedFile, next: FileChain?) {
        self.file = file
        self.next = next
    }
}

private func withFile(_ body: (String) throws -> Void) throws {
    let file = try SealedFile.create(Array("content".utf8).span)
    try body(file.path)
}
