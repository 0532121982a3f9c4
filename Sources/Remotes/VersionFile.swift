internal import Glibc

/// A vault file that is sent in parts.
struct VersionFile: ~Copyable {
    /// Its size.
    let byteCount: Int
    /// How many parts it is in.
    var partCount: Int { (byteCount + EtcdHead.partSize - 1) / EtcdHead.partSize }

    private let descriptor: Int32

    /// Opens the file.
    ///
    /// - Throws: ``StoreError/tooLarge(_:)``, or ``StoreError/system(_:)``.
    static func open(_ path: String) throws(StoreError) -> VersionFile {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system("the vault file cannot be read") }
        var status = stat()
        let limit = EtcdHead.maximumParts * EtcdHead.partSize
        let isFile = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_size > 0
        guard isFile, status.st_size <= limit else {
            close(descriptor)
            throw isFile
                ? .tooLarge("the store takes vaults of up to \(limit >> 20) MiB")
                : .system("the vault file cannot be read")
        }
        return VersionFile(byteCount: Int(status.st_size), descriptor: descriptor)
    }

    private init(byteCount: Int, descriptor: Int32) {
        self.byteCount = byteCount
        self.descriptor = descriptor
    }

    /// The bytes of a part.
    func part(_ number: Int) throws(StoreError) -> [UInt8] {
        let start = number * EtcdHead.partSize
        var bytes = [UInt8](repeating: 0, count: min(EtcdHead.partSize, byteCount - start))
        var filled = 0
        while filled < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { bytes in
                unsafe pread(
                    descriptor, bytes.baseAddress.map { unsafe $0 + filled }, bytes.count - filled, start + filled)
            }
            guard count > 0 || count < 0 && errno == EINTR else { throw .system("the vault file cannot be read") }
            filled += max(count, 0)
        }
        return bytes
    }

    deinit { close(descriptor) }
}
