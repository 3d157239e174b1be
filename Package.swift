// swift-tools-version:6.2
// Limn: medical image synthesis and labelled-data generation.
// Rooms are listed bottom to top; a room depends only on what stands above it in this list.

import PackageDescription

/// A C or C++ library of the system, found through pkg-config (`make deps` writes the missing `.pc` files).
func system(_ name: String, pkgConfig: String, apt: [String] = []) -> Target {
  .systemLibrary(
    name: name,
    path: "Sources/SystemLibraries/\(name)",
    pkgConfig: pkgConfig,
    providers: apt.isEmpty ? nil : [.apt(apt)])
}

let swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

func room(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["LimnTestSupport"], swiftSettings: swiftSettings)
}

let package = Package(
  name: "limn",
  products: [
    .library(
      name: "Limn",
      targets: [
        "LimnTorch", "LimnImaging", "LimnDatasets", "LimnBackbones", "LimnMetrics", "LimnTraining",
        "LimnSegmentation", "LimnTranslation", "LimnSynthesis",
      ]),
    .executable(name: "limn", targets: ["limn"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    system("libtorch", pkgConfig: "libtorch"),
    system("libgdcm", pkgConfig: "gdcm", apt: ["libgdcm-dev"]),
    system("libniftiio", pkgConfig: "niftiio", apt: ["libnifti-dev"]),
    system("libtiff", pkgConfig: "libtiff-4", apt: ["libtiff-dev"]),
    system("libpng", pkgConfig: "libpng", apt: ["libpng-dev"]),
    system("libjpeg", pkgConfig: "libjpeg", apt: ["libjpeg-dev"]),
    system("libz", pkgConfig: "zlib", apt: ["zlib1g-dev"]),

    .target(name: "CTorch", dependencies: ["libtorch"]),
    .target(name: "CMedical", dependencies: ["libgdcm", "libniftiio", "libtiff", "libpng", "libjpeg"]),

    room("LimnTorch", ["CTorch", "libz"]),
    room("LimnImaging", ["CMedical", "LimnTorch"]),
    room("LimnDatasets", ["LimnImaging", "LimnTorch"]),
    room("LimnBackbones", ["LimnTorch"]),
    room("LimnMetrics", ["LimnBackbones", "LimnImaging", "LimnTorch"]),
    room(
      "LimnTraining", ["LimnDatasets", "LimnImaging", "LimnTorch", logging, protobuf, yams],
      exclude: ["Reporting/Protos"]),
    room(
      "LimnSegmentation", ["LimnTraining", "LimnMetrics", "LimnDatasets", "LimnImaging", "LimnTorch"]),
    room("LimnTranslation", ["LimnTraining", "LimnMetrics", "LimnDatasets", "LimnImaging", "LimnTorch"]),
    room("LimnSynthesis", ["LimnTranslation", "LimnTraining", "LimnDatasets", "LimnImaging", "LimnTorch"]),

    .executableTarget(
      name: "limn",
      dependencies: [
        argumentParser, "LimnTorch", "LimnImaging", "LimnDatasets", "LimnBackbones", "LimnMetrics",
        "LimnTraining", "LimnSegmentation", "LimnTranslation", "LimnSynthesis",
      ],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "limn-bench",
      dependencies: [
        "LimnTorch", "LimnImaging", "LimnTraining", "LimnTranslation", "LimnSynthesis", "LimnMetrics",
        "LimnSegmentation",
      ],
      path: "Benchmarks/limn-bench",
      swiftSettings: swiftSettings),
    .target(
      name: "LimnFuzzing",
      dependencies: ["LimnTorch", "LimnImaging", "LimnDatasets", "LimnTraining", "LimnSynthesis"],
      path: "Fuzz/LimnFuzzing", swiftSettings: swiftSettings),
    .executableTarget(
      name: "limn-fuzz", dependencies: [argumentParser, "LimnFuzzing", "LimnTorch"],
      path: "Fuzz/limn-fuzz", swiftSettings: swiftSettings),

    .target(
      name: "LimnTestSupport", dependencies: ["LimnTorch"], path: "Tests/LimnTestSupport",
      swiftSettings: swiftSettings),
    tests("LimnTorchTests", ["LimnTorch"]),
    tests("LimnImagingTests", ["LimnImaging"]),
    tests("LimnDatasetsTests", ["LimnDatasets"]),
    tests("LimnBackbonesTests", ["LimnBackbones"]),
    tests("LimnMetricsTests", ["LimnMetrics", "LimnBackbones", "LimnImaging"]),
    tests("LimnTrainingTests", ["LimnTraining"]),
    tests("LimnSegmentationTests", ["LimnSegmentation", "LimnMetrics", "LimnDatasets", "LimnImaging"]),
    tests(
      "LimnTranslationTests", ["LimnTranslation", "LimnTraining", "LimnDatasets", "LimnImaging", "LimnTorch"]),
    tests("LimnSynthesisTests", ["LimnSynthesis", "LimnTranslation", "LimnDatasets", "LimnImaging"]),
    tests("LimnFuzzingTests", ["LimnFuzzing", "LimnTorch"]),
    tests("limnTests", ["limn"]),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
