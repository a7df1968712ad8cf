# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The Edge TPU: what can be mapped to it, Google's compiler that does the mapping, and the file that comes out."""
