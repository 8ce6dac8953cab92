"""`python -m worker.trainer`: import everything, warm up, wait for a claim, train it and exit."""

import logging
import os
import sys

from worker.slot.trainer_process import die_with_parent

die_with_parent()  # before the import of torch: it takes seconds, in which the slot may end

from worker.trainer.process import main  # noqa: E402

code = main()
logging.shutdown()
sys.stderr.flush()
os._exit(code)  # a regular exit with torch takes longer than the slot should wait
