import CLinux
import ChildProcess
import Foundation
import Testing

// Each test changes the environment, and has a process of its own for that.
@Suite struct EnvironmentTests {
    @Test func `A clean environment has what programs need to find their way`() {
        #expect(Environment.cleanNames == ["PATH", "HOME", "USER", "LANG", "TERM", "TZ", "TMPDIR"])
    }

    @Test func `It is the environment of the process, in its order`() async {
        await #expect(processExitsWith: .success) {
            setEnvironment(["B=1", "A=2", "B=3", "C=", "D=a=b", "é=ü"])
            let environment = Environment()
            #expect(environment.names == ["B", "A", "B", "C", "D", "é"])
            #expect(texts(environment) == ["B=1", "A=2", "B=3", "C=", "D=a=b", "é=ü"])
        }
    }

    @Test func `An empty environment stays empty`() async {
        await #expect(processExitsWith: .success) {
            setEnvironment([])
            var environment = Environment()
            environment.remove { _ in true }
            #expect(environment.names.isEmpty)
            #expect(texts(environment).isEmpty)
        }
    }

    @Test func `What is removed is gone however often it stands there, and nothing else`() async {
        await #expect(processExitsWith: .success) {
            setEnvironment(["KEY=1", "KEYS=2", "key=3", "A_KEY=4", "KEY=5", "X=KEY=6", "KEY"])
            var environment = Environment()
            environment.remove { $0 == "KEY" }
            #expect(texts(environment) == ["KEYS=2", "key=3", "A_KEY=4", "X=KEY=6", "KEY"])
            environment.remove { $0 != "key" }
            #expect(texts(environment) == ["key=3", "KEY"])
        }
    }

    @Test func `An entry without an equals sign has no name, and stays`() async {
        await #expect(processExitsWith: .success) {
            setEnvironment(["A=1", "ODD", "", "=x", "B=2"])
            var environment = Environment()
            #expect(environment.names == ["A", "", "B"])
            environment.remove { _ in true }
            #expect(texts(environment) == ["ODD", ""])
        }
    }

    @Test func `Bytes that are no text pass through`() async {
        await #expect(processExitsWith: .success) {
            setEnvironment(["A=1", "B=2"])
            let entry = [0x42, 0xff, 0x3d, 0xfe, 0x80, 0].map { CChar(truncatingIfNeeded: $0) }
            clinux_environ()?[0] = strdup(entry)
            var environment = Environment()
            #expect(environment.names == ["B\u{fffd}", "B"])
            environment.remove { $0 == "B" }
            let variables = environment.variables
            #expect(variables.count == 1)
            let variable = try #require(variables.first)
            #expect(strcmp(variable, entry) == 0)
        }
    }

    @Test func `The values are not copied`() async {
        await #expect(processExitsWith: .success) {
            setEnvironment(["SECRET=hunter22"])
            #expect(Environment().variables.first == clinux_environ()?[0].map { UnsafePointer($0) })
        }
    }
}

/// Makes these, in this order, the environment of the process.
private func setEnvironment(_ entries: [String]) {
    clearenv()
    // The block is made by the system, and its entries then changed.
    for index in entries.indices { setenv("ENTRY_\(index)", "", 1) }
    for (index, entry) in entries.enumerated() { clinux_environ()?[index] = strdup(entry) }
}

private func texts(_ environment: borrowing Environment) -> [String] {
    environment.variables.map { String(cString: $0) }
}
