"""Many optimizers on many losses from many starts, on any executor: what is finished is kept, whatever happens."""

from rbo_ref.sweeps.labelled import Status, SweepTable, read_table
from rbo_ref.sweeps.plan import Cost, Sweep, sweep

__all__ = ["Cost", "Status", "Sweep", "SweepTable", "read_table", "sweep"]
