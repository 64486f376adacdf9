import ArgumentParser

/// The value of --mean and of --std: one number for all channels, or one for each.
struct ChannelValues: ExpressibleByArgument, Hashable {
    let values: [Float]

    /// Numbers between commas or spaces, also in brackets as Python prints them.
    init?(argument: String) {
        let inner = argument.drop { "[( ".contains($0) }
        let parts = inner.split { ",]) ".contains($0) }
        values = parts.compactMap { Float($0) }
        guard !parts.isEmpty, values.count == parts.count else { return nil }
    }

    init(_ values: [Float]) { self.values = values }

    var text: String { values.map { "\($0)" }.joined(separator: ",") }

    /// A command line in which `--mean 0.485 0.456 0.406`, as timm has it, became `--mean 0.485,0.456,0.406`.
    static func joining(_ arguments: [String]) -> [String] {
        var result: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            result.append(argument)
            guard argument != "--" else { return result + rest }
            let numbers = rest.prefix(3)
            guard ["--mean", "--std"].contains(argument), numbers.count == 3,
                numbers.allSatisfy({ Float($0) != nil })
            else { continue }
            result.append(numbers.joined(separator: ","))
            rest = rest.dropFirst(3)
        }
        return result
    }
}
