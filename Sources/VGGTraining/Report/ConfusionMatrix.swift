/// How often examples of each class were taken for each class.
///
///     var confusion = ConfusionMatrix(classes: 10)
///     confusion.add(actual: 6, guess: 0)
///     print(confusion.scores[6].recall, confusion.macroAverage.f1Score)
///
/// Its figures are those of scikit-learn's `classification_report`; what has no denominator is 0 there, too.
public struct ConfusionMatrix: Hashable, Sendable {
    /// Rows and columns.
    public let classes: Int
    /// `[actual, guess]`.
    private var counts: [Int]

    /// - Precondition: `classes` is positive.
    public init(classes: Int) {
        precondition(classes > 0, "there must be a class")
        self.classes = classes
        counts = Array(repeating: 0, count: classes * classes)
    }

    /// Counts one example.
    /// - Precondition: both are below `classes`.
    public mutating func add(actual: Int, guess: Int) {
        precondition(
            0..<classes ~= actual && 0..<classes ~= guess, "\(actual), \(guess): no such classes")
        counts[actual * classes + guess] += 1
    }

    /// How many examples of class `actual` were taken for class `guess`.
    public subscript(actual: Int, guess: Int) -> Int { counts[actual * classes + guess] }

    /// A row a class: how often its examples were taken for each.
    public var rows: [[Int]] { (0..<classes).map { Array(counts[$0 * classes..<($0 + 1) * classes]) } }

    /// All examples.
    public var total: Int { counts.reduce(0, +) }

    /// The share of examples that were taken for their own class.
    public var accuracy: Double {
        Double((0..<classes).reduce(0) { $0 + self[$1, $1] }) / Double(total)
    }

    /// The figures of each class.
    public var scores: [ClassScores] {
        var guesses = [Int](repeating: 0, count: classes)
        for (place, count) in counts.enumerated() { guesses[place % classes] += count }
        return rows.enumerated().map { number, row in
            ClassScores(right: row[number], guesses: guesses[number], support: row.reduce(0, +))
        }
    }

    /// The mean over the classes that occur, among the examples or the guesses.
    public var macroAverage: ClassScores { average { _ in 1 } }

    /// The mean over the examples.
    public var weightedAverage: ClassScores { average { Double($0.support) } }

    private func average(_ weight: (ClassScores) -> Double) -> ClassScores {
        let scores = scores.filter(\.occurs)
        let sum = scores.reduce(0) { $0 + weight($1) }
        func mean(_ figure: KeyPath<ClassScores, Double>) -> Double {
            sum > 0 ? scores.reduce(0) { $0 + weight($1) * $1[keyPath: figure] } / sum : 0
        }
        return ClassScores(
            precision: mean(\.precision), recall: mean(\.recall), f1Score: mean(\.f1Score), support: total)
    }

    /// The pairs of different classes that were mistaken most often, the most frequent first.
    public func mistakes(most: Int) -> [(actual: Int, guess: Int, count: Int)] {
        counts.indices.filter { counts[$0] > 0 && $0 / classes != $0 % classes }
            .sorted { (counts[$1], $0) < (counts[$0], $1) }
            .prefix(most).map { ($0 / classes, $0 % classes, counts[$0]) }
    }
}

/// How well a class is told from the others.
public struct ClassScores: Hashable, Sendable, Codable {
    /// The share of the guesses of this class that are right.
    public var precision: Double
    /// The share of the examples of this class that are recognised.
    public var recall: Double
    /// Their harmonic mean.
    public var f1Score: Double
    /// Examples of this class.
    public var support: Int
    /// Whether there are examples of it, or it was guessed.
    var occurs = true

    private enum CodingKeys: CodingKey { case precision, recall, f1Score, support }

    init(precision: Double, recall: Double, f1Score: Double, support: Int) {
        (self.precision, self.recall, self.f1Score, self.support) = (precision, recall, f1Score, support)
    }

    init(right: Int, guesses: Int, support: Int) {
        func share(_ part: Int, of whole: Int) -> Double { whole > 0 ? Double(part) / Double(whole) : 0 }
        self.init(
            precision: share(right, of: guesses), recall: share(right, of: support),
            f1Score: share(2 * right, of: guesses + support), support: support)
        occurs = guesses + support > 0
    }
}
