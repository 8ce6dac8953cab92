"""`python -m worker.trainer`: import everything, warm up, wait for a claim, train it, leave."""

import logging
import os
import sys

from worker.slot.trainer_process import die_with_parent

die_with_parent()  # before torch: its import takes seconds, in which the slot may end

from worker.trainer.process import main  # noqa: E402

code = main()
logging.shutdown()
sys.stderr.flush()
os._exit(code)  # taking torch down takes longer than the slot should wait for
