import ArgumentParser

/// Numbers separated by commas.
struct NumberList<Number: LosslessStringConvertible & Sendable>: ExpressibleByArgument {
    var numbers: [Number] = []

    init(_ numbers: [Number]) { self.numbers = numbers }

    init?(argument: String) {
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Number(String(part)) else { return nil }
            numbers.append(number)
        }
    }

    var defaultValueDescription: String { numbers.map(\.description).joined(separator: ",") }
}
