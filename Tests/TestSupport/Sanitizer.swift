internal import Glibc

/// The compiler's sanitizers, under which a few things cannot be seen.
public enum Sanitizer {
    /// Whether this process runs under one.
    public static var isInUse: Bool {
        unsafe dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
    }
}
