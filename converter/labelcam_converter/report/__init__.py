# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""The report: one page, and the same as JSON, on what a conversion or a training gave.

`data` is what a report tells; `conversion`, `comparison` and `training` fill it in for the three commands, out of
`parts`; `page` renders it, `figures` and `wording` being its tables and its numbers; `place` puts it on the disk.
"""
