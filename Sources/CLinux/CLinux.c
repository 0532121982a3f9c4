// The wrappers whose headers, seen with _GNU_SOURCE, would contradict what other modules have of them.
#include "CLinux.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>

pid_t clinux_ended_child(void) {
    siginfo_t info;
    info.si_pid = 0;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? info.si_pid : -1;
}

long clinux_file_system(int descriptor) {
    struct statfs system;
    return fstatfs(descriptor, &system) == 0 ? (long)system.f_type : -1;
}

int clinux_open_leader(int flags) { return posix_openpt(flags); }

int clinux_unlock(int leader) { return unlockpt(leader); }

int clinux_spawn_in_foreground(void *actions, int terminal) {
    return posix_spawn_file_actions_addtcsetpgrp_np(actions, terminal);
}

int clinux_peer(int descriptor, uid_t *user, pid_t *process) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    int result = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    if (result == 0) {
        *user = credentials.uid;
        *process = credentials.pid;
    }
    return result;
}

int clinux_is_listening(int descriptor) {
    int listens = 0, type = 0;
    socklen_t size = sizeof(int);
    return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
           getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

int clinux_accept(int descriptor) { return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

static void interrupt(int number) { (void)number; }

/// Milliseconds of a clock that only ever goes forward.
static long long milliseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

int clinux_lock(int descriptor, int seconds) {
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EWOULDBLOCK && errno != EINTR) return -1;
    long long end = milliseconds() + seconds * 1000LL;

    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMAX};
    event._sigev_un._tid = gettid();
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        // Not to be taken for a lock that somebody holds.
        if (errno == EAGAIN) errno = ENOMEM;
        return -1;
    }
    struct sigaction action = {.sa_handler = interrupt}, action_before;
    sigset_t signals, signals_before;
    sigemptyset(&action.sa_mask);
    sigaction(SIGRTMAX, &action, &action_before);
    sigemptyset(&signals);
    sigaddset(&signals, SIGRTMAX);
    pthread_sigmask(SIG_UNBLOCK, &signals, &signals_before);
    // Not once: that could be in the moment before the call, which then would wait for ever.
    struct itimerspec setting = {.it_value = {.tv_sec = seconds, .tv_nsec = 1}, .it_interval = {.tv_nsec = 50000000}};
    timer_settime(timer, 0, &setting, NULL);

    int result;
    do result = flock(descriptor, LOCK_EX);
    while (result != 0 && errno == EINTR && milliseconds() < end);
    int error = errno;

    timer_delete(timer);
    pthread_sigmask(SIG_SETMASK, &signals_before, NULL);
    sigaction(SIGRTMAX, &action_before, NULL);
    errno = error;
    return result != 0 && error == EINTR ? 1 : result;
}
