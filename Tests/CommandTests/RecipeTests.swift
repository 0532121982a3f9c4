import Foundation
import TestSupport
import Testing

/// The recipes as they stand in the documentation, with real clients and a real server.
@Suite(.waitsForPrograms) struct RecipeTests {
    static let article = "Sources/vault/vault.docc/Recipes.md"

    /// A section whose commands are run.
    struct Recipe: Sendable, CustomTestStringConvertible {
        let section: String
        /// What makes the requests, as it begins in the list of its arguments.
        let client: String
        /// What standard output has to have in it, once for each answer.
        var answer = "welcome\n"
        var answers = 1
        /// Commands that are run before, and behind.
        var before = ""
        var after = ""

        var testDescription: String { section }
    }

    static let recipes = [
        Recipe(section: "curl", client: "curl\0", answers: 3),
        Recipe(section: "Inside a script", client: "curl\0-fsS\0--config\0/dev/fd/"),
        Recipe(
            section: "git", client: "git\0clone\0", answer: "a repository\n",
            before: """
                git init -q work && cd work && git config user.name a && git config user.email a@a.example &&
                echo 'a repository' >README && git add . && git commit -q -m first && cd .. &&
                git clone -q --bare work "$SERVED/octo/hello.git" && git -C "$SERVED/octo/hello.git" update-server-info
                """,
            after: "cat hello/README"),
        Recipe(section: "wget", client: "wget\0"),
        Recipe(section: "HTTPie", client: "/usr/bin/python3\0/usr/bin/http\0"),
        Recipe(section: "xh", client: "xh\0"),
        Recipe(
            section: "Ansible", client: "/usr/bin/python3\0/usr/bin/ansible-playbook\0",
            answer: "ok=1    changed=0    unreachable=0    failed=0 "),
        Recipe(section: "make", client: "curl\0-fsS\0--config\0/dev/fd/"),
    ]

    /// Sections of which only a part can be run; each has a test of its own below.
    static let others = [
        "Overview", "docker build", "GitHub Actions", "GitLab CI", "systemd", "What bites",
    ]

    @Test(arguments: recipes)
    func requestsArriveAndNoArgumentHasTheToken(_ recipe: Recipe) throws {
        // So slow that the client is seen at its work.
        let place = try RecipePlace(rate: 150)
        if try recipe.section == "xh" && !place.hasProgram("xh") { try Test.cancel("this machine has no xh") }
        let section = try section(recipe.section)
        try place.writeFiles(of: section)
        let prepared = try place.bash(recipe.before, adding: ["SERVED": place.server.file("")])
        #expect(prepared.status == 0, "\(prepared.errorText)")
        let watcher = ProcessWatcher(place.token, home: place.home)
        let output = try place.bash("set -e; \(place.commands(of: section))\n\(recipe.after)")
        let (sightings, _, seen) = watcher.stop()
        #expect(output.status == 0, "\(output.errorText)")
        #expect(output.text.ranges(of: recipe.answer).count == recipe.answers, "\(output.text)")
        #expect(sightings.filter { $0.place == .arguments } == [])
        #expect(seen.contains { $0.key.hasPrefix(recipe.client) }, "\(recipe.client) was not seen")
    }

    /// The recipe is what brings the token, and not something that this machine has.
    @Test(arguments: recipes.filter { !["curl", "git"].contains($0.section) })
    func theWrongTokenIsAFailure(_ recipe: Recipe) throws {
        let place = try RecipePlace()
        if try recipe.section == "xh" && !place.hasProgram("xh") { try Test.cancel("this machine has no xh") }
        let section = try section(recipe.section)
        try place.writeFiles(of: section)
        let output = try place.bash(
            "token_of wrong | vault rotate github --quiet; set -e; \(place.commands(of: section))")
        #expect(output.status != 0)
        #expect(!output.text.contains("welcome"))
    }

    @Test func theImageGetsTheToken() throws {
        let place = try RecipePlace()
        let dockerfile = try #require(section("docker build").labelledCodeBlocks.first { $0.fileName == "Dockerfile" })
        // docker itself needs its daemon: the mount's file is put in place by hand, and the line is what a shell gets.
        let line = try #require(dockerfile.text.firstMatch(of: /RUN --mount=type=secret,id=github,\S+ \\\n((?s:.*))/)).1
        let command = place.adapted(String(line)).replacing("/run/secrets/github", with: place.home.file("secret"))
        try place.write(place.token, to: "secret")
        try place.write(command, to: "line")
        let output = try place.bash("sh -eu line")
        #expect(output.text == "welcome\n", "\(output.errorText)")
    }

