# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Student's factor: how many standard errors a 95% interval reaches to either side when it rests on few values."""

_NORMAL = 1.959964
_FEW = {1: 12.7062, 2: 4.3027}


def student_95(freedom: float) -> float:
    """Return the two-sided 95% quantile of Student's t for at least one degree of freedom, right within 0.3%.

    The expansion around the normal quantile is Abramowitz and Stegun 26.7.5.
    """
    if freedom < 3:
        return _FEW[max(1, int(freedom))]
    z, n = _NORMAL, freedom
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / n**power for power, term in enumerate(terms, 1))
