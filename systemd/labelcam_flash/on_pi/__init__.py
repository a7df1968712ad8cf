# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What runs on the Pi itself, as root, with nothing but the system's own Python: it is sent there anew every time.

Old Pythons must be able to read it, if only to be refused: no syntax above 3.9.
"""
