"""Figures over releases: measured, what each release changed, and why.

`measure` takes all releases in turns, and `series` reads their results: that is what charts show. What a
release changed is decided otherwise: `bracket` says which releases to pair with the reference, `reference`
measures and keeps their ratios, `paired` makes changes of them, and `changes` joins these with the counts.
`level` is the mean of a figure since its last change, `causes` explains a change, and `report` and
`causes_report` put all of it into words. `sensitivity` shows how far all this can be trusted.
"""
