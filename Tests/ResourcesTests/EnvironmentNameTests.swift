import Resources
import TestSupport
import Testing

@Suite struct EnvironmentNameTests {
    @Test(arguments: [
        "GITHUB_TOKEN", "x", "_", "_1", "a1", "lower_case", "HOME", "PATH_TO", "MY_PATH", "path", "IFS_", "ENVIRONMENT",
        "ENV_TOKEN", "GITLAB", "GIT", "GITHUB", "LD", "PERL", "PERL4LIB", "PYTHO", "RUB", "VAULT", "MY_VAULT_TOKEN",
        "NODE_OPTION", "NODE_OPTIONS_2", "git_dir", "SHELLOPTS_", "_LD_PRELOAD",
    ])
    func `A name that is one can be given`(name: String) throws {
        try EnvironmentName.check(name)
    }

    @Test(arguments: [
        "", "1", "1A", "9_", "A-B", "A.B", "A B", " A", "A ", "A=B", "=", "A\0", "A\n", "Ä", "Aé", "K\u{301}", "A/B",
        "A:",
        "A$B", "A{}", "٣", "\u{212a}EY",
    ])
    func `What is no name is refused`(name: String) {
        let error = #expect(throws: ResourceError.self) { try EnvironmentName.check(name) }
        #expect(error == .invalid("a variable has a name that no environment variable can have"))
    }

    @Test(arguments: [
        "PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "NODE_OPTIONS", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT",
        "LD_",
        "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PYTHON", "PERL5OPT", "PERL5LIB", "PERL5DB", "PERL5", "RUBYOPT",
        "RUBYLIB", "RUBY", "GIT_SSH_COMMAND", "GIT_DIR", "GIT_CONFIG_COUNT", "GIT_", "VAULT_TOKEN", "VAULT_ADDR",
        "VAULT_IDENTITY", "VAULT_",
    ])
    func `A name that changes what programs run is refused`(name: String) throws {
        let error = #expect(throws: ResourceError.self) { try EnvironmentName.check(name) }
        guard case .invalid(let words, .otherVariable) = try #require(error) else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(words.hasSuffix(" is refused, because it changes what programs run"), "\(words)")
    }

    @Test(arguments: [
        ("github", "GITHUB"), ("GitHub", "GITHUB"), ("a", "A"), ("az09", "AZ09"), ("my-api", "MY_API"),
        ("api.github.com", "API_GITHUB_COM"), ("team/prod/db-1", "TEAM_PROD_DB_1"), ("a_b", "A_B"), ("a--b", "A__B"),
        ("3scale", "_3SCALE"), ("0", "_0"), ("9.9", "_9_9"), ("Z", "Z"), ("zZ", "ZZ"),
    ])
    func `The default variables begin with the name in capitals`(resource: String, prefix: String) throws {
        #expect(EnvironmentName.prefix(for: resource) == prefix)
        try EnvironmentName.check(prefix + "_TOKEN")
    }
}
