"""More machines than one: what workers tell each other, what a failure costs, what a run costs.

`ring` sums arrays of workers that know only their neighbors, `ddp` trains on two local processes,
`scaling` says how much faster it can be, `resuming` kills a training and takes it up again,
`preemption` asks how often to save, `prices` what it costs, and `jobs` what to tell a cloud.
"""
