# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The Edge TPU, whose library aborts the process on a USB fault and crashes it if built for another interpreter.

So it runs in a child process (`child`), which the daemon holds by pipes and shared memory (`leash`, `isolated`). When
it fails, the CPU's network answers until it is back (`fallback`). `faults` says what is wrong and what to do about it,
`usb` which sticks are plugged in, `probe` whether one can be opened.
"""
