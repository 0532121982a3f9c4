import Foundation
import TestSupport
import Testing

/// A real git that clones from a real server and pushes to it over TLS, with tokens from the helper.
@Suite(.waitsForPrograms) struct GitTests {
    /// Clones a repository, pushes a commit to it, and sees in another clone that it has arrived.
    private static let roundTrip = """
        git clone --quiet $REPOSITORY first 2>err && cd first && git commit --quiet --allow-empty -m 'A commit' &&
        git push --quiet origin HEAD 2>>../err && cd .. && git clone --quiet $REPOSITORY second 2>>err &&
        git -C second log --format=%s
        """

    @Test func cloneAndPushWithBasic() throws {
        let home = try Home()
        let server = try GitServer(home)
        let output = try home.bash(
            "new_vault; token_of demo | vault add demo --url $URL --quiet; REPOSITORY=$URL/git/one.git; \(Self.roundTrip)",
            adding: server.variables(helper: "!vault helper git"))
        #expect(output.text == "A commit\n", "\(output.errorText)")
        #expect(output.status == 0)
        // Neither git's own files nor its messages have it.
        let left = try home.bash(
            "grep -r token-0123456789 ~ /dev/null; jq -c '[.verb, .outcome]' $STATE/log.jsonl | sort -u")
        #expect(left.text == "[\"helper git\",\"ok\"]\n")
    }

    @Test func cloneAndPushForAPathByTheNameOfALink() throws {
        let home = try Home()
        let server = try GitServer(home)
        let make = """
            new_vault; token_of group | vault add group --url $URL/git/group --username ada --quiet
            mkdir bin; ln -s "$(readlink -f "$(command -v vault)")" bin/vault; ln -s vault bin/git-credential-vault
            PATH=~/bin:$PATH; REPOSITORY=$URL/git/group/two.git
            """
        var variables = server.variables(helper: "vault")
        let refused = try home.bash("\(make); git ls-remote $REPOSITORY", adding: variables)
        #expect(refused.status == 128)
        #expect(refused.text.isEmpty)
        let hint = "hint: to have git say the path: git config --global credential.\(server.url).useHttpPath true\n"
        #expect(refused.errorText.contains(hint), "\(refused.errorText)")
        variables["GIT_CONFIG_COUNT"] = "4"
        variables["GIT_CONFIG_KEY_3"] = "credential.\(server.url).useHttpPath"
        variables["GIT_CONFIG_VALUE_3"] = "true"
        let output = try home.bash(
            "PATH=~/bin:$PATH; REPOSITORY=$URL/git/group/two.git; \(Self.roundTrip)", adding: variables)
        #expect(output.text == "A commit\n", "\(output.errorText)")
        // A neighbour is somebody else's.
        let other = try home.bash("PATH=~/bin:$PATH git ls-remote $URL/git/one.git", adding: variables)
        #expect(other.status == 128)
        #expect(other.errorText.contains("terminal prompts disabled"), "\(other.errorText)")
    }

    /// Since git 2.46, which says so itself.
    @Test func cloneAndPushWithBearer() throws {
        let home = try Home()
        let knows = try home.bash("git credential capability </dev/null")
        if !knows.text.contains("capability authtype") { try Test.cancel("this git sends no bearer tokens") }
        let server = try GitServer(home)
        let output = try home.bash(
            "new_vault; token_of demo | vault add demo --url $URL --quiet; REPOSITORY=$URL/bearer/one.git; \(Self.roundTrip)",
            adding: server.variables(helper: "!vault helper git"))
        #expect(output.text == "A commit\n", "\(output.errorText)")
    }

