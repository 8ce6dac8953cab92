"""`python -m worker.trainer`: import everything, warm up, wait for a claim, train it and exit.

With `--template FD` wait for orders on this socket instead, and fork a trainer at each.
"""

import logging
import os
import sys

from worker.processes.parent import die_with_parent, name_process
from worker.slot.forked_trainer import TEMPLATE_FLAG
from worker.slot.pipes import TEMPLATE_NAME, TRAINER_NAME

as_template = sys.argv[1:2] == [TEMPLATE_FLAG]
die_with_parent()  # before the import of torch: it takes seconds, in which the slot may end
name_process(TEMPLATE_NAME if as_template else TRAINER_NAME)

from worker.trainer import process, template  # noqa: E402

code = template.main(int(sys.argv[2])) if as_template else process.main()
logging.shutdown()
sys.stderr.flush()
os._exit(code)  # a regular exit with torch takes longer than the slot should wait
