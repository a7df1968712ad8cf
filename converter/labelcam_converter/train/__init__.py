# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""`labelcam-convert train`: a network of the user's own labels, from one folder of photographs for each."""
