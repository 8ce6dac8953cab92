"""What a comparison will consist of, known before it is started: splits, steps, tuples, memory.

Pure functions of a spec and of the class sizes of its data. The rules are those by which workers
split, draw batches and allocate; tests compare both.
"""
