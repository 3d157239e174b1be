// Who is who, who is never named, and how the options of an import are written.

import Foundation
import LimnImaging
import LimnTestSupport
import LimnTorch
import Testing

@testable import LimnDatasets

@Suite struct PatientTests {
  /// Imports pictures of these names and gives, for each, the number of the first of the same patient.
  private func groups(_ names: [String], _ rule: PatientRule) throws -> [Int] {
    try withTemporaryFolder { folder in
      let pixels = randomPixels(names.count)
      let scans = try writePictures(names.enumerated().map { ($1, pixels[$0]) }, in: folder)
      let chosen = try options { $0.patients = rule }
      let sources = names.map { scans.appendingPathComponent($0) }
      let manifest = try Importer.run(
        sources: rule == .auto ? sources : [scans], to: folder.appendingPathComponent("set"), options: chosen
      ).manifest
      let patients = manifest.items.map(\.patient)
      return patients.compactMap { patients.firstIndex(of: $0) }
    }
  }

  @Test(arguments: [
    (
      ["patient001_frame01_slice_0.png", "patient001_frame12_slice_3.png", "patient002_frame01_slice_0.png"],
      [0, 0, 2]
    ),
    (["00001280_004.png", "00001280_005.png", "00001281_000.png"], [0, 0, 2]),
    (["IMG_0001.png", "IMG_0002.png"], [0, 1]),
    (["knee_slice_1.png", "knee_slice_2.png", "hip_slice_1.png"], [0, 0, 2]),
    (["a/0001.png", "b/0001.png"], [0, 0]),
  ])
  func automaticRule(names: [String], expected: [Int]) throws {
    #expect(try groups(names, .auto) == expected)
  }

  @Test func otherRules() throws {
    let names = ["a/s1_x.png", "a/s2_x.png", "b/s1_x.png"]
    #expect(try groups(names, .file) == [0, 1, 0])
    #expect(try groups(names, .folder) == [0, 0, 2])
    let regex = try #require(PatientRule("regex:/(s\\d)_"))
    #expect(try groups(names, regex) == [0, 1, 0])
    #expect(failure { _ = try groups(names, .dicom) }?.contains("has no DICOM PatientID") == true)
    #expect(
      failure { _ = try groups(names, .regex("z+")) }?.contains("does not match 'scans/a/s1_x.png'") == true)
  }

  @Test func oneForAllIsWarnedOf() throws {
    try withTemporaryFolder { folder in
      let scans = try writePictures(
        [("x1_a.png", randomPixels(1)[0]), ("x1_b.png", randomPixels(1)[0])], in: folder)
      let summary = try Importer.run(
        sources: [scans], to: folder.appendingPathComponent("set"), options: options())
      #expect(summary.warnings.count == 1 && summary.warnings[0].contains("count as one patient"))
    }
  }

  /// What the basic profile of PS3.15 counts as identifying, in all three files. Values of up to three letters,
  /// such as a sex, are part of many a word.
  private func identifyingValues() throws -> [String] {
    var values: [String] = []
    for number in 1...3 {
      let found = try DICOMIdentity.values(in: fixture("datasets/\(number).dcm"))
      for list in found.values { values += list }
    }
    return values.filter { $0.count > 3 }
  }

  /// No byte of the dataset holds what DICOM files, their names or their folder say about the person.
  @Test func identityStaysBehind() throws {
    try withTemporaryFolder { folder in
      let identity = [
        "Musterfrau", "Erika", "4711", "19640812", "ACC-99887", "Spital", "Hippokrates", "20190331", "777001",
      ]
      let scans = folder.appendingPathComponent("Musterfrau_Erika_1964")
      try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: false)
      for number in 1...3 {
        let source = fixture("datasets/\(number).dcm")
        // The search can fail: the source holds every word.
        let bytes = try Data(contentsOf: source)
        #expect(identity.allSatisfy { bytes.range(of: Data($0.utf8)) != nil })
        try FileManager.default.copyItem(at: source, to: scans.appendingPathComponent("Erika_\(number).dcm"))
      }
      let out = folder.appendingPathComponent("set")
      try importWithoutNames(scans, folder, to: out)
      let values = try identifyingValues()
      #expect(values.count > 10)
      let words = identity + values + [scans.lastPathComponent, folder.lastPathComponent]
      for file in [
        "dataset.json", "images.safetensors", "picture/dataset.json", "picture/images.safetensors",
      ] {
        let bytes = try Data(contentsOf: out.appendingPathComponent(file))
        for word in words { #expect(bytes.range(of: Data(word.utf8)) == nil, "\(word) in \(file)") }
      }
    }
  }

  /// The scans, and a picture that is named after the person.
  private func importWithoutNames(_ scans: URL, _ folder: URL, to out: URL) throws {
    var chosen = try options()
    chosen.keepsNames = false
    let manifest = try Importer.run(sources: [scans], to: out, options: chosen).manifest
    #expect(manifest.count == 3 && manifest.modality == "CT")
    #expect(manifest.intensity?.unit == "HU" && manifest.spacing == [0.5, 0.5])
    #expect(manifest.items.allSatisfy { $0.date != nil })
    let picture = folder.appendingPathComponent("Musterfrau_19640812.png")
    try PNGFile.write(pixels: randomPixels(1)[0], to: picture)
    _ = try Importer.run(sources: [picture], to: out.appendingPathComponent("picture"), options: chosen)
    // Nothing else has been written.
    #expect(try contents(out) == ["dataset.json", "images.safetensors", "picture"])
  }

  /// A damaged slice costs itself, not the series.
  @Test func aSeriesOutlivesADamagedSlice() throws {
    try withTemporaryFolder { folder in
      let scans = folder.appendingPathComponent("scans")
      try FileManager.default.createDirectory(at: scans, withIntermediateDirectories: false)
      for number in 1...3 {
        let bytes = try Data(contentsOf: fixture("datasets/\(number).dcm"))
        try bytes.prefix(number == 2 ? bytes.count - 30 : bytes.count)
          .write(to: scans.appendingPathComponent("\(number).dcm"))
      }
      let summary = try Importer.run(
        sources: [scans], to: folder.appendingPathComponent("set"), options: options())
      #expect(summary.manifest.count == 2)
      #expect(summary.problems.map(\.file.lastPathComponent) == ["2.dcm"])
    }
  }
}

