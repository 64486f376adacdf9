/// How two arrays disagree, or nil if they have the same elements with differences of at most `limit`.
///
/// What cannot be compared disagrees: not-a-number and infinity on either side, even the same on both, a missing
/// element, an array without any, a limit that is no number.
public func mismatch(_ found: [Double], _ expected: [Double], within limit: Double) -> String? {
    if let reason = incomparable(found, expected, limit) { return reason }
    let differences = zip(found, expected).map { abs($0 - $1) }
    // Written so that a difference that is no number counts.
    let wrong = differences.indices.filter { !(differences[$0] <= limit) }
    guard let worst = wrong.max(by: { differences[$0] < differences[$1] }) else { return nil }
    return "element \(worst) of \(found.count) is \(found[worst]), expected \(expected[worst]): "
        + "they differ by \(differences[worst]), allowed are \(limit); \(wrong.count) elements differ by more"
}

/// How two arrays disagree, or nil if their differences are at most `tolerance` of the largest expected magnitude,
/// or of `scale` where that is larger, and `absolute`. What cannot be compared disagrees, as in `mismatch(_:_:within:)`.
public func mismatch(
    _ found: [Double], _ expected: [Double], tolerance: Double, scale: Double, absolute: Double
) -> String? {
    // The largest is not asked of numbers that cannot be compared: `max` may pass over not-a-number.
    guard scale.isFinite, expected.allSatisfy(\.isFinite) else {
        return mismatch(found, expected, within: .nan)
    }
    let largest = expected.reduce(scale) { max($0, abs($1)) }
    return mismatch(found, expected, within: tolerance * largest + absolute)
}

/// How two arrays disagree, or nil if the norm of their difference, relative to the expected values' norm, is
/// below `limit`. What cannot be compared disagrees, as in `mismatch(_:_:within:)`.
public func mismatch(_ found: [Double], _ expected: [Double], distanceBelow limit: Double) -> String? {
    if let reason = incomparable(found, expected, limit) { return reason }
    let differences = zip(found, expected).map { abs($0 - $1) }
    let squares = differences.reduce(0) { $0 + $1 * $1 }
    let norm = expected.reduce(0) { $0 + $1 * $1 }
    let distance = squares == 0 ? 0 : (squares / norm).squareRoot()
    guard !(distance < limit) else { return nil }
    let worst = differences.indices.max { differences[$0] < differences[$1] } ?? 0
    return "the distance of \(found.count) elements is \(distance), allowed is less than \(limit); at worst "
        + "element \(worst) is \(found[worst]), expected \(expected[worst]): they differ by \(differences[worst])"
}

/// Why two arrays cannot be compared element by element, up to a limit.
private func incomparable(_ found: [Double], _ expected: [Double], _ limit: Double) -> String? {
    if expected.isEmpty { return "there is nothing to compare with; \(found.count) elements were found" }
    if found.count != expected.count {
        return "there are \(found.count) elements, expected \(expected.count)"
    }
    let infinite = found.indices.first { !found[$0].isFinite || !expected[$0].isFinite }
    if let infinite {
        return "element \(infinite) of \(found.count) is \(found[infinite]), expected \(expected[infinite]): "
            + "they cannot be compared"
    }
    return limit.isFinite ? nil : "a limit of \(limit) allows everything or nothing"
}
