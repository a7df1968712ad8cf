# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the image of an SD card that installs labelcam at its first boot, without root, mounting or a network."""
