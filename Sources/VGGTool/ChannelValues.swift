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
}
