# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The host side of labelcam: from a float network to one self-describing int8 model file."""
