internal import Glibc

/// The signals by which a program is usually ended, held back while something is there that it has to put away first.
struct HeldSignals {
    private var before: sigset_t?

    /// Holds them back. One that comes meanwhile waits for ``release()``.
    mutating func hold() {
        guard before == nil else { return }
        var ending = sigset_t()
        unsafe sigemptyset(&ending)
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] { unsafe sigaddset(&ending, number) }
        var mask = sigset_t()
        if unsafe pthread_sigmask(SIG_BLOCK, &ending, &mask) == 0 { before = mask }
    }

    /// Lets them through again, if they were held back.
    mutating func release() {
        guard var mask = before else { return }
        before = nil
        unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }
}
