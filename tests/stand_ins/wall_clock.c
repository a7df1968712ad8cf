// SPDX-FileCopyrightText: 2026 The labelcam authors
// SPDX-License-Identifier: Apache-2.0
// A wall clock that a test can step: to be preloaded. It is off by the seconds that the file WALL_CLOCK_OFFSET holds;
// the monotonic clock is left alone, as a step leaves it. (libfaketime 0.9.10 breaks waits with a time-out.)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (result || clock != CLOCK_REALTIME)
        return result;
    FILE *file = fopen(getenv("WALL_CLOCK_OFFSET"), "r");
    long seconds = 0;
    if (file) {
        if (fscanf(file, "%ld", &seconds) != 1)
            seconds = 0;
        fclose(file);
    }
    now->tv_sec += seconds;
    return 0;
}
