// flock with a limit of time. Apart from CLinux, whose headers would make a second `struct stat` of the one in Glibc.
#pragma once

/// Waits until flock(LOCK_EX) has the lock, for so many seconds. Those who wait get it about in the order in which they
/// came.
///
/// The call is interrupted by SIGRTMAX, sent to this thread alone, whose handling is put back afterwards.
///
/// Returns 0 when the lock is held, 1 when the time is over, else -1 with the reason in errno.
int cflock_within(int descriptor, int seconds);
