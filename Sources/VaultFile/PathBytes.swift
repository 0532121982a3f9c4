internal import Glibc
package import SystemPackage

// The names of files are bytes, which need not be text: a String of one that is not would be another name.

extension FilePath {
    /// The path as the system has it.
    package var bytes: [UInt8] {
        unsafe withPlatformString { start in unsafe Array(UnsafeRawBufferPointer(start: start, count: strlen(start))) }
    }

    /// The path of these bytes, of which none is zero.
    package init(bytes: some Sequence<UInt8>) {
        let text = bytes.map { CChar(bitPattern: $0) } + [0]
        self.init(platformString: text)
    }

    /// The path with `suffix` behind its name.
    package func withSuffix(_ suffix: String) -> FilePath { FilePath(bytes: bytes + suffix.utf8) }

    /// The folder, `.` for that of a name alone.
    package var folder: FilePath {
        let folder = removingLastComponent()
        return folder.isEmpty ? "." : folder
    }
}

extension FilePath.Component {
    /// The name as the system has it.
    package var bytes: [UInt8] {
        unsafe withPlatformString { start in unsafe Array(UnsafeRawBufferPointer(start: start, count: strlen(start))) }
    }
}
