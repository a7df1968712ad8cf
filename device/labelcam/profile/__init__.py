# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam profile`: what an inference takes, in milliseconds and millijoules, with intervals that can be trusted."""
