// The few Linux calls that Swift's Glibc module hides: variadic, behind _GNU_SOURCE, or a mutable global.
// Thin wrappers only; what they are for is decided by their callers. Each returns what the call returns and sets errno.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

extern char **environ;

/// prctl(PR_SET_DUMPABLE): 0 forbids core files and other processes of the user to attach or to read /proc/PID/mem.
static inline int clinux_set_dumpable(int dumpable) {
    return prctl(PR_SET_DUMPABLE, (unsigned long)dumpable, 0, 0, 0);
}

/// prctl(PR_GET_DUMPABLE).
static inline int clinux_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

/// memfd_create without MFD_CLOEXEC, so that a child inherits the descriptor, and with sealing allowed.
static inline int clinux_memfd_create_sealable(const char *name) {
    return memfd_create(name, MFD_ALLOW_SEALING);
}

/// fcntl(F_ADD_SEALS) with every seal: neither size nor content can change any more.
static inline int clinux_seal(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

/// The process's environment block.
static inline char **clinux_environ(void) { return environ; }

/// memmem: where `needle` first stands in `haystack`, or null.
static inline const void *clinux_find(const void *haystack, size_t size, const void *needle, size_t needle_size) {
    return memmem(haystack, size, needle, needle_size);
}

/// fcntl(F_DUPFD): the same file under the lowest free number from `lowest` on.
static inline int clinux_duplicate_from(int descriptor, int lowest) { return fcntl(descriptor, F_DUPFD, lowest); }

/// pipe2(O_CLOEXEC).
static inline int clinux_pipe(int descriptors[2]) { return pipe2(descriptors, O_CLOEXEC); }

/// Whether a signal has a handler of its own.
static inline int clinux_is_handled(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

/// Whether a signal is ignored.
static inline int clinux_is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/// fork, which Swift hides because threads do not survive it. Only for a process that has a single thread.
static inline pid_t clinux_fork(void) { return fork(); }

/// signalfd of a new descriptor, that is not inherited and does not block.
static inline int clinux_signalfd(const sigset_t *mask) { return signalfd(-1, mask, SFD_CLOEXEC | SFD_NONBLOCK); }

/// waitid(WNOWAIT) for any child: its number if one has ended, which stays to be reaped; else 0 or -1.
pid_t clinux_ended_child(void);

/// fcntl(F_GETPIPE_SZ).
static inline int clinux_pipe_size(int descriptor) { return fcntl(descriptor, F_GETPIPE_SZ); }

/// fcntl(F_SETPIPE_SZ): makes a pipe hold at least so many bytes. The bytes that it then holds, or -1.
static inline int clinux_set_pipe_size(int descriptor, int size) { return fcntl(descriptor, F_SETPIPE_SZ, size); }

/// ioctl(FIONREAD): how many bytes can be read at once.
static inline int clinux_readable_bytes(int descriptor, int *count) { return ioctl(descriptor, FIONREAD, count); }

/// fstatfs: the magic number of the file system that the file lies on, or -1.
long clinux_file_system(int descriptor);

/// posix_openpt.
int clinux_open_leader(int flags);

/// unlockpt.
int clinux_unlock(int leader);

/// ioctl(TIOCGPTPEER): opens the replica of a pseudo-terminal by its leader, whatever is mounted at /dev/pts.
static inline int clinux_open_replica(int leader, int flags) { return ioctl(leader, TIOCGPTPEER, flags); }

/// ioctl(TIOCSTI): as if that byte had been typed at the terminal.
static inline int clinux_type(int descriptor, unsigned char byte) { return ioctl(descriptor, TIOCSTI, &byte); }

/// ioctl(TIOCSCTTY): makes a terminal the controlling one of the caller's new session.
static inline int clinux_set_controlling_terminal(int descriptor) { return ioctl(descriptor, TIOCSCTTY, 0); }

/// ioctl(TIOCGWINSZ).
static inline int clinux_get_window_size(int descriptor, struct winsize *size) {
    return ioctl(descriptor, TIOCGWINSZ, size);
}

/// ioctl(TIOCSWINSZ).
static inline int clinux_set_window_size(int descriptor, const struct winsize *size) {
    return ioctl(descriptor, TIOCSWINSZ, size);
}

/// close_range without flags.
static inline int clinux_close_range(unsigned first, unsigned last) { return close_range(first, last, 0); }

/// posix_spawn_file_actions_addtcsetpgrp_np, of a posix_spawn_file_actions_t: the child's process group becomes the
/// foreground one of that terminal.
int clinux_spawn_in_foreground(void *actions, int terminal);

/// The first and the last of the real-time signals that the C library leaves to programs.
static inline int clinux_first_realtime_signal(void) { return SIGRTMIN; }
static inline int clinux_last_realtime_signal(void) { return SIGRTMAX; }

/// SO_PEERCRED: the user and the process at the other end of a socket of the file system.
int clinux_peer(int descriptor, uid_t *user, pid_t *process);

/// Whether the descriptor is a socket that listens for connections that carry packets.
int clinux_is_listening(int descriptor);

/// accept4: a connection that is not inherited and does not block.
int clinux_accept(int descriptor);

/// timerfd_create of a descriptor that is not inherited and does not block.
static inline int clinux_timer(int clock) { return timerfd_create(clock, TFD_CLOEXEC | TFD_NONBLOCK); }

/// timerfd_settime: the timer runs out once, when its clock shows that time.
static inline int clinux_set_timer(int descriptor, const struct timespec *time) {
    struct itimerspec setting = {.it_value = *time};
    return timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &setting, NULL);
}

/// prctl(PR_SET_NAME): what the system calls this process, of which it keeps 15 bytes.
static inline int clinux_set_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }
