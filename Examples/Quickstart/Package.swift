// swift-tools-version:6.2
// A package of its own that uses Limn as a library, as yours would.

import PackageDescription

let package = Package(
  name: "Quickstart",
  dependencies: [.package(name: "limn", path: "../..")],
  targets: [
    .executableTarget(name: "Quickstart", dependencies: [.product(name: "Limn", package: "limn")])
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
