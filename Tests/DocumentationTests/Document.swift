import Foundation

/// A text of the repository, in Markdown.
struct Document: CustomStringConvertible {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

    /// Below the repository's top.
    let path: String
    let text: String

    init(_ path: String) throws {
        self.path = path
        text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// The README and all articles.
    static var all: [Document] {
        get throws {
            try [Document("README.md")]
                + catalogues.flatMap { catalogue in
                    try FileManager.default.contentsOfDirectory(atPath: root.appending(path: catalogue).path)
                        .filter { $0.hasSuffix(".md") }.sorted().map { try Document("\(catalogue)/\($0)") }
                }
        }
    }

    /// The DocC catalogues.
    static var catalogues: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path).sorted()
                .map { "Sources/\($0)/\($0).docc" }
                .filter { FileManager.default.fileExists(atPath: root.appending(path: $0).path) }
        }
    }

    var description: String { path }

    /// What stands between lines of three backticks, without these.
    var codeBlocks: [String] {
        text.matches(of: /(?m)^```[a-z]*\n((?s:.*?))^```$/).map { String($0.1) }
    }

    /// What stands in single backticks, line breaks as spaces.
    var codeSpans: [String] {
        text.replacing(/(?m)^```(?s:.*?)^```$/, with: "").matches(of: /`([^`]+)`/).map {
            String($0.1).replacing("\n", with: " ")
        }
    }

    /// Where relative links lead, seen from the repository's top.
    var linkedPaths: [String] {
        let folder = URL(filePath: "/" + path).deletingLastPathComponent()
        return text.matches(of: /\]\(([^):#]+)(?:#[^)]*)?\)/).map {
            String(folder.appending(path: String($0.1)).standardizedFileURL.path.dropFirst())
        }
    }

    /// The commands of this program that occur, each with its options; what stands behind `--` is somebody else's.
    var commands: [(verb: [String], options: [String])] {
        (codeBlocks.flatMap { $0.split(separator: "\n") } + codeSpans.map { $0[...] }).flatMap { line in
            line.prefix { $0 != "#" }.matches(of: /\bvault ([a-z]+(?: [a-z]+)?)(?![a-z0-9])([^|;&)]*)/).map { match in
                let words = match.1.split(separator: " ").map(String.init)
                let own = match.2.firstRange(of: " -- ").map { match.2[..<$0.lowerBound] } ?? match.2
                return (
                    ["identity", "member"].contains(words[0]) ? words : [words[0]],
                    own.matches(of: /(?:^| )\[?(--[a-z][a-z-]*)/).map { String($0.1) }
                )
            }
        }
    }
}
