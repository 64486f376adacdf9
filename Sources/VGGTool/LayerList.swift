import ArgumentParser
import Foundation

/// The value of --layer: names of layers, separated by commas.
struct LayerList: ExpressibleByArgument {
    let names: [String]

    init?(argument: String) {
        names = argument.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    func validate() throws {
        guard !names.isEmpty, Set(names).count == names.count else {
            throw ValidationError("--layer must name one layer or several different ones")
        }
    }
}
