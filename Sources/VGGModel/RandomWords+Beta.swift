import Foundation

extension RandomWords {
    /// A number with the distribution Beta(`alpha`, `alpha`), in 0…1: the share of one of two gamma-distributed
    /// numbers in their sum.
    /// - Precondition: `alpha` is positive.
    package mutating func beta(_ alpha: Double) -> Double {
        // Of logarithms, because for a small alpha both numbers may be too small for a Double.
        let (first, second) = (logGamma(alpha), logGamma(alpha))
        return 1 / (1 + exp(second - first))
    }

    /// The logarithm of a gamma-distributed number (Marsaglia & Tsang 2000, "A simple method for generating gamma
    /// variables"; below 1 by their section 6).
    private mutating func logGamma(_ shape: Double) -> Double {
        precondition(shape > 0, "a gamma distribution of shape \(shape) does not exist")
        guard shape >= 1 else { return logGamma(shape + 1) + log(1 - uniform()) / shape }
        let d = shape - 1 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let normal = normals().0
            let root = 1 + c * normal
            let volume = root * root * root
            let limit = log(1 - uniform())
            if root > 0, limit < normal * normal / 2 + d - d * volume + d * log(volume) {
                return log(d * volume)
            }
        }
    }
}