    @Test(arguments: [
        (article, "GitHub Actions", 2), (article, "GitLab CI", 2),
        ("README.md", "CI, with a key from its secret store", 2),
    ])
    func pipelinesDoTheirWork(_ path: String, _ title: String, _ count: Int) throws {
        let place = try RecipePlace()
        try place.writeFiles(of: section("Inside a script"))
        let made = try place.bash(
            """
            export VAULT_FILE=$VAULT
            vault identity new --oneline -o ci.key | xargs vault member add ci && mv $VAULT deploy.age &&
            rm -r ~/.config/vault ~/.local
            """)
        #expect(made.status == 0, "\(made.errorText)")
        let key = try String(contentsOfFile: place.home.file("ci.key"), encoding: .utf8)
        var ran = 0
        for block in try section(title, of: path).labelledCodeBlocks where block.language == "yaml" {
            try place.write(block.text, to: "pipeline.yml")
            // The other commands fetch the program.
            for step in try place.pipelineCommands(in: place.home.file("pipeline.yml"))
            where step.command.hasPrefix("vault ") {
                var variables = step.variables.mapValues {
                    $0.replacing("${{ secrets.VAULT_IDENTITY }}", with: key)
                }
                variables["CI"] = "true"
                // GitLab gives variables of the project to all jobs.
                if title == "GitLab CI" || block.text.hasPrefix("# GitLab") { variables["VAULT_IDENTITY"] = key }
                if title == "GitHub Actions" { variables["GITHUB_ACTIONS"] = "true" }
                let output = try place.bash("set -eo pipefail; \(step.command)", adding: variables)
                #expect(output.status == 0, "\(step.command): \(output.errorText)")
                #expect(output.text.hasPrefix("welcome\n") == step.command.contains("deploy.sh"), "\(step.command)")
                ran += 1
            }
        }
        #expect(ran == count)
    }

    @Test(arguments: [(article, "systemd"), ("README.md", "A systemd unit, with a credential")])
    func unitsAreUnderstoodAndTheirCommandsRun(_ path: String, _ title: String) throws {
        let place = try RecipePlace()
        let blocks = try section(title, of: path).labelledCodeBlocks.filter { $0.language == "ini" }
        #expect(!blocks.isEmpty)
        let command = "#!/bin/sh\nexec curl -fsS --config \"$GITHUB_CURL_CONFIG\" $URL\n"
        try place.write(command, to: "deploy")
        try place.write(command, to: "api")
        let made = try place.bash(
            """
            id_of "$VAULT" && mkdir credentials && cp $IDENTITY credentials/vault-identity && mv $VAULT deploy.age &&
            rm -r ~/.config/vault
            """)
        #expect(made.status == 0)
        let program = try place.bash("command -v vault").text.dropLast()
        for block in blocks {
            // What a unit names is elsewhere here than after an installation.
            let unit = block.text.replacing("/usr/local/bin/vault", with: program)
                .replacing("/usr/local/bin/", with: place.home.file(""))
                .replacing("/etc/deploy/vault.age", with: place.home.file("deploy.age"))
                .replacing("vault1…", with: made.text.dropLast())
            let name = block.fileName ?? "deploy.service"
            try place.write(unit, to: name)
            let verified = try place.bash("systemd-analyze verify ./\(name)")
            #expect(verified.status == 0)
            #expect(verified.errorText == "", "\(name)")

            guard let start = unit.firstMatch(of: /(?m)^ExecStart=(.+)$/) else { continue }
            let variables = try #require(unit.firstMatch(of: /(?m)^Environment=(.+)$/)).1
            let notify = unit.contains("Type=notify") ? "NOTIFY_SOCKET=/nowhere" : ""
            let output = try place.bash(
                """
                exec env -i PATH=/usr/bin:/bin URL=$URL CURL_CA_BUNDLE=$CURL_CA_BUNDLE \\
                    CREDENTIALS_DIRECTORY=$PWD/credentials \(notify) \(variables) \(start.1)
                """)
            #expect(output.text == "welcome\n", "\(output.errorText)")
        }
    }

