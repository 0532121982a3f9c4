#define _GNU_SOURCE
#include "CFlock.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static void interrupt(int number) { (void)number; }

/// Milliseconds of a clock that only ever goes forward.
static long long milliseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

int cflock_within(int descriptor, int seconds) {
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
    int result = timer_settime(timer, 0, &setting, NULL);
    if (result == 0) {
        do result = flock(descriptor, LOCK_EX);
        while (result != 0 && errno == EINTR && milliseconds() < end);
    }
    int error = errno;

    timer_delete(timer);
    pthread_sigmask(SIG_SETMASK, &signals_before, NULL);
    sigaction(SIGRTMAX, &action_before, NULL);
    errno = error;
    return result != 0 && error == EINTR ? 1 : result;
}
