import VGGImages
import VGGPerception

/// How a client wants a picture painted: the parameters of its address.
struct StylizationWish: Sendable {
    /// The longer side, in pixels.
    let size: Int
    let steps: Int
    /// The picture is shown after every so many steps.
    let every: Int
    private let isLBFGS, isNoise, keepsColours: Bool
    /// As a multiple of the usual weight.
    private let style: Double

    static let sizes = 16...1024
    static let counts = 1...1000

    init(_ call: Call) throws(APIError) {
        size = try call.number("size", in: Self.sizes, usually: 256)
        steps = try call.number("steps", in: Self.counts, usually: 100)
        every = try call.number("every", in: Self.counts, usually: 5)
        isLBFGS = try call.choice("optimizer", of: ["adam", "lbfgs"]) == "lbfgs"
        isNoise = try call.choice("start", of: ["content", "noise"]) == "noise"
        keepsColours = try call.choice("colours", of: ["style", "content"]) == "content"
        let text = call.query("style") ?? "1"
        guard let style = Double(text), (0...1e6).contains(style) else {
            throw .invalid("'style' must be a number from 0 to 1000000")
        }
        self.style = style
    }

    /// - Parameter preprocessing: of the weights: those that see colours of 0…255 make larger sums.
    func settings(_ preprocessing: Preprocessing) -> StylizationSettings {
        var settings = StylizationSettings()
        settings.styleWeight = style * (preprocessing.range == .byte ? 1e3 : 1e6)
        settings.scales = [.init(size: size, steps: steps)]
        settings.start = isNoise ? .noise(seed: 0) : .content
        settings.optimizer = isLBFGS ? .lbfgs(LBFGS()) : .adam(Adam())
        settings.keepsColours = keepsColours
        return settings
    }
}

extension Call {
    /// A parameter of the address's query that is a whole number.
    func number(_ name: String, in range: ClosedRange<Int>, usually: Int) throws(APIError) -> Int {
        guard let text = query(name) else { return usually }
        guard let number = Int(text), range.contains(number) else {
            throw .invalid("'\(name)' must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// One that is one of these words, the first of which is the usual one.
    func choice(_ name: String, of words: [String]) throws(APIError) -> String {
        let word = query(name) ?? words[0]
        guard words.contains(word) else {
            throw .invalid("'\(name)' must be one of \(words.joined(separator: ", "))")
        }
        return word
    }
}
