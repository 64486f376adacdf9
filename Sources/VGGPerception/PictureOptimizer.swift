/// Changes a picture step by step so that a loss becomes small. Both ways ask for the loss and its gradient once a step.
public enum PictureOptimizer: Sendable {
    /// Small steps, each about as long as the learning rate.
    case adam(Adam)
    /// Steps as long as the curvature says, with more memory.
    case lbfgs(LBFGS)

    /// Floats that it keeps for each number of the picture, at most.
    public var floatsPerNumber: Int {
        switch self {
        case .adam: 2
        case .lbfgs(let lbfgs): 2 * lbfgs.history + 2
        }
    }

    /// - Parameter gradient: of the loss, at the picture as it is.
    public mutating func step(_ picture: inout [Float], _ gradient: [Float]) {
        switch self {
        case .adam(var adam):
            // Nobody else may hold its numbers while they change, which would copy them.
            self = .adam(Adam())
            adam.step(&picture, gradient)
            self = .adam(adam)
        case .lbfgs(var lbfgs):
            self = .lbfgs(LBFGS())
            lbfgs.step(&picture, gradient)
            self = .lbfgs(lbfgs)
        }
    }
}

/// Kingma & Ba 2015, "Adam", algorithm 1, as PyTorch computes it.
public struct Adam: Sendable {
    /// How far a step goes, in brightness of 0…1.
    public var learningRate: Float
    /// How much is kept of the average of the gradients.
    public var beta1 = 0.9
    /// How much is kept of the average of their squares.
    public var beta2 = 0.999
    /// Added to the root of the latter.
    public var epsilon: Float = 1e-8
    private var steps = 0
    private var mean: [Float] = []
    private var square: [Float] = []

    /// With the paper's averages.
    public init(learningRate: Float = 0.02) { self.learningRate = learningRate }

    /// Changes the picture by one step.
    public mutating func step(_ picture: inout [Float], _ gradient: [Float]) {
        if steps == 0 {
            mean = [Float](repeating: 0, count: picture.count)
            square = mean
        }
        steps += 1
        let (keep, share) = (Float(beta1), Float(1 - beta1))
        let (squareKeep, squareShare) = (Float(beta2), Float(1 - beta2))
        let rate = Float(Double(learningRate) / (1 - pow(beta1, steps)))
        let correction = Float((1 - pow(beta2, steps)).squareRoot())
        picture.withUnsafeMutableBufferPointer { picture in
            mean.withUnsafeMutableBufferPointer { mean in
                square.withUnsafeMutableBufferPointer { square in
                    gradient.withUnsafeBufferPointer { gradient in
                        for place in picture.indices {
                            let slope = gradient[place]
                            mean[place] = keep * mean[place] + share * slope
                            square[place] = squareKeep * square[place] + squareShare * slope * slope
                            picture[place] -=
                                rate * mean[place] / (square[place].squareRoot() / correction + epsilon)
                        }
                    }
                }
            }
        }
    }

    private func pow(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { power, _ in power * base }
    }
}

/// Limited-memory BFGS without a search along the direction, as PyTorch's `LBFGS` does it (Nocedal & Wright 2006, algorithm
/// 7.4): the first step is short, each other as long as the estimated curvature says, times the learning rate.
public struct LBFGS: Sendable {
    /// What the estimated length of a step is multiplied by.
    public var learningRate: Float
    /// So many of the last steps are remembered: two pictures each.
    public var history: Int
    private var steps: [(move: [Float], change: [Float], inverse: Double)] = []
    private var lastGradient: [Float] = []
    private var lastMove: [Float] = []
    /// The inverse of the curvature.
    private var scale = 1.0

    /// Without a memory yet.
    public init(learningRate: Float = 1, history: Int = 20) {
        (self.learningRate, self.history) = (learningRate, history)
    }

    /// Changes the picture by one step.
    public mutating func step(_ picture: inout [Float], _ gradient: [Float]) {
        var length = Double(learningRate)
        if lastGradient.isEmpty {
            let sum = gradient.reduce(0.0) { $0 + Double(abs($1)) }
            length *= sum > 0 ? min(1, 1 / sum) : 1
        } else {
            remember(gradient)
        }
        var direction = gradient.map { -$0 }
        var shares: [Double] = []
        for step in steps.reversed() {
            let share = step.inverse * step.move.dot(direction)
            shares.append(share)
            direction.add(step.change, times: Float(-share))
        }
        let scale = Float(scale)
        for place in direction.indices { direction[place] *= scale }
        for (step, share) in zip(steps, shares.reversed()) {
            let back = step.inverse * step.change.dot(direction)
            direction.add(step.move, times: Float(share - back))
        }
        let factor = Float(length)
        for place in direction.indices { direction[place] *= factor }
        picture.add(direction, times: 1)
        (lastGradient, lastMove) = (gradient, direction)
    }

    /// What the last step has shown of the curvature, where it bends upwards.
    private mutating func remember(_ gradient: [Float]) {
        var change = gradient
        change.add(lastGradient, times: -1)
        let curvature = change.dot(lastMove)
        guard curvature > 1e-10 else { return }
        if steps.count == history { steps.removeFirst() }
        scale = curvature / change.dot(change)
        steps.append((lastMove, change, 1 / curvature))
    }
}
