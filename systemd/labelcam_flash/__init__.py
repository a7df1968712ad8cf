# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The host's side of `make flash`: puts a release on a Raspberry Pi over SSH and watches it live."""
