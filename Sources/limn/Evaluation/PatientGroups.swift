// What pairs of an evaluation belong together: those of one patient.

import LimnDatasets

/// Numbers for patients, so that intervals can resample whole patients.
enum PatientGroups {
  /// - Parameter patients: one for each pair.
  /// - Returns: equal numbers for equal patients.
  static func numbers(_ patients: [String]) -> [Int] {
    var known: [String: Int] = [:]
    return patients.map { patient in
      if let number = known[patient] { return number }
      known[patient] = known.count
      return known.count - 1
    }
  }
}
