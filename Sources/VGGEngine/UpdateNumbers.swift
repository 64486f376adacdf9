import Foundation

/// What an update does with the parameters of a group, as kernels compute it in single precision: a parameter w with the
/// gradient g, SGD's momentum or Adam's average m of gradients, and Adam's average s of their squares.
///
/// SGD: g += weightDecay·w, m = keep·m + share·g, and g is m, or with Nesterov's momentum g + keep·m. Adam: w *= shrink, g +=
/// weightDecay·w, m += share·(g - m), s = squareKeep·s + squareShare·g², and g is m / (correction·√s + epsilon). Both:
/// w -= learningRate·g.
package struct UpdateNumbers: Sendable {
    package var learningRate: Float
    package var weightDecay: Float
    package var keep: Float = 0
    package var share: Float
    package var nesterov = false
    package var shrink: Float = 1
    package var squareKeep: Float = 0
    package var squareShare: Float = 0
    package var correction: Float = 0
    package var epsilon: Float = 0
    /// Whether there is an m, and an s; what has an s is Adam.
    package var hasMomentum: Bool
    package var hasSquares = false
    /// How far the average of the weights moves; nil where there is none.
    package var averageShare: Float?

    package init(_ update: ParameterUpdate, _ group: ParameterGroup) {
        let rule = update.rule(for: group)
        averageShare = update.averageShare.map { Float($0) }
        learningRate = Float(rule.learningRate)
        weightDecay = Float(rule.weightDecay)
        switch rule.kind {
        case .sgd:
            keep = Float(rule.momentum)
            share = Float(1 - rule.dampening)
            nesterov = rule.nesterov
            hasMomentum = rule.momentum != 0
        case .adam, .adamw:
            let (mean, square) = rule.betas
            func corrected(_ beta: Double) -> Double { 1 - pow(beta, Double(update.number)) }
            learningRate = Float(rule.learningRate / corrected(mean))
            if rule.kind == .adamw {
                weightDecay = 0
                shrink = Float(1 - rule.learningRate * rule.weightDecay)
            }
            share = Float(1 - mean)
            (squareKeep, squareShare) = (Float(square), Float(1 - square))
            correction = Float(1 / corrected(square).squareRoot())
            epsilon = Float(rule.eps)
            (hasMomentum, hasSquares) = (true, true)
        }
    }
}