    /// What the list of that name says, from its first entry to its last.
    @Test func whatBitesDoes() throws {
        #expect(try section("What bites").text.ranges(of: "\n- ").count == 6)
        let place = try RecipePlace()

        let trace = try place.bash("set -x; token=$(vault token github)")
        #expect(trace.errorText.contains("token=\(place.token)"))
        let maskedTrace = try place.bash("vault exec github -- sh -xc 'token=$GITHUB_TOKEN'")
        #expect(maskedTrace.errorText == "+ token=[vault:github]\n")

        let hidden = try place.bash("set -euo pipefail; curl -sS -H @<(vault headers nobody) $URL; echo went on")
        #expect(hidden.status == 0)
        #expect(hidden.text == "go away\nwent on\n")
        let late = try place.bash("set -euo pipefail; vault headers nobody | curl -sS -H @- $URL; echo went on")
        #expect(late.status == 66)
        #expect(late.text == "go away\n")
        let never = try place.bash("set -euo pipefail; vault exec nobody -- curl -sS $URL; echo went on")
        #expect(never.status == 125)
        #expect(never.text == "")

        #expect(try place.bash("timeout 0.3 vault exec github -- sleep 30").status == 124)

        // The one that is left behind tells in a file that nobody reads its output any more.
        let left = try place.bash(
            #"""
            for output in '' '>server.log'; do
                vault exec github -- bash -c '
                    (trap "" PIPE; while kill -0 $PPID 2>/dev/null; do sleep 0.01; done; echo more && echo all >end || echo some >end) 2>&- '"$output"' &
                ' >/dev/null
                until [ -s end ]; do sleep 0.01; done
                cat end; rm end
            done
            """#)
        #expect(left.text == "some\nall\n", "\(left.errorText)")

        // Again where the watcher was kept from looking.
        let watcher = ProcessWatcher(place.token, home: place.home)
        var isShown = false
        for _ in 0..<20 where !isShown {
            _ = try place.bash(
                #"vault exec github -- sh -c 'curl -s --limit-rate 1 -H "Authorization: Bearer $GITHUB_TOKEN" $URL $URL $URL; :'"#
            )
            isShown = watcher.take().contains { $0.place == .arguments }
        }
        #expect(watcher.stop().sightings.contains { $0.place == .arguments } || isShown)
    }

    /// Who takes the token along to another host, and that the recipes do not.
    @Test func whatFollowsRedirectsWithTheToken() throws {
        let place = try RecipePlace()
        let away = "/away?\(place.server.url("http"))/"
        for title in ["wget", "Ansible"] { try place.writeFiles(of: section(title)) }
        for (name, client, limit) in [
            ("fetch.sh", "sh", " --max-redirect=0"), ("deploy.yml", "ansible-playbook", "follow_redirects: none"),
        ] {
            let elsewhere = try String(contentsOfFile: place.home.file(name), encoding: .utf8)
                .replacing("/user", with: away)
            #expect(elsewhere.contains(limit))
            try place.write(elsewhere, to: name)
            #expect(try place.bash("vault exec github -- \(client) \(name)").status != 0, "\(name)")
            try place.write(elsewhere.replacing(limit, with: ""), to: name)
            let output = try place.bash("vault exec github -- \(client) \(name)")
            #expect(output.status == 0, "\(name): \(output.text)\(output.errorText)")
        }
        for title in ["HTTPie", "xh"] where try place.hasProgram(title == "xh" ? "xh" : "http") {
            let commands = try place.commands(of: section(title))
                .replacing("me https", with: "me --follow https").replacing("/user", with: away)
            let output = try place.bash(commands)
            #expect(output.text == "go away\n", "\(output.errorText)")
        }
    }

    @Test func sessionsAndSettingsOfHTTPie() throws {
        let place = try RecipePlace()
        let commands = try place.commands(of: section("HTTPie"))
        try place.write("machine 127.0.0.1 login somebody password else\n", to: ".netrc")
        #expect(try place.bash(commands).text == "welcome\n")
        #expect(try place.bash(commands.replacing("--ignore-netrc", with: "")).text == "go away\n")
        #expect(try place.bash("grep -rl \(place.token) ~/.config").text == "")
        #expect(try place.bash(commands.replacing("me https", with: "me --session=one https")).text == "welcome\n")
        #expect(try place.bash("grep -rl \(place.token) ~/.config").text != "")
    }

    @Test(arguments: [("true", ""), ("false", "found\n")])
    func ansibleWithoutPipeliningWritesTheTokenToAFile(_ pipelining: String, _ found: String) throws {
        let place = try RecipePlace(rate: 150)
        try place.writeFiles(of: section("Ansible"))
        let output = try place.bash(
            """
            sed -i 's/ansible_pipelining: true/ansible_pipelining: \(pipelining)/' deploy.yml
            vault exec github -- ansible-playbook deploy.yml >log 2>&1 &
            while kill -0 $! 2>&-; do grep -rqs \(place.token) ~/ansible && echo found >found; done
            wait $! && cat found 2>&-; true
            """)
        #expect(output.text == found)
        #expect(try place.bash("grep -q 'ok=1 ' log").status == 0)
    }

    @Test func theReadmeSaysTheSame() throws {
        let article = try Document(Self.article).codeBlocks.joined(separator: "\n")
        let table = try section("Recipes", of: "README.md")
        let commands = table.text.matches(of: /\n\| .*? \| `([^`]+)`/).map { String($0.1) }
        #expect(commands.count == 6)
        for command in commands { #expect(article.contains(command), "\(command)") }
    }

    @Test func eachSectionIsTried() throws {
        let titles = try Document(Self.article).sections.map(\.title).dropFirst()
        #expect(titles.sorted() == (Self.recipes.map(\.section) + Self.others).sorted())
    }

    private func section(_ title: String, of path: String = article) throws -> Document {
        try #require(try Document(path).sections.first { $0.title == title }, "\(title)").content
    }
}
