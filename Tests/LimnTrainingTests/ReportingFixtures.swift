// Small inputs that the tests of the reports share.

import Foundation

enum ReportingFixtures {
  /// A grey PNG, 3 wide and 2 high (Pillow).
  static let png =
    Data(
      base64Encoded:
        "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAAAAAC4HznGAAAAEElEQVR4nGNksLFh2HLnPwAHdwMJ73W40QAAAABJRU5ErkJggg=="
    ) ?? Data()

  /// In hexadecimal, from TensorBoard 2's own record writer.
  static let firstRecord = "0f000000000000006d532b091a0d627261696e2e4576656e743a32fc985129"
}
