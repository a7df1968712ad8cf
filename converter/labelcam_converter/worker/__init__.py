# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that imports TensorFlow or Keras; it runs in a process of its own, which `tensorflow_process.py` starts.

There TensorFlow's noise, its gigabyte of memory and its crashes stay, Ctrl-C ends it at once, and the names it invents
do not depend on what was converted before.
"""
