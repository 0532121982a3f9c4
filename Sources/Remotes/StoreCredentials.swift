internal import Resources
public import Sodium

/// What a machine shows to a store, and what it knows the store by.
public struct StoreCredentials: ~Copyable {
    /// The file with the authorities that the store's certificate must come from; nil for those of the system.
    public var authority: String?
    /// The file with this machine's certificate.
    public var certificate: String?
    /// The file with the certificate's key, where it is not in the same file.
    public var key: String?
    /// The name of a user.
    public var user: String?
    /// The user's password.
    public var password: SecretBytes?

    /// Nothing, or what is given.
    public init(
        authority: String? = nil, certificate: String? = nil, key: String? = nil, user: String? = nil,
        password: consuming SecretBytes? = nil
    ) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
        self.user = user
        self.password = password
    }

    /// Whether something of it only makes sense with TLS.
    var hasTLSOptions: Bool { authority != nil || certificate != nil || key != nil }
}

/// The stores that there are.
public enum Stores {
    /// The store at a URL; nothing is asked of it yet.
    ///
    /// - Parameters:
    ///   - url: Where it is.
    ///   - credentials: What it is shown.
    /// - Returns: The store.
    /// - Throws: ``StoreError``, for settings that make no sense, and where there is no curl.
    public static func open(
        _ url: RemoteURL, _ credentials: consuming StoreCredentials = StoreCredentials()
    ) throws(StoreError) -> any Store {
        guard credentials.certificate != nil || credentials.key == nil else {
            throw .setting("a key is of no use without its certificate")
        }
        guard (credentials.user == nil) == (credentials.password == nil) else {
            throw .setting("a user and a password only make sense together")
        }
        switch url.kind {
        case .etcd(let endpoints, let prefix):
            let usesTLS = url.usesTLS(hasTLSOptions: credentials.hasTLSOptions)
            return try EtcdStore(endpoints, prefix: prefix, usesTLS: usesTLS, credentials)
        case .web(let url):
            guard url.scheme == "https" || !credentials.hasTLSOptions else {
                throw .setting("a certificate only makes sense for https")
            }
            return try WebStore(url, credentials)
        }
    }
}
