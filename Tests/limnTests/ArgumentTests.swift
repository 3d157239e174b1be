// Which command lines are accepted and which are refused, side by side; `limn import` has its own table.

import ArgumentParser
import Testing

@testable import limn

@Suite struct ArgumentTests {
  private func parse(_ line: String) throws -> any ParsableCommand {
    try Limn.parseAsRoot(line.split(separator: " ").map(String.init))
  }

  @Test(arguments: [
    "import scans --out set", "check set", "check one two", "show set --out sheet.png",
    "show set --out sheet.png --split test --layer labels --count 4 --columns 2",
    "show set --out sheet.png --weights", "show set --out sheet.png --weights --balance image --count 2",
    "export set --as png --out pictures",
    "export set --as webdataset --out shards --split train --shard-size 10",
    "sketch scans", "sketch scans --channel green --morphology area --field-of-view 0.08 --sigma 2",
    "train skrgan --data set --images 100",
    "train pggan --data set --steps 5 --set width_max=8 --set drift=0",
    "train --resume run", "train --resume run --data set --images 200",
    "train skrgan --data set --steps 1 --precision bfloat16 --device cuda:1 --augment flip@0.5,gamma:0.8..1.2 --dry-run",
    "methods", "methods skrgan", "generate run --out set", "generate run --out set --bits 16 --truncation 0",
    "generate run --out one.png --image-seed 18446744073709551615",
    "generate run --out walk.png --walk 2 --frames 1 --animate",
    "evaluate real fake",
    "evaluate real fake --train train,validation --held-out other --no-privacy --csv figures.csv --report page.html",
    "evaluate real fake --downstream --downstream-steps 1 --downstream-seeds 1 --downstream-size 32 --device cuda:1",
    "evaluate real fake --metrics swd_pggan --split test --count 100 --json figures.json",
    "doctor", "doctor --json",
  ])
  func accepted(line: String) throws {
    #expect(throws: Never.self) { try parse(line) }
  }

  /// The second part is what the message must name.
  @Test(arguments: [
    ("import scans", "--out"), ("import --out set", "sources"), ("check", "datasets"),
    ("show set", "--out"), ("show set --out sheet.png --count 0", "--count"),
    ("show set --out sheet.png --weights --layer labels", "--layer"),
    ("show set --out sheet.png --weights --balance class", "--balance"),
    ("show set --out sheet.png --split all", "--split"), ("export set --out a", "--as"),
    ("export set --as jpeg --out a", "--as"), ("export set --as png", "--out"),
    ("export set --as webdataset --out a --shard-size 0", "--shard-size"), ("sketch", "source"),
    ("sketch scans --kernel 4", "--kernel"), ("sketch scans --element 2", "--element"),
    ("sketch scans --sigma 0", "--sigma"), ("sketch scans --morphology star", "--morphology"),
    ("train", "limn methods"), ("train skrgan --images 1", "--data"), ("train skrgan --data set", "--images"),
    ("train skrgan --data set --steps 0", "--steps"), ("train skrgan --data set --images many", "--images"),
    ("train skrgan --data set --steps 1 --precision half", "--precision"),
    ("train skrgan --data set --steps 1 --keep-checkpoints 0", "--keep-checkpoints"),
    ("train skrgan --data set --steps 1 --learning-rate 1", "--learning-rate"),
    ("train skrgan --resume run", "a method"), ("train --resume run --seed 1", "--seed"),
    ("train --resume run --set drift=0", "--set"), ("methods one two", "two"), ("generate run", "--out"),
    ("generate --out set", "run"),
    ("generate run --out set --count 0", "--count"),
    ("generate run --out set --truncation 1.5", "--truncation"),
    ("generate run --out set --bits 12", "--bits"), ("generate run --out walk.png --walk 1", "--walk"),
    ("generate run --out one.png --image-seed -1", "--image-seed"),
    ("evaluate real", "fake"), ("evaluate real fake --split all", "--split"),
    ("evaluate real fake --seed x", "--seed"), ("evaluate real fake --privacy-count 1", "--privacy-count"),
    ("evaluate real fake --downstream-size 30", "--downstream-size"),
    ("evaluate real fake --downstream-steps 0", "--downstream-steps"),
    ("evaluate real fake --device gpu", "--device"), ("doctor --yaml", "--yaml"), ("paint", "paint"),
  ])
  func refused(line: String, named: String) {
    do {
      _ = try parse(line)
      Issue.record("'limn \(line)' was accepted")
    } catch {
      #expect(Limn.message(for: error).contains(named), "\(Limn.message(for: error))")
      #expect(Limn.exitCode(for: error) != .success)
    }
  }
}