@Suite struct ImportOptionTests {
  @Test func sizes() {
    #expect(ImageSize("64") == ImageSize(height: 64, width: 64))
    #expect(ImageSize("48x64") == ImageSize(height: 48, width: 64))
    for text in ["", "0", "-4", "64x", "x64", "64x64x3", "6.4", "99999999"] {
      #expect(ImageSize(text) == nil)
    }
  }

  @Test func sliceSelections() {
    #expect(SliceSelection("20..80")?.range(of: 100) == 20..<81)
    #expect(SliceSelection("20..80")?.range(of: 30) == 20..<30)
    #expect(SliceSelection("20..80")?.range(of: 10).isEmpty == true)
    #expect(SliceSelection("0.25..0.75")?.range(of: 100) == 25..<75)
    #expect(SliceSelection("0.0..1.0")?.range(of: 7) == 0..<7)
    #expect(SliceSelection("0.9..1.0")?.range(of: 1).isEmpty == true)
    for text in ["", "5", "8..2", "0.8..0.2", "0.2..1.5", "-1..4", "a..b", "1..2..3"] {
      #expect(SliceSelection(text) == nil, "\(text)")
    }
  }

  @Test func windows() {
    for text in ["full", "range:-1000,400", "centre:40,80", "percentiles:0.5,99.5"] {
      #expect(IntensityWindow(option: text)?.optionText == text)
    }
    for text in [
      "", "ful", "full:", "full:1,2", "range:4,1", "range:1", "centre:40,0", "percentiles:5,101", "range:a,b",
    ] {
      #expect(IntensityWindow(option: text) == nil, "\(text)")
    }
  }

  @Test func patientRules() {
    #expect(PatientRule("folder") == .folder && PatientRule("regex:(a+)") == .regex("(a+)"))
    #expect(PatientRule("regex:(") == nil && PatientRule("name") == nil)
  }
}

@Suite struct IdentityKeyTests {
  /// RFC 4231, test cases 1 and 2.
  @Test func authenticationCodes() {
    #expect(
      SHA256.authenticationCode(of: Array("Hi There".utf8), key: [UInt8](repeating: 0x0B, count: 20))
        == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    #expect(
      SHA256.authenticationCode(of: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
  }

  @Test func keysAreKept() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("a/b/key")
      let first = try IdentityKey.kept(in: file).pseudonym("patient", "Erika")
      #expect(try IdentityKey.kept(in: file).pseudonym("patient", "Erika") == first)
      #expect(IdentityKey.unkept().pseudonym("patient", "Erika") != first)
      let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      try Data("short".utf8).write(to: file)
      #expect(failure { _ = try IdentityKey.kept(in: file) }?.contains("64 hexadecimal digits") == true)
    }
  }

  @Test func datesKeepTheirDistance() {
    #expect(ShiftedDate.iso("20240301", daysBack: 1) == "2024-02-29")
    #expect(ShiftedDate.iso("2024.03.01", daysBack: 366) == "2023-03-01")
    for text in ["", "20241301", "2024030", "yesterday", "20240230"] {
      #expect(ShiftedDate.iso(text, daysBack: 1) == nil, "\(text)")
    }
    let key = IdentityKey.unkept()
    #expect(key.daysBack("a") == key.daysBack("a") && (1...3650).contains(key.daysBack("b")))
  }
}
