internal import ArgumentParser
internal import Resources
internal import SystemPackage
internal import VaultFile

struct GitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "git", abstract: "Have git merge and show a vault by its records.",
        discussion: """
            After 'git setup', git merges the vault of a work tree by itself, and shows what changed between its \
            versions. The credential helper for git is another thing: see 'helper git'.
            """,
        subcommands: [Setup.self, Merge.self, Diff.self])

    struct Setup: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell git how to merge and show the vault.",
            discussion: """
                Writes rules into .gitattributes and .gitignore at the top of the work tree, which are to be committed, \
                and settings of this clone, which everybody makes with this command. What is there already stays, and \
                is not written again.
                """)

        @Flag(
            help: ArgumentHelp(
                "Write nothing; exit 1 when something is missing. With CI set, only the rules that are in the "
                    + "repository are looked at: a fresh clone has no settings."))
        var check = false

        @OptionGroup var options: AccessOptions

        func run() throws {
            let access = options.access
            let setup = try GitSetup(Session.existingPath(access))
            if check {
                let lacks = try (setup.shared() + (Variables.isCI ? [] : setup.local())).compactMap(\.lack)
                guard let last = lacks.last else { return }
                for lack in lacks.dropLast() { Messages.print(lack) }
                throw Failure(.no, last, hint: "without --check it is done")
            }
            var isDone = true
            for steps in [try setup.shared(), try setup.local()] {
                for step in steps where step.lack != nil {
                    try step.make()
                    Messages.note(step.done, unless: access.quiet)
                    isDone = false
                }
            }
            if isDone { Messages.note("git is set up for this vault already", unless: access.quiet) }
        }
    }

    struct Merge: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Merge two versions of the vault; exit 1 when there is a conflict.",
            discussion: """
                git runs it with three files and the path of the vault; the result goes into OURS, which stays as it is \
                when there is a conflict.

                With a path alone, or none, it merges what git could not: the result takes the place of the vault, and \
                is staged. With --prefer no record is a conflict: newest takes the token that was stored later, ours what \
                is here, and theirs what is merged into it. A token that loses goes into the history. In a rebase ours \
                and theirs are git's: theirs is the commit of yours that is put on top.
                """)

        @OptionGroup var preference: PreferenceOption

        @Argument(
            help: ArgumentHelp("The vault; or BASE OURS THEIRS and the vault.", valueName: "path"),
            completion: .file())
        var paths: [String] = []

        @OptionGroup var options: AccessOptions

        func run() throws {
            let merge = GitMerge(access: options.access, preference: preference.prefer)
            let files = CommandLine.bytes(of: paths).map { FilePath(bytes: $0) }
            switch files.count {
            case 0: try merge.settle(Session.path(options.access))
            case 1: try merge.settle(files[0])
            case 3, 4:
                try merge.merge(
                    base: files[0], ours: files[1], theirs: files[2], of: files.count == 4 ? files[3] : nil)
            default:
                throw Failure(.usage, "there are \(files.count) paths", hint: "give the vault alone, or as git does")
            }
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a version of a vault as text without secrets, for git to compare.",
            discussion: """
                A line for each member, and for each thing that there is to say of a resource. Where the vault does not \
                open without a question, or is not known, its size.
                """)

        @Argument(help: "The version.", completion: .file())
        var file: String

        @OptionGroup var options: AccessOptions

        func run() throws {
            let file = CommandLine.bytes(of: [file])[0]
            let lines = try VersionText(FilePath(bytes: file)).lines(options.access)
            try Output.write(lines.map { $0 + "\n" }.joined())
        }
    }
}
