"""What TensorBoard reads of a run: every scalar of every tag, as JSON; and again after the file was made anew."""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

def scalars(accumulator):
    return {
        tag: [[e.step, e.value, e.wall_time] for e in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }

folder = sys.argv[1]
accumulator = EventAccumulator(folder, size_guidance={"scalars": 0})
accumulator.Reload()

print(json.dumps(scalars(accumulator)), flush=True)
# a TensorBoard that keeps running while the run is resumed
sys.stdin.readline()
accumulator.Reload()
print(json.dumps(scalars(accumulator)), flush=True)
