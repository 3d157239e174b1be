"""Runs limn-bench and the eager PyTorch reference in turn and prints their ratios as a table.

Each configuration is timed several times in each program, alternately, so that a busy moment of the machine does not
count for one side alone; the fastest of each program's medians is compared.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMN = ROOT / ".build" / "release" / "limn-bench"


def rows(command):
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def limn(size, batch, dtype, method, options):
    return rows([str(LIMN), "--sizes", str(size), "--batch", str(batch), "--dtypes", dtype, "--methods", method,
                 "--width-max", str(options.width_max), "--repeats", str(options.repeats),
                 "--threads", str(options.threads)])[0]


def pytorch(size, batch, dtype, method, options):
    return rows([sys.executable, "Benchmarks/reference/bench_step.py", "--sizes", str(size), "--batch", str(batch),
                 "--dtypes", dtype, "--methods", method, "--fmap-max", str(options.width_max),
                 "--repeats", str(options.repeats), "--threads", str(options.threads)])[0]



def measured(size, batch, method, options):
    """Seconds for a step: (eager float32, eager bf16, Limn float32, Limn bf16)."""
    programs = [(pytorch, "float32"), (pytorch, "bf16"), (limn, "float32"), (limn, "bf16")]
    best = [float("inf")] * len(programs)
    for _ in range(options.rounds):
        for place, (program, dtype) in enumerate(programs):
            best[place] = min(best[place], program(size, batch, dtype, method, options)["seconds_per_step"])
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--sizes", default="64,128")
    parser.add_argument("--methods", default="pggan,skrgan")
    parser.add_argument("--batch", type=int, help="images in a step (default: 8 up to 64 px, 4 above)")
    parser.add_argument("--width-max", type=int, default=128, help="PGGAN's widest layer")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    print(f"seconds for a training step; widest layer {options.width_max}, {options.threads} threads\n")
    print("| method | size | batch | eager float32 | eager bf16 | Limn float32 | Limn bf16 | float32 ratio "
          "| Limn bf16 against eager float32 | bf16 ratio |")
    print("| --- " * 10 + "|")
    for size in map(int, options.sizes.split(",")):
        batch = options.batch or (8 if size <= 64 else 4)
        for method in options.methods.split(","):
            e32, e16, l32, l16 = measured(size, batch, method, options)
            print(f"| {method} | {size} | {batch} | {e32:.2f} | {e16:.2f} | {l32:.2f} | {l16:.2f} "
                  f"| {e32 / l32:.2f}× | {e32 / l16:.2f}× | {e16 / l16:.2f}× |", flush=True)


if __name__ == "__main__":
    main()
