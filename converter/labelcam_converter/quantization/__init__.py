# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Quantisation: from a float network and pictures to one of the schemes, and what is done for its fidelity."""
