import Testing

/// Expects two arrays to agree, element by element, to `tolerance` of the largest expected magnitude and `absolute`.
///
/// Single precision rounds each of n terms of a sum to 6e-8 of its size; the deepest sums here have some
/// thousands of terms of mixed signs, so that 2e-5 of the largest element leaves room for their order. Where
/// terms cancel to nothing (a bias before batch norm), `scale` says how large they were.
@inlinable
public func expectClose(
    _ found: some Collection<some BinaryFloatingPoint>, _ expected: some Collection<some BinaryFloatingPoint>,
    tolerance: Double = 2e-5, scale: Double = 0, absolute: Double = 1e-7, _ what: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let mismatch = mismatch(
        found.map { Double($0) }, expected.map { Double($0) }, tolerance: tolerance, scale: scale,
        absolute: absolute)
    record(mismatch, of: what, sourceLocation)
}

/// Expects two arrays to agree, element by element, with differences of at most `limit`.
@inlinable
public func expectClose(
    _ found: some Collection<some BinaryFloatingPoint>, _ expected: some Collection<some BinaryFloatingPoint>,
    within limit: Double, _ what: @autoclosure () -> String, sourceLocation: SourceLocation = #_sourceLocation
) {
    let mismatch = mismatch(found.map { Double($0) }, expected.map { Double($0) }, within: limit)
    record(mismatch, of: what, sourceLocation)
}

/// Expects the norm of two arrays' difference to be below `limit`, relative to the expected values' norm.
@inlinable
public func expectDistance(
    _ found: some Collection<some BinaryFloatingPoint>, _ expected: some Collection<some BinaryFloatingPoint>,
    below limit: Double, _ what: @autoclosure () -> String, sourceLocation: SourceLocation = #_sourceLocation
) {
    let mismatch = mismatch(found.map { Double($0) }, expected.map { Double($0) }, distanceBelow: limit)
    record(mismatch, of: what, sourceLocation)
}

@usableFromInline
func record(_ mismatch: String?, of what: () -> String, _ sourceLocation: SourceLocation) {
    guard let mismatch else { return }
    Issue.record("\(what()): \(mismatch)", sourceLocation: sourceLocation)
}
