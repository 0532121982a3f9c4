public import Foundation

/// A text of the repository, in Markdown.
public struct Document: CustomStringConvertible, Sendable {
    /// The repository's top.
    public static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        .standardizedFileURL

    /// Below the repository's top.
    public let path: String
    /// All of it, or of one section.
    public let text: String

    /// Reads a file.
    ///
    /// - Throws: What Foundation says when it cannot be read.
    public init(_ path: String) throws {
        self.path = path
        text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    private init(path: String, text: String) {
        self.path = path
        self.text = text
    }

    /// The README, the security policy and all articles.
    public static var all: [Document] {
        get throws {
            try [Document("README.md"), Document(".github/SECURITY.md")]
                + catalogues.flatMap { catalogue in
                    try FileManager.default.contentsOfDirectory(atPath: root.appending(path: catalogue).path)
                        .filter { $0.hasSuffix(".md") }.sorted().map { try Document("\(catalogue)/\($0)") }
                }
        }
    }

    /// The DocC catalogues.
    public static var catalogues: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path).sorted()
                .map { "Sources/\($0)/\($0).docc" }
                .filter { FileManager.default.fileExists(atPath: root.appending(path: $0).path) }
        }
    }

    /// The path.
    public var description: String { path }

    /// What stands between lines of three backticks.
    public struct CodeBlock: Sendable {
        /// What stands behind the first three.
        public let language: String
        /// The lines, each with its end.
        public let text: String

        /// What it is called as a file: a comment with nothing but a name, in its first line or below `#!`.
        public var fileName: String? {
            text.prefixMatch(of: /(?:#!.*\n)?# ([A-Za-z0-9._\/-]+)\n/).map { String($0.1) }
        }
    }

    /// All code blocks with their languages.
    public var labelledCodeBlocks: [CodeBlock] {
        text.matches(of: /(?m)^```([a-z]*)\n((?s:.*?))^```$/).map {
            CodeBlock(language: String($0.1), text: String($0.2))
        }
    }

    /// The texts of all code blocks.
    public var codeBlocks: [String] { labelledCodeBlocks.map(\.text) }

    /// What stands below each heading, as far as the next one.
    public var sections: [(title: String, content: Document)] {
        var sections: [(title: String, lines: [Substring])] = []
        var isCode = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") { isCode.toggle() }
            if !isCode, let heading = line.wholeMatch(of: /#+ (.+)/) {
                sections.append((String(heading.1), []))
            } else if !sections.isEmpty {
                sections[sections.count - 1].lines.append(line)
            }
        }
        return sections.map { ($0.title, Document(path: path, text: $0.lines.joined(separator: "\n"))) }
    }

    /// What stands in single backticks, line breaks as spaces.
    public var codeSpans: [String] {
        text.replacing(/(?m)^```(?s:.*?)^```$/, with: "").matches(of: /`([^`]+)`/).map {
            String($0.1).replacing("\n", with: " ")
        }
    }

    /// Where relative links lead, seen from the repository's top.
    public var linkedPaths: [String] {
        let folder = URL(filePath: "/" + path).deletingLastPathComponent()
        return text.matches(of: /\]\(([^):#]+)(?:#[^)]*)?\)/).map {
            String(folder.appending(path: String($0.1)).standardizedFileURL.path.dropFirst())
        }
    }

    /// The commands of this program that occur, each with its options; what stands behind `--` is somebody else's.
    public var commands: [(verb: [String], options: [String])] {
        (codeBlocks.flatMap { $0.split(separator: "\n") } + codeSpans.map { $0[...] }).flatMap { line in
            line.prefix { $0 != "#" }.matches(of: /\bvault ([a-z]+(?: [a-z]+)?)(?![a-z0-9])([^|;&)]*)/).map { match in
                let words = match.1.split(separator: " ").map(String.init)
                let own = match.2.firstRange(of: " -- ").map { match.2[..<$0.lowerBound] } ?? match.2
                return (
                    ["git", "helper", "identity", "member", "remote"].contains(words[0]) ? words : [words[0]],
                    own.matches(of: /(?:^| )\[?(--[a-z][a-z-]*)/).map { String($0.1) }
                )
            }
        }
    }
}
