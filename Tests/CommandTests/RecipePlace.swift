import Foundation
import TestSupport

/// Where recipes of the documentation are tried, with their own text: a home with a vault in it, and a server that
/// stands for the API.
final class RecipePlace {
    /// Of this place alone, in all its parts: other tests do have theirs in arguments.
    let token: String

    let home: Home
    let server: NginxServer
    /// What makes the clients trust the server's certificate, and Ansible stay in this home.
    private let variables: [String: String]

    /// Makes all of it; the server sends as many bytes in a second as `rate` says.
    init(rate: Int? = nil) throws {
        token = UUID().uuidString
        home = try Home()
        server = try NginxServer(home, token: token, rate: rate)
        variables = [
            "CURL_CA_BUNDLE": server.certificate, "REQUESTS_CA_BUNDLE": server.certificate,
            "SSL_CERT_FILE": server.certificate, "GIT_SSL_CAINFO": server.certificate,
            "SYSTEM_WGETRC": home.file("wgetrc"), "URL": server.url("https"),
            "ANSIBLE_REMOTE_TEMP": home.file("ansible"), "ANSIBLE_LOCAL_TEMP": home.file("ansible"),
        ]
        try write("ca_certificate = \(server.certificate)\n", to: "wgetrc")
        try write(token, to: "token")
        let made = try bash("new_vault && vault add github --url $URL --quiet <token && rm token")
        guard made.status == 0 else { throw Failure.notMade(made.errorText) }
    }

    enum Failure: Error { case notMade(String) }

    func bash(_ commands: String, adding more: [String: String] = [:]) throws -> Command.Output {
        try home.bash(commands, adding: variables.merging(more) { $1 })
    }

    func hasProgram(_ name: String) throws -> Bool { try bash("command -v \(name)").status == 0 }

    /// Makes a file in the home, and the folders above it; what begins with `#!` can be run itself.
    func write(_ text: some StringProtocol, to name: String) throws {
        let url = URL(filePath: home.file(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        guard text.hasPrefix("#!") else { return try text.write(to: url, atomically: false, encoding: .utf8) }
        // By another process: whatever a test starts meanwhile could take along a file that is open for writing here, and
        // as long as one is, the kernel does not run it.
        let made = try home.run("install", ["--mode", "755", "/dev/stdin", url.path], input: String(text))
        guard made.status == 0 else { throw Failure.notMade(made.errorText) }
    }

    /// A recipe's text, with the server in the place of the hosts that it speaks of.
    func adapted(_ text: String) -> String {
        text.replacing("https://api.github.com", with: server.url("https"))
            .replacing("https://github.com", with: server.url("https", host: "localhost"))
    }

    /// Puts the files of a section where the recipe's commands are run.
    func writeFiles(of section: Document) throws {
        for block in section.labelledCodeBlocks {
            if let name = block.fileName { try write(adapted(block.text), to: name) }
        }
    }

    /// The commands of a section: all of its blocks for a shell but those that are files.
    func commands(of section: Document) -> String {
        section.labelledCodeBlocks.filter { $0.language == "sh" && $0.fileName == nil }.map { adapted($0.text) }
            .joined()
    }

    /// The commands in a YAML file that a CI system would give to a shell, and the variables of each.
    func pipelineCommands(in file: String) throws -> [(command: String, variables: [String: String])] {
        // GitHub's steps, which may have variables of their own, or the lines of GitLab's scripts.
        let reader = """
            import json, sys, yaml
            document = yaml.safe_load(open(sys.argv[1]))
            steps = []
            jobs = {"": {"steps": document}} if isinstance(document, list) else document.get("jobs") or document
            for job in jobs.values():
                for step in job.get("steps", []):
                    if "run" in step:
                        steps.append([step["run"], {**job.get("env", {}), **step.get("env", {})}])
                steps += [[line, job.get("variables", {})] for line in job.get("script", [])]
            json.dump(steps, sys.stdout)
            """
        let output = try home.run("python3", ["-c", reader, file])
        guard output.status == 0 else { throw Failure.notMade(output.errorText) }
        return try JSONDecoder().decode([PipelineStep].self, from: Data(output.stdout)).map {
            ($0.command, $0.variables)
        }
    }

    private struct PipelineStep: Decodable {
        let command: String
        let variables: [String: String]

        init(from decoder: any Decoder) throws {
            var pair = try decoder.unkeyedContainer()
            command = try pair.decode(String.self)
            variables = try pair.decode([String: String].self)
        }
    }
}
