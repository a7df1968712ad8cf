# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The record of every minute: kept by the daemon in a bounded folder, read and drawn by `labelcam journal`."""