    @Test func theServerRefusesAndGitGoesNoFurther() throws {
        let home = try Home()
        let server = try GitServer(home)
        let variables = server.variables(helper: "!vault helper git")
        let nobody = try home.bash("new_vault; git ls-remote $URL/git/one.git", adding: variables)
        #expect(nobody.status == 128)
        // A token that the server does not take: git tells the helper to erase it, which changes nothing.
        let wrong = try home.bash(
            "token_of other | vault add demo --url $URL --quiet; git ls-remote $URL/git/one.git; vault token demo",
            adding: variables)
        #expect(wrong.text == "other-token-0123456789\n")
        #expect(wrong.errorText.contains("Authentication failed"), "\(wrong.errorText)")
        // Nothing is asked of a helper before the certificate is trusted.
        let untrusted = try home.bash(
            "ls $STATE | grep log.jsonl; rm $STATE/log.jsonl; GIT_SSL_CAINFO=/etc/ssl/certs/ca-certificates.crt git ls-remote $URL/git/one.git; ls $STATE/log.jsonl",
            adding: variables)
        #expect(untrusted.text == "log.jsonl\n")
        #expect(untrusted.errorText.contains("certificate verif"), "\(untrusted.errorText)")
    }
}

/// A git server behind an nginx that wants Basic authentication for all that is below `/git/`, with another token for
/// `/git/group/`; and, below `/bearer/`, a bearer token.
private final class GitServer {
    private let folder: TemporaryFolder
    private let server: NginxServer

    init(_ home: Home) throws {
        folder = try TemporaryFolder()
        let started = try home.bash(
            """
            cd '\(folder.path)'
            for repository in one group/two; do
                git init --quiet --bare repositories/$repository.git
                git -C repositories/$repository.git config http.receivepack true
            done
            fcgiwrap -s 'unix:\(folder.path)/socket' </dev/null >log 2>&1 &
            echo $! >pid
            for n in {1..100}; do [ -S socket ] && exec git --exec-path; sleep 0.05; done
            cat log; exit 1
            """)
        try #require(started.status == 0, "fcgiwrap did not start: \(started.text)\(started.errorText)")
        let backend = started.text.dropLast() + "/git-http-backend"
        let git = """
            fastcgi_pass unix:\(folder.path)/socket;
            fastcgi_param SCRIPT_FILENAME \(backend);
            fastcgi_param GIT_PROJECT_ROOT \(folder.path)/repositories;
            fastcgi_param GIT_HTTP_EXPORT_ALL "";
            fastcgi_param PATH_INFO /$repository;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
            fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
            """
        let places = [
            ("/git/(?<repository>group/.*)", Self.basic("ada", "group"), "Basic realm=\"git\""),
            ("/git/(?<repository>.*)", Self.basic("x-access-token", "demo"), "Basic realm=\"git\""),
            ("/bearer/(?<repository>.*)", "Bearer demo-token-0123456789", "Bearer"),
        ]
        let locations = places.map { place, credentials, challenge in
            """
            location ~ ^\(place)$ {
                if ($http_authorization != "\(credentials)") {
                    add_header WWW-Authenticate '\(challenge)' always;
                    return 401;
                }
                \(git)
            }
            """
        }
        server = try NginxServer(home, locations: locations.joined(separator: "\n"))
    }

    deinit {
        if let text = try? String(contentsOfFile: folder.file("pid"), encoding: .utf8), let id = pid_t(text.dropLast())
        {
            kill(id, SIGKILL)
        }
    }

    private static func basic(_ username: String, _ name: String) -> String {
        "Basic \(Data("\(username):\(name)-token-0123456789".utf8).base64EncodedString())"
    }

    var url: String { server.url("https") }

    /// What a git is told: whom to trust and ask, and that nobody is to be prompted.
    func variables(helper: String) -> [String: String] {
        [
            "URL": url, "GIT_SSL_CAINFO": server.certificate, "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": "3", "GIT_CONFIG_KEY_0": "credential.helper", "GIT_CONFIG_VALUE_0": helper,
            "GIT_CONFIG_KEY_1": "user.name", "GIT_CONFIG_VALUE_1": "Ada",
            "GIT_CONFIG_KEY_2": "user.email", "GIT_CONFIG_VALUE_2": "ada@demo.example",
        ]
    }
}
