internal import Foundation

/// A folder of a test's own, removed with everything in it when the value ends.
public final class TemporaryFolder: Sendable {
    /// The folder's path.
    public let path: String

    /// Makes the folder, mode 0700.
    ///
    /// - Throws: What Foundation says when it cannot be made.
    public init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "vault-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of `name` in the folder.
    public func file(_ name: String) -> String { path + "/" + name }
}
