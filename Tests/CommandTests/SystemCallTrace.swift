import Foundation
import TestSupport

/// What strace has to tell of a command and all that it starts: every program that was executed, with its arguments and
/// its environment, and what was written. Unlike a look at `/proc` it misses no process,
/// however short. What goes from one descriptor to another, or into mapped memory, was read or written before.
struct SystemCallTrace {
    /// Something that a process did.
    enum Event {
        /// It became another program.
        case executes(arguments: [[UInt8]], environment: [[UInt8]])
        /// It wrote, or sent, to what has this name: a path, or what the kernel calls a pipe or a socket.
        case writes(to: String, [UInt8])
    }

    let events: [(process: Int, event: Event)]

    /// Whether processes can be traced here, which some containers forbid.
    static let isPossible: Bool = {
        let words = prefix("/dev/null") + ["true"]
        return (try? Command.run(words[0], Array(words.dropFirst())))?.status == 0
    }()

    /// What is put in front of a command, so that `file` has the trace of it.
    static func prefix(_ file: String) -> [String] {
        [
            "strace", "-f", "-qq", "--seccomp-bpf", "-v", "-yy", "-xx", "-s", "4000000", "-o", file, "-e",
            "trace=execve,execveat,write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg", "-e", "signal=none",
        ]
    }

    init(_ file: String) throws {
        var events: [(Int, Event)] = []
        let text = [UInt8](try Data(contentsOf: URL(filePath: file)))
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let space = line.firstIndex(of: 0x20),
                let process = Int(String(decoding: line[..<space], as: UTF8.self)),
                let parenthesis = line.firstIndex(of: UInt8(ascii: "("))
            else { continue }
            // Behind "resumed" stands nothing new.
            let name = String(decoding: line[line.index(after: space)..<parenthesis], as: UTF8.self)
                .trimmingCharacters(in: .whitespaces)
            let rest = line[line.index(after: parenthesis)...]
            if name.hasPrefix("exec") {
                guard let lists = Self.lists(rest), lists.count == 2 else { continue }
                events.append((process, .executes(arguments: lists[0], environment: lists[1])))
            } else if !name.contains(" "), let open = rest.firstIndex(of: UInt8(ascii: "<")) {
                // What names hold is in hexadecimal digits, except that sockets have arrows and commas in theirs.
                let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
                guard open < end else { continue }
                let name = rest[rest.index(after: open)..<end]
                let target = Self.decoded(name[..<(name.lastIndex(of: UInt8(ascii: ">")) ?? name.endIndex)])
                events.append(
                    (process, .writes(to: String(decoding: target, as: UTF8.self), Self.strings(rest).flatMap { $0 })))
            }
        }
        self.events = events
    }

    /// What stands in the two brackets of an execve: all of it is in hexadecimal digits, so that no bracket is text.
    private static func lists(_ rest: ArraySlice<UInt8>) -> [[[UInt8]]]? {
        var lists: [[[UInt8]]] = []
        var rest = rest
        while let open = rest.firstIndex(of: UInt8(ascii: "[")),
            let close = rest[open...].firstIndex(of: UInt8(ascii: "]"))
        {
            lists.append(strings(rest[open..<close]))
            rest = rest[close...].dropFirst()
        }
        return lists
    }

    private static func strings(_ text: ArraySlice<UInt8>) -> [[UInt8]] {
        text.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false).enumerated()
            .filter { !$0.offset.isMultiple(of: 2) }.map { decoded($0.element) }
    }

    /// Text with each `\x41` as the byte that it stands for.
    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: text.count) { output, count in
            text.withUnsafeBufferPointer { text in
                func digit(_ place: Int) -> UInt8 {
                    let byte = text[place]
                    return byte < 0x3a ? byte &- 0x30 : byte &- 0x57
                }
                var place = 0
                while place < text.count {
                    if text[place] == 0x5c, place + 3 < text.count, text[place + 1] == 0x78 {
                        output[count] = digit(place + 2) << 4 | digit(place + 3)
                        place += 4
                    } else {
                        output[count] = text[place]
                        place += 1
                    }
                    count += 1
                }
            }
        }
    }
}
