#!/usr/bin/env python3
"""The tables and the curve of docs/results.md, from what scripts/study-translation left.

    study_translation_figures.py OUT [CURVE.svg]

Prints Markdown tables: NMAE and PSNR of the foreground and RegGAN's SSIM of each arm, mean ± standard deviation over the
seeds where there are several. The curve has the PSNR over the levels of misalignment.
"""
import collections
import json
import pathlib
import re
import statistics
import sys

MEASURES = {"nmae_fg": "NMAE, foreground", "psnr_fg": "PSNR, foreground", "ssim_reggan": "SSIM"}
MAIN = {"pix2pix": "Pix2Pix", "nc": "NC", "nc+r": "NC+R (RegGAN)", "c": "C (CycleGAN)", "c+r": "C+R"}
COLOURS = dict(zip([*MAIN, "nc+r-recentred"], ["#c0392b", "#7f8c8d", "#1f6fb2", "#d68910", "#1e8449", "#5dade2"]))
VARIANTS = {"recentred": "recentred", "together": "moved alike", "anchored": "anchored", "held": "drift held",
            "constant": "constant rate"}
NAMES = MAIN | {f"{arm}-{key}": f"{name}, {text}" for key, text in VARIANTS.items() for arm, name in MAIN.items()}


def figures(path):
    results = json.loads(path.read_text())["figures"]["results"]
    return {r["measure"]: r["perSlice"]["mean"] for r in results if r["measure"] in MEASURES}


def text(values, digits):
    mean = f"{statistics.mean(values):.{digits}f}"
    return mean + (f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else "")


def noise(out):
    """{arm: {level: {measure: values over seeds}}}"""
    found = collections.defaultdict(lambda: collections.defaultdict(lambda: collections.defaultdict(list)))
    for path in sorted(out.glob("*-noise*-*.json")):
        match = re.fullmatch(r"(.+)-noise(\d)-(\d+)", path.stem)
        if match and match[1] in NAMES:
            for measure, value in figures(path).items():
                found[match[1]][int(match[2])][measure].append(value)
    return found


def table(found):
    levels = sorted({level for arm in found.values() for level in arm})
    for measure, title in MEASURES.items():
        digits = 1 if measure == "psnr_fg" else 3
        print(f"\n| {title} | " + " | ".join(f"noise {level}" for level in levels) + " |")
        print("| --- " * (len(levels) + 1) + "|")
        for arm in [a for a in NAMES if a in found]:
            cells = [text(found[arm][level][measure], digits) if level in found[arm] else "" for level in levels]
            print(f"| {NAMES[arm]} | " + " | ".join(cells) + " |")


def others(out, prefix):
    rows = collections.defaultdict(lambda: collections.defaultdict(list))
    for path in sorted(out.glob(f"{prefix}-*.json")):
        match = re.fullmatch(prefix + r"-(.+)-(\d+)", path.stem)
        if match and match[1] in NAMES:
            for measure, value in figures(path).items():
                rows[match[1]][measure].append(value)
    if not rows:
        return
    print(f"\n{prefix}\n\n| | " + " | ".join(MEASURES.values()) + " |")
    print("| --- " * (len(MEASURES) + 1) + "|")
    for arm in [a for a in NAMES if a in rows]:
        cells = [text(rows[arm][m], 1 if m == "psnr_fg" else 3) for m in MEASURES]
        print(f"| {NAMES[arm]} | " + " | ".join(cells) + " |")


def alignment(out):
    """What the U-Net of tissues found, and the mutual information with the source."""
    for path in sorted(out.glob("*-overlap.json")):
        document = json.loads(path.read_text())
        dice = {r["label"]: r["perImage"]["mean"] for r in document["results"] if r["measure"] == "dice"}
        line = ", ".join(f"{label} {value:.3f}" for label, value in dice.items() if value is not None)
        pairs = path.with_name(path.name.replace("-overlap", "-alignment"))
        if pairs.exists():
            results = json.loads(pairs.read_text())["results"]
            nmi = next(r["perVolume"]["mean"] for r in results if r["measure"] == "nmi")
            line += f"; NMI with the source {nmi:.4f}"
        print(f"\n{path.stem.removesuffix('-overlap')}: Dice {line}")


def curve(found, path):
    width, height, left, top, right, bottom = 640, 360, 56, 16, 170, 44
    arms = [arm for arm in COLOURS if len(found.get(arm, {})) > 1]
    values = [v for arm in arms for level in found[arm].values() for v in level["psnr_fg"]]
    low, high = min(values) - 0.5, max(values) + 0.5
    top_level = max(level for arm in arms for level in found[arm])

    def x(level): return left + (width - left - right) * level / top_level
    def y(value): return top + (height - top - bottom) * (high - value) / (high - low)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
             f'font-size="12"><rect width="{width}" height="{height}" fill="white"/>']
    for tick in range(int(low) + 1, int(high) + 1):
        parts.append(f'<line x1="{left}" x2="{width - right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="#dddddd"/>'
                     f'<text x="{left - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick}</text>')
    for level in sorted({level for arm in arms for level in found[arm]}):
        parts.append(f'<text x="{x(level):.1f}" y="{height - bottom + 18}" text-anchor="middle">{level}</text>')
    parts.append(f'<text x="{(left + width - right) / 2}" y="{height - 8}" text-anchor="middle">noise level</text>'
                 f'<text x="14" y="{(top + height - bottom) / 2}" text-anchor="middle" '
                 f'transform="rotate(-90 14 {(top + height - bottom) / 2})">PSNR of the foreground, dB</text>')
    ends = sorted(((statistics.mean(found[arm][max(found[arm])]["psnr_fg"]), arm) for arm in arms), reverse=True)
    lowest = 0
    for value, arm in ends:
        points = [(x(l), y(statistics.mean(found[arm][l]["psnr_fg"]))) for l in sorted(found[arm])]
        parts.append(f'<polyline fill="none" stroke="{COLOURS[arm]}" stroke-width="2" points="'
                     + " ".join(f"{a:.1f},{b:.1f}" for a, b in points) + '"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{COLOURS[arm]}"/>' for a, b in points]
        lowest = max(lowest + 15, y(value) + 4)  # names do not lie over one another
        parts.append(f'<text x="{points[-1][0] + 10:.1f}" y="{lowest:.1f}" fill="{COLOURS[arm]}">{NAMES[arm]}</text>')
    pathlib.Path(path).write_text("\n".join(parts) + "\n</svg>\n")


def main():
    out = pathlib.Path(sys.argv[1])
    found = noise(out)
    table(found)
    for prefix in ("unpaired", "natural"):
        others(out, prefix)
    alignment(out)
    if len(sys.argv) > 2:
        curve(found, sys.argv[2])


if __name__ == "__main__":
    main()
